"""Colors by kind of layer, light and dark. Every text has a contrast to its card of at least 4.5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["io", "conv", "linear", "attention", "pool", "norm", "act", "reshape", "block", "merge", "other"]


class Paint(NamedTuple):
    """Colors of a card."""

    fill: str
    stroke: str
    text: str


@dataclass(frozen=True)
class Theme:
    """A palette. ``dim`` is the color of second lines; ``cluster`` paints the ground of what is opened."""

    cards: Mapping[Kind, Paint]
    page: str
    edge: str
    skip: str
    dim: str
    cluster: Paint


LIGHT = Theme(
    cards={
        "io": Paint("#FFFFFF", "#1F2933", "#1F2933"),
        "conv": Paint("#D3E4F5", "#2A62A0", "#12304F"),
        "linear": Paint("#FBE1C0", "#A85C00", "#4D2A00"),
        "attention": Paint("#E4D8F0", "#6B4597", "#33204A"),
        "pool": Paint("#C5E5D8", "#1B7355", "#0B3A2A"),
        "norm": Paint("#ECECEC", "#6E6E6E", "#333333"),
        "act": Paint("#FFF3C4", "#8C7400", "#463A00"),
        "reshape": Paint("#FFFFFF", "#757575", "#333333"),
        "block": Paint("#F4F6F8", "#3E4C59", "#1F2933"),
        "merge": Paint("#FFFFFF", "#3E4C59", "#1F2933"),
        "other": Paint("#F3DDE6", "#A0446E", "#4E1F36"),
    },
    page="#FFFFFF",
    edge="#3E4C59",
    skip="#C2410C",
    dim="#52606D",
    cluster=Paint("#F8FAFB", "#9AA5B1", "#1F2933"),
)

DARK = Theme(
    cards={
        "io": Paint("#14181D", "#E4E7EB", "#E4E7EB"),
        "conv": Paint("#1D3A5A", "#7FB2E5", "#E3EFFB"),
        "linear": Paint("#4F3311", "#F0B25C", "#FCEBD3"),
        "attention": Paint("#3A2A52", "#BC9BE3", "#F0E7FA"),
        "pool": Paint("#123F31", "#5FC6A0", "#DDF5EB"),
        "norm": Paint("#2E3338", "#A3A9B0", "#E8EAEC"),
        "act": Paint("#433A0B", "#DCC548", "#FBF4D0"),
        "reshape": Paint("#14181D", "#8D949B", "#D7DBDF"),
        "block": Paint("#20262D", "#9AA5B1", "#F0F2F4"),
        "merge": Paint("#14181D", "#9AA5B1", "#F0F2F4"),
        "other": Paint("#4A2135", "#E58DB5", "#FBE3EE"),
    },
    page="#14181D",
    edge="#B8C2CC",
    skip="#FF9D5C",
    dim="#A9B4BF",
    cluster=Paint("#1A1F25", "#52606D", "#E4E7EB"),
)

THEMES: Mapping[str, Theme] = {"light": LIGHT, "dark": DARK}
