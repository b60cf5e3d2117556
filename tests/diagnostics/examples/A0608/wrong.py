import torch

from archdsl.cli import main

torch.save({"conv1.weight": torch.zeros(8, 3, 3, 3)}, "old.pt")
main(["compile", "net.arch", "--to", "onnx", "--weights", "old.pt"])
