"""A network as a typed program: classes with members and forward bodies, between graph and source.

Nothing in it belongs to one target. `recorded` reads a checked graph into a program; `show` prints one as text;
`archdsl.emit.torch.lower` writes one as PyTorch source.
"""
