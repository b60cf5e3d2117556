"""alexnet: image [N, 3, 224, 224] to logits [N, 1000]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class AlexNet(nn.Module):
    """AlexNet for one GPU (Krizhevsky, 2014, "One weird trick for parallelizing
    convolutional neural networks"), as torchvision has it: no groups, no
    normalisation, fewer filters at the bottom.
    """

    def __init__(self, classes: int = 1000, drop: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(drop),
            nn.Linear(9216, 4096),
            nn.ReLU(),
            nn.Dropout(drop),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Linear(4096, classes),
        )

    def forward(self, image: Tensor) -> Tensor:
        x = self.features(image)
        x = torch.flatten(F.adaptive_avg_pool2d(x, 6), 1)
        return self.classifier(x)
