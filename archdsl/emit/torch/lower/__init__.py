"""Lowering: a program (`archdsl.program`) to classes of PyTorch source."""
