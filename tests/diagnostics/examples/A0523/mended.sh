archdsl compile mended.arch --to onnx
