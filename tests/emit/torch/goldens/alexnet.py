"""AlexNet: image [N, 3, 227, 227] to logits [N, 1000]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class AlexNet(nn.Module):
    """AlexNet (Krizhevsky et al., 2012), as it ran on two GPUs: the second, fourth
    and fifth convolutions see half of the channels each (`groups=2`), responses
    are normalised across channels, pools overlap, and dropout guards the
    classifier.
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=2)
        self.fc6 = nn.Linear(9216, 4096)
        nn.init.normal_(self.fc6.weight, std=0.005)
        nn.init.constant_(self.fc6.bias, 1)
        self.fc7 = nn.Linear(4096, 4096)
        nn.init.normal_(self.fc7.weight, std=0.005)
        nn.init.constant_(self.fc7.bias, 1)
        self.fc8 = nn.Linear(4096, classes)
        nn.init.normal_(self.fc8.weight, std=0.01)
        nn.init.zeros_(self.fc8.bias)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.constant_(module.bias, 1)
        if self.conv1.bias is not None:
            nn.init.zeros_(self.conv1.bias)
        if self.conv3.bias is not None:
            nn.init.zeros_(self.conv3.bias)

    def forward(self, image: Tensor) -> Tensor:
        x = F.local_response_norm(F.relu(self.conv1(image)), 5, k=2.0)
        x = F.max_pool2d(x, 3, stride=2)
        x = F.local_response_norm(F.relu(self.conv2(x)), 5, k=2.0)
        x = F.max_pool2d(x, 3, stride=2)
        x = F.relu(self.conv3(x))
        x = F.relu(self.conv4(x))
        x = F.max_pool2d(F.relu(self.conv5(x)), 3, stride=2)
        x = F.relu(self.fc6(torch.flatten(x, 1)))
        x = F.dropout(x, training=self.training)
        x = F.dropout(F.relu(self.fc7(x)), training=self.training)
        return self.fc8(x)
