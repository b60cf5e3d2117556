"""A file that says more or other than the back end wrote is refused, before anything of it is run."""

from __future__ import annotations

import pytest

from archdsl.emit.torch.emission import emit
from archdsl.emit.torch.verify import Case, verify

from ..networks import model_of
from ..proof import refusal

SPEC = """model Net {
  input x: [N, 3, 8, 8]
  conv1: conv(8, 3, pad=1) -> relu
  conv2: conv(8, 3, pad=1) -> relu
  global_avgpool -> flatten
  fc: linear(10)
  output y
}
"""
LAST = "        return self.fc(x)"
LAYER = "        self.fc ="

STRANGE = {
    "an import": ("import torch.nn.functional as F", "import os\nimport torch.nn.functional as F"),
    "an import within": (LAST, "        import os\n" + LAST),
    "another import": ("from torch import Tensor, nn", "from torch import *"),
    "a statement of the file's": ("\n\nclass Net", "\n\nprint(1)\n\n\nclass Net"),
    "exec": (LAST, "        exec('x = 0')\n" + LAST),
    "eval": (LAST, "        x = eval('x')\n" + LAST),
    "open": (LAST, "        open('there', 'w')\n" + LAST),
    "__import__": (LAST, "        __import__('os').system('true')\n" + LAST),
    "a way to the builtins": (LAST, "        x.__class__.__base__.__subclasses__()\n" + LAST),
    "a dunder method": ("    def forward", "    def __del__(self) -> None:\n        print(1)\n\n    def forward"),
    "a decorator": ("class Net", "@print\nclass Net"),
    "a metaclass": ("class Net(nn.Module)", "class Net(nn.Module, metaclass=type)"),
    "a lambda": (LAST, "        (lambda: 0)()\n" + LAST),
    "a with": (LAST, "        with x:\n            pass\n" + LAST),
    "a while": (LAST, "        while x:\n            pass\n" + LAST),
    "a global": (LAST, "        global x\n" + LAST),
    "a walrus": (LAST, "        (z := x)\n" + LAST),
    "a yield": (LAST, "        yield x\n" + LAST),
    "a try": (LAST, "        try:\n            x = x\n        except ValueError:\n            x = x\n" + LAST),
    "an end too early": (LAST, "        return (self.fc(x)"),
    "a file written by the constructor": (LAYER, "        torch.save(1, 'there')\n" + LAYER),
    "a file written from a tensor": (LAYER, "        torch.tensor([1.0]).numpy().tofile('there')\n" + LAYER),
    "memory of a file": (LAYER, "        torch.tensor([1.0]).untyped_storage().from_file('there', True, 9)\n" + LAYER),
    "torch by another name": (LAYER, "        t = torch\n        t.save(1, 'there')\n" + LAYER),
    "a format": (LAST, "        y = f'{3:d}'\n" + LAST),
    "a variable called str": (LAST, "        str = 3\n" + LAST),
    "a variable called torch": (LAST, "        torch = x\n" + LAST),
    "a function of no operator here": ("F.relu(self.conv1(x))", "F.gelu(self.conv1(x))"),
    "a library of code": (LAYER, "        torch.ops.load_library('there')\n" + LAYER),
    "a call in an annotation": (LAST, "        y: len([1]) = x\n" + LAST),
}
WRONG = {
    "a changed width": ("nn.Conv2d(3, 8, 3, padding=1)", "nn.Conv2d(3, 9, 3, padding=1)"),
    "a changed padding": ("nn.Conv2d(3, 8, 3, padding=1)", "nn.Conv2d(3, 8, 3, padding=2)"),
    "an extra call": (LAST, "        return F.relu(self.fc(x))"),
    "a call twice": (LAST, "        return self.fc(self.fc(x))"),
    "a call too few": ("F.relu(self.conv1(x))", "self.conv1(x)"),
    "another function": ("F.relu(self.conv1(x))", "torch.flatten(self.conv1(x))"),
    "a constant made in vain": (LAYER, "        torch.tensor([1.0])\n" + LAYER),
    "what holds only while it is traced": (
        LAST,
        "        if isinstance(x.shape[0], int):\n            x = x * 0.0\n" + LAST,
    ),
    "a batch of one size": (LAST, "        if x.shape[0] == 7:\n            x = x * 0.0\n" + LAST),
    "a batch of some sizes": (LAST, "        x = x if x.shape[0] < 7 else x * 0.0\n" + LAST),
    "a constructor in training": (LAYER, "        if self.training:\n            return\n" + LAYER),
    "a property of tensors": (LAST, "        if x.is_cuda:\n            x = x * 0.0\n" + LAST),
    "the class in words": (LAST, "        if str(nn.Linear)[8:13] == 'torch':\n            x = x * 0.0\n" + LAST),
    "the class in a string": (LAST, "        x = x if f'{nn.Linear}' == '' else x * 0.0\n" + LAST),
    "another layer": ("        self.fc =", "        self.more = nn.Linear(2, 2)\n        self.fc ="),
    "another name": ("self.fc", "self.fcc"),
    "other weights": ("    def forward", "        nn.init.zeros_(self.fc.weight)\n\n    def forward"),
    "a constant added": (LAST, "        return self.fc(x) + 0"),
}


def text() -> str:
    return emit(model_of(SPEC)).text


def changed(old: str, new: str) -> str:
    """The text with a change, and with torch at hand, so that no name is missing by chance."""
    whole = text().replace("import torch.nn", "import torch\nimport torch.nn")
    assert old in whole
    return whole.replace(old, new)


def test_what_is_written_passes() -> None:
    assert verify(text(), "Net", [Case(model_of(SPEC).graph)]) is None
    assert refusal(changed("class", "class"), "Net", model_of(SPEC).graph) is None


@pytest.mark.parametrize("name", STRANGE)
def test_what_the_back_end_never_writes_is_refused_unread(name: str) -> None:
    failure = verify(changed(*STRANGE[name]), "Net", [Case(model_of(SPEC).graph)])
    assert failure is not None
    assert failure.difference.what == "text"


@pytest.mark.parametrize("name", WRONG)
def test_what_computes_otherwise_is_refused(name: str) -> None:
    source = changed(*WRONG[name])
    failure = verify(source, "Net", [Case(model_of(SPEC).graph)])
    assert failure is not None
    assert failure.difference.what != "text"


def test_a_loop_over_linear_layers_meets_the_one_within_attention() -> None:
    """torch's attention holds its output projection as an `nn.Linear`."""
    model = model_of(
        "model Net {\n input x: [N, 6, 8]\n with linear(init=normal(std=0.02))\n"
        " a: linear(8)\n look: attention(2)\n b: linear(8)\n output y\n}\n"
    )
    source = emit(model).text
    draws = [f"        nn.init.normal_(self.{name}.weight, std=0.02)\n" for name in "ab"]
    assert all(line in source for line in draws)
    for line in draws:
        source = source.replace(line, "")
    loop = "        for module in self.modules():\n            if isinstance(module, nn.Linear):\n"
    loop += "                nn.init.normal_(module.weight, std=0.02)\n"
    found = refusal(source.replace("\n    def forward", f"{loop}\n    def forward"), "Net", model.graph)
    assert found is not None
    assert "look.out_proj.weight" in found
