"""Training of a network on pictures: the only floor that imports Lightning.

``config`` says what can be set, ``data`` what is trained on, ``fit`` runs it; importing this package imports none of
them, so that the command line can describe itself without torch.
"""
