archdsl compile fixed.arch --to onnx
