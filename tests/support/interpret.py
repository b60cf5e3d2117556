"""What an operator says in torch (``archdsl.op.Torch``), done by real torch."""

from archdsl.emit.torch.verify.interpreter import Interpreter, make_module, run_function, run_module, torch_names

__all__ = ["Interpreter", "make_module", "run_function", "run_module", "torch_names"]
