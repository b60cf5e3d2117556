"""Cases of the layers that do nothing at inference."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.ops.dropout import AlphaDropout, Dropout, DropPath, Identity, SpatialDropout

from .drawing import images, shapes
from .harness import case

CHANCES = st.sampled_from([0.0, 0.2, 0.5, 1.0])

CASES = {
    "identity": shapes(0).map(lambda shape: case(Identity(), shape)),
    "dropout": st.builds(lambda p, shape: case(Dropout(p), shape), CHANCES, shapes()),
    "alpha_dropout": st.builds(lambda p, shape: case(AlphaDropout(p), shape), CHANCES, shapes()),
    "spatial_dropout": st.builds(lambda p, shape: case(SpatialDropout(p), shape), CHANCES, images()),
    "drop_path": st.builds(lambda p, shape: case(DropPath(p), shape), CHANCES, shapes()),
}

TIGHT = [case(Identity(), (2, 3)), case(Dropout(), (2, 3))]
