"""What an exported network says of its input and its classes, in the metadata of the ONNX file itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archdsl.files import fingerprint, whole
from archdsl.model import WEIGHTS_KEY

KEY = "archdsl"
TOLD = ("model", "data", "input", "classes")


def describe(path: Path, facts: Mapping[str, Any], weights: Path) -> None:
    """Add the facts to the file, and the checkpoint that its weights are from.

    A network that was not exported to ONNX proper (a test's) is left as it is.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError:
        return
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError:
        return
    told = {entry.key: entry.value for entry in model.metadata_props}
    told |= {
        KEY: json.dumps({name: facts[name] for name in TOLD}, ensure_ascii=False),
        WEIGHTS_KEY: fingerprint(weights),
    }
    onnx.helper.set_model_props(model, told)
    with whole(path) as temporary:
        onnx.save(model, temporary)
