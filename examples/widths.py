"""How depth and width cost: a table over members of a family, without torch.

python examples/widths.py
"""

from __future__ import annotations

from pathlib import Path

import archdsl

SPEC = Path(__file__).with_name("separable.arch")


def main() -> None:
    print(f"{'alpha':>6}{'input':>7}{'parameters':>13}{'MACs':>15}")
    for alpha in (1.0, 0.75, 0.5, 0.25):
        for size in (224, 160):
            model = archdsl.load(f"{SPEC}:MobileNet", input=f"1x3x{size}x{size}", alpha=alpha)
            print(f"{alpha:6}{size:7}{model.params:13,}{model.macs:15,}")


if __name__ == "__main__":
    main()
