"""Where networks come from. Only these files import torch."""
