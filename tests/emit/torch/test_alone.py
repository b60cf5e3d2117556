"""Emitting needs no torch, and gives the same bytes in every process."""

from __future__ import annotations

import os
import subprocess
import sys

from .networks import SPECS

SCRIPT = """
import sys
sys.modules["torch"] = sys.modules["onnx"] = sys.modules["numpy"] = None  # an import of it fails
import archdsl
for name in sys.argv[1:]:
    print(archdsl.load(name).source())
assert archdsl.load(name).source() == archdsl.load(name).source()
"""
NAMES = ["resnet18", "googlenet", str(SPECS / "everything.arch")]


def emitted_with(seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", SCRIPT, *NAMES]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_torch_and_byte_for_byte() -> None:
    first, second = emitted_with("1"), emitted_with("2")
    assert "class ResNet" in first
    assert first == second
