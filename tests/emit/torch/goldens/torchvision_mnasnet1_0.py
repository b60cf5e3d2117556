"""mnasnet1_0: image [N, 3, 224, 224] to logits [N, 1000]."""

from torch import Tensor, nn


class InvertedResidual(nn.Module):
    """Widens, filters each channel by itself, and narrows again without an
    activation.
    """

    def __init__(
        self, in_channels: int, width: int, kernel: int, stride: int, expand: int
    ) -> None:
        super().__init__()
        self.is_residual = stride == 1 and in_channels == width
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, expand * in_channels, 1, bias=False),
            nn.BatchNorm2d(expand * in_channels, momentum=0.0003),
            nn.ReLU(),
            nn.Conv2d(
                expand * in_channels,
                expand * in_channels,
                kernel,
                stride=stride,
                padding=kernel // 2,
                groups=expand * in_channels,
                bias=False,
            ),
            nn.BatchNorm2d(expand * in_channels, momentum=0.0003),
            nn.ReLU(),
            nn.Conv2d(expand * in_channels, width, 1, bias=False),
            nn.BatchNorm2d(width, momentum=0.0003),
        )

    def forward(self, x: Tensor) -> Tensor:
        out = self.layers(x)
        return out + x if self.is_residual else out


class MNASNet(nn.Module):
    def __init__(self, drop: float = 0.2, classes: int = 1000) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 32, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(32, momentum=0.0003),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1, groups=32, bias=False),
            nn.BatchNorm2d(32, momentum=0.0003),
            nn.ReLU(),
            nn.Conv2d(32, 16, 1, bias=False),
            nn.BatchNorm2d(16, momentum=0.0003),
            nn.Sequential(
                InvertedResidual(16, 24, 3, 2, 3),
                InvertedResidual(24, 24, 3, 1, 3),
                InvertedResidual(24, 24, 3, 1, 3),
            ),
            nn.Sequential(
                InvertedResidual(24, 40, 5, 2, 3),
                InvertedResidual(40, 40, 5, 1, 3),
                InvertedResidual(40, 40, 5, 1, 3),
            ),
            nn.Sequential(
                InvertedResidual(40, 80, 5, 2, 6),
                InvertedResidual(80, 80, 5, 1, 6),
                InvertedResidual(80, 80, 5, 1, 6),
            ),
            nn.Sequential(
                InvertedResidual(80, 96, 3, 1, 6), InvertedResidual(96, 96, 3, 1, 6)
            ),
            nn.Sequential(
                InvertedResidual(96, 192, 5, 2, 6),
                *(InvertedResidual(192, 192, 5, 1, 6) for _ in range(3)),
            ),
            nn.Sequential(InvertedResidual(192, 320, 3, 1, 6)),
            nn.Conv2d(320, 1280, 1, bias=False),
            nn.BatchNorm2d(1280, momentum=0.0003),
            nn.ReLU(),
        )
        linear = nn.Linear(1280, classes)
        nn.init.kaiming_uniform_(linear.weight, mode="fan_out", a=1)
        nn.init.zeros_(linear.bias)
        self.classifier = nn.Sequential(nn.Dropout(drop), linear)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, image: Tensor) -> Tensor:
        x = self.layers(image).mean((2, 3))
        return self.classifier(x)
