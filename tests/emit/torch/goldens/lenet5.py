"""LeNet5: image [N, 1, 32, 32] to logits [N, 10]."""

import torch
from torch import Tensor, nn


class LeNet5(nn.Module):
    """LeNet-5 (LeCun et al., 1998): 5x5 filters, average pools, and a classifier,
    for digits of 32x32 pixels.

    Seven layers in the paper's count: C1, S2, C3, S4, C5, F6 and the output. Its
    units are sigmoids; `--set act=relu` shows what the choice does to the
    gradient.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5)
        self.s2 = nn.AvgPool2d(2)
        self.c3 = nn.Conv2d(6, 16, 5)
        self.s4 = nn.AvgPool2d(2)
        self.c5 = nn.Conv2d(16, 120, 5)
        self.f6 = nn.Linear(120, 84)
        self.output = nn.Linear(84, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = torch.sigmoid(self.c1(image))
        x = self.s2(x)
        x = torch.sigmoid(self.c3(x))
        x = self.s4(x)
        x = torch.sigmoid(self.c5(x))
        x = torch.sigmoid(self.f6(torch.flatten(x, 1)))
        return self.output(x)
