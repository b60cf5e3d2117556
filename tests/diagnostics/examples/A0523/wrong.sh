archdsl compile wrong.arch --to onnx
