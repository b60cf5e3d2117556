"""The nearest of some names to one that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterable

ELSEWHERE = {
    "avg_pool": "avgpool", "cat": "concat", "concatenate": "concat", "dense": "linear", "dilation_rate": "dilation",
    "dim": "axis", "dims": "axis", "elif": "else", "epsilon": "eps", "fc": "linear", "filters": "width",
    "flip": "roll", "gap": "global_avgpool", "hidden_size": "width", "in_features": "width", "interpolate": "resize",
    "kernel_size": "kernel", "matmul": "einsum", "max_pool": "maxpool", "mean": "reduce", "multihead_attention":
    "attention", "num_groups": "groups", "num_heads": "heads", "out_channels": "width", "out_features": "width",
    "output_padding": "output_pad", "padding": "pad", "permute": "rearrange", "reshape": "rearrange",
    "self_attention": "attention", "strides": "stride", "transpose": "rearrange", "units": "width",
    "upsample": "resize", "view": "rearrange",
}  # fmt: skip
"""What other libraries call things, and our word for it."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, or None."""
    from difflib import get_close_matches  # only when something is wrong: a start need not pay for it

    known = list(known)
    plain = {_plain(k): k for k in reversed(known)}
    if _plain(name) in plain:
        return plain[_plain(name)]
    other = next((ours for theirs, ours in ELSEWHERE.items() if _plain(theirs) == _plain(name)), None)
    if other in known:
        return other
    close = [k for k in known if len(name) > 4 or abs(len(k) - len(name)) <= 1]
    found = get_close_matches(name, close, n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Advice naming the nearest, or None."""
    found = nearest(name, known)
    return f"did you mean `{found}`?" if found else None


def _plain(name: str) -> str:
    """A name without case, underscores and number of dimensions: ``BatchNorm2d`` is ``batchnorm``."""
    return re.sub(r"[123]d$", "", name.lower()).replace("_", "")
