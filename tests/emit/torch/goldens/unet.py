"""UNet: image [N, 3, H, W] to mask [N, 2, H, W]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Double(nn.Sequential):
    """U-Net (Ronneberger et al., 2015), padded, for an image of any size."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )


class UNet(nn.Module):
    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        self.encoder0 = Double(3, 64)
        self.encoder1 = Double(64, 128)
        self.encoder2 = Double(128, 256)
        self.encoder3 = Double(256, 512)
        self.bottom = Double(512, 1024)
        self.up3 = nn.ConvTranspose2d(1024, 512, 2, stride=2)
        self.decoder3 = Double(1024, 512)
        self.up2 = nn.ConvTranspose2d(512, 256, 2, stride=2)
        self.decoder2 = Double(512, 256)
        self.up1 = nn.ConvTranspose2d(256, 128, 2, stride=2)
        self.decoder1 = Double(256, 128)
        self.up0 = nn.ConvTranspose2d(128, 64, 2, stride=2)
        self.decoder0 = Double(128, 64)
        self.head = nn.Conv2d(64, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        skip0 = self.encoder0(image)
        skip1 = self.encoder1(F.max_pool2d(skip0, 2))
        skip2 = self.encoder2(F.max_pool2d(skip1, 2))
        skip3 = self.encoder3(F.max_pool2d(skip2, 2))
        x = self.bottom(F.max_pool2d(skip3, 2))
        x = self.up3(x)
        x = torch.cat(
            [skip3, F.interpolate(x, size=skip3.shape[2:], mode="bilinear")], dim=1
        )
        x = self.decoder3(x)
        x = self.up2(x)
        x = torch.cat(
            [skip2, F.interpolate(x, size=skip2.shape[2:], mode="bilinear")], dim=1
        )
        x = self.decoder2(x)
        x = self.up1(x)
        x = torch.cat(
            [skip1, F.interpolate(x, size=skip1.shape[2:], mode="bilinear")], dim=1
        )
        x = self.decoder1(x)
        x = self.up0(x)
        x = torch.cat(
            [skip0, F.interpolate(x, size=skip0.shape[2:], mode="bilinear")], dim=1
        )
        x = self.decoder0(x)
        return self.head(x)
