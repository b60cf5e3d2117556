import archdsl

model = archdsl.load("net.arch", input="Nx3x32x32")
model.onnx("net.onnx")
