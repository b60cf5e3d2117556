import torch

import archdsl
from archdsl.cli import main

state = archdsl.load("net.arch").module().state_dict()
torch.save({"state_dict": state, "state_dict_ema": state}, "run.pth")
main(["compile", "net.arch", "--weights", "run.pth:state_dict_ema", "-o", "net.py"])
