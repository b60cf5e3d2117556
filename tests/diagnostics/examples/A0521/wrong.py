import archdsl

model = archdsl.load("net.arch")
weights = {n: w[:1] for n, w in model.module().state_dict().items()}
model.onnx("net.onnx", weights=weights)
