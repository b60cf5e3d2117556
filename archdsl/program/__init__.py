"""A network as a typed program: classes with members and forward bodies, between graph and source.

Nothing in it belongs to one target. `recorded` reads a checked graph into a program with every number written out;
`specialise` finds the classes that stand for several instances, which `symbolic` builds and `witnesses` checks; `show`
prints a program as text; `archdsl.emit.torch.lower` writes it as PyTorch source.
"""
