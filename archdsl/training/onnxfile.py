"""What an exported network says of its input and its classes, in the metadata of the ONNX file itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archdsl.files import whole

KEY = "archdsl"
TOLD = ("model", "data", "input", "classes")


def describe(path: Path, facts: Mapping[str, Any]) -> None:
    """Add the facts to the file. A network that was not exported to ONNX proper (a test's) is left as it is."""
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError:
        return
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError:
        return
    entry = model.metadata_props.add()
    entry.key, entry.value = KEY, json.dumps({name: facts[name] for name in TOLD}, ensure_ascii=False)
    with whole(path) as temporary:
        onnx.save(model, temporary)
