import archdsl

model = archdsl.load("net.arch")
weights = {n: [[1.0], [1.0, 2.0]] for n in model.module().state_dict()}
model.onnx("net.onnx", weights=weights)
