"""The nearest of some names to one that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from archdsl.diagnostics.base import Edit
from archdsl.source import Span

SYNONYMS = {
    "avg_pool": "avgpool", "bn": "batchnorm", "cat": "concat", "concatenate": "concat",
    "conv_transpose": "convtranspose", "deconv": "convtranspose", "dense": "linear", "dilation_rate": "dilation",
    "dim": "axis", "dims": "axis", "epsilon": "eps", "fc": "linear", "filters": "width", "gap": "global_avgpool",
    "gn": "groupnorm", "hidden_size": "width", "interpolate": "resize", "kernel_size": "kernel", "ln": "layernorm",
    "local_response_norm": "lrn", "max_pool": "maxpool", "mha": "attention", "multihead_attention": "attention",
    "multihead_self_attention": "attention", "num_groups": "groups", "num_heads": "heads", "out_channels": "width",
    "out_features": "width", "output_padding": "output_pad", "padding": "pad", "pointwise_conv": "conv",
    "self_attention": "attention", "stochastic_depth": "drop_path", "strides": "stride", "swish": "silu",
    "transposed_conv": "convtranspose", "units": "width", "upsample": "resize",
}  # fmt: skip
"""What other libraries call things, and our word for the same thing."""

RELATED = {"elif": "else", "in_features": "width"}
"""What other libraries have, and what here serves instead, written in another way."""

LEAST = 4
"""Letters of a word in which one may have slipped: shorter ones are too near to each other."""
LONG = 5
"""Letters up to which another letter in one place makes another word: `mask` is no `task`."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, or None."""
    from difflib import get_close_matches  # only when something is wrong: a start need not pay for it

    known = list(known)
    if not known:
        return None
    surely = certain(name, known)
    if surely is not None:
        return surely
    plain = {_plain(k): k for k in reversed(known)}
    if _plain(name) in plain:
        return plain[_plain(name)]
    other = next((ours for theirs, ours in RELATED.items() if _plain(theirs) == _plain(name)), None)
    if other in known:
        return other
    close = [k for k in known if len(name) > 4 or abs(len(k) - len(name)) <= 1]
    found = get_close_matches(name, close, n=1, cutoff=0.6)
    return found[0] if found else None


def certain(name: str, known: Iterable[str]) -> str | None:
    """The only known name that can have been meant, or None.

    One that differs in case, underscores and number of dimensions only, or is what another library calls the same
    thing, or is one slip of the fingers away.
    """
    known = list(known)
    if not known:
        return None
    synonyms = {ours for theirs, ours in SYNONYMS.items() if _plain(theirs) == _plain(name)}
    alike = {k for k in known if _plain(k) == _plain(name) and len(name) >= LEAST}
    for found in (alike, synonyms & set(known), {k for k in known if _slipped(name, k)}):
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Advice naming the nearest, or None."""
    known = list(known)
    found = nearest(name, known)
    return f"did you mean `{found}`?" if found else None


def respelt(span: Span, name: str, known: Iterable[str]) -> tuple[Edit, ...]:
    """The edit that spells a name as it was meant, where it stands in the text and that is certain."""
    found = certain(name, known) if span.text == name else None
    return (Edit(span, found),) if found else ()


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    """A name without case, underscores, hyphens and number of dimensions: ``BatchNorm2d`` is ``batchnorm``."""
    return re.sub(r"[_-]|[123]d$", "", name.lower())


def _slipped(name: str, meant: str) -> bool:
    """Are two names one letter apart, within one of their words? Numbers that differ are different things."""
    mine, theirs = _WORDS.findall(name), _WORDS.findall(meant)
    apart = [(a, b) for a, b in zip(mine, theirs, strict=False) if a != b]
    if len(mine) != len(theirs) or len(apart) != 1:
        return False
    a, b = apart[0]
    return a.isalpha() and len(b) >= LEAST and _one_apart(a, b)


_WORDS = re.compile(r"[^\W\d_]+|\d+|\W+|_")


def _one_apart(a: str, b: str) -> bool:
    """Does one letter left out, added, or exchanged with its neighbour make a word of another?

    In a long word also one replaced. Not the `s` of a plural: `depth` beside `depths` is another thing.
    """
    if f"{a}s" == b or a == f"{b}s":
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest, other = a[start:], b[start:]
    is_replaced = rest[1:] == other[1:] and len(a) == len(b) > LONG
    return rest[1:] == other or rest == other[1:] or is_replaced or (rest[:2] == other[1::-1] and rest[2:] == other[2:])
