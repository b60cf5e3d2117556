import archdsl

model = archdsl.load("net.arch")
model.onnx("net.onnx", weights=model.module())
