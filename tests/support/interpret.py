"""What an operator says in torch (``archdsl.op.Torch``), done by real torch."""

from archdsl.emit.torch.verify.interpreter import Interpreter, emitted_names, make_module, run_function, run_module

__all__ = ["Interpreter", "emitted_names", "make_module", "run_function", "run_module"]
