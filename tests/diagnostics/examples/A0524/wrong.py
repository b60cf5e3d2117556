import archdsl

model = archdsl.load("training.arch")
model.onnx("net.onnx", weights={})
