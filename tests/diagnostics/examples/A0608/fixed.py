import torch

import archdsl
from archdsl.cli import main

torch.save(archdsl.load("net.arch").module().state_dict(), "new.pt")
main(["compile", "net.arch", "--to", "onnx", "--weights", "new.pt"])
