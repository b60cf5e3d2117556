"""From a picture, in a file or opened, to pixels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image, ImageOps
from torch import Tensor
from torchvision.transforms.v2 import functional as F


class UnreadableError(Exception):
    """A file that is no picture. Its text alone outlives the way from a worker process: ``marker`` finds it again."""

    marker = "UnreadableError: "


def decode(path: Path, least: int) -> Tensor:
    """A picture in a file as uint8 [3, H, W], upright.

    ``draft`` lets the JPEG decoder leave out what a large photograph has beyond ``least`` pixels: much less work.

    Raises: UnreadableError.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would keep its reader waiting
            raise ValueError("it is not a regular file")
        with Image.open(path) as image:
            if image.mode.startswith(("I", "F")):  # Pillow would cut them off at 255
                raise ValueError(f"its pixels have more than 8 bits (mode {image.mode})")
            image.draft("RGB", (least, least))
            ImageOps.exif_transpose(image, in_place=True)
            return F.pil_to_tensor(image if image.mode == "RGB" else image.convert("RGB"))  # which would copy
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # Pillow's, for damaged files
        raise UnreadableError(f"{UnreadableError.marker}`{path}`: {error}") from None


def unreadable(paths: list[Path]) -> list[Path]:
    """Those of the files that cannot be decoded, found by trying: as much work as an epoch's reading."""

    def fails(path: Path) -> bool:
        try:
            decode(path, 32)
        except UnreadableError:
            return True
        return False

    with ThreadPoolExecutor() as pool:  # Pillow decodes outside the interpreter's lock
        return [path for path, bad in zip(paths, pool.map(fails, paths), strict=True) if bad]
