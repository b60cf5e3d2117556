"""A checkpoint of torchvision's in an archdsl module: the names, shapes and order of the state dict are the same.

python examples/torchvision_checkpoint.py
"""

from __future__ import annotations

import torch
import torchvision

import archdsl


def main() -> None:
    theirs = torchvision.models.resnet50(weights=None).eval()  # weights="DEFAULT" fetches the published ones

    # These two lines are all it takes; a .pth file of a state dict does as well: torch.load(path, weights_only=True).
    ours = archdsl.load("resnet50").module()
    ours.load_state_dict(theirs.state_dict(), strict=True)

    image = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        difference = (ours.eval()(image) - theirs(image)).abs().max().item()
    print(f"{sum(p.numel() for p in ours.parameters()):,} parameters, largest difference of the outputs: {difference}")


if __name__ == "__main__":
    main()
