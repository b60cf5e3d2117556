import archdsl

model = archdsl.load("net.arch")
model.onnx("net.onnx")
