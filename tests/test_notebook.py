"""Results as a notebook shows them: HTML that is escaped, the cell magic, and a notebook that is run by Jupyter."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import archdsl
from archdsl.diagnostics.nearest import did_you_mean
from archdsl.model import Model
from archdsl.notebook import run

TEXT = """model Tiny(classes = 10) {
  input x: [N, 3, 8, 8]
  c: conv(classes, 3) -> relu
  output y
}
claim "a <b>small</b> one & no more" { assert params(Tiny) == 280 }
"""
HOSTILE = "<script>alert(1)</script>"


def cells(html: str) -> list[list[str]]:
    """The texts of the table of a page, which must be well-formed."""
    found = re.search(r"<table>.*</table>", html, re.DOTALL)
    assert found is not None
    rows = ElementTree.fromstring(found[0].replace("&emsp;", "\u2003")).iter("tr")
    return [["".join(cell.itertext()).strip() for cell in row] for row in rows]


@pytest.fixture(scope="module")
def tiny() -> Model:
    return archdsl.load(text=TEXT)


def test_a_spec_as_text(tiny: Model) -> None:
    assert (tiny.name, tiny.params, tiny.depth) == ("Tiny", 280, 1)
    assert archdsl.load(text=TEXT, classes=4).params == 112
    assert archdsl.load("Other", text=TEXT + TEXT.replace("Tiny", "Other").split("claim")[0]).name == "Other"
    assert archdsl.load(text=TEXT, input="Nx3x16x16").macs == 14 * 14 * 27 * 10
    with pytest.raises(archdsl.SpecError, match="unknown name `convv`"):
        archdsl.load(text=TEXT.replace("conv(", "convv("))
    with pytest.raises(TypeError):
        archdsl.load()


def test_claims_and_blocks(tiny: Model) -> None:
    assert [(claim.text, claim.standing) for claim in tiny.claims] == [("a <b>small</b> one & no more", "holds")]
    assert [c.standing for c in archdsl.load(text=TEXT.replace("280", "281")).claims] == ["fails"]
    blocks = archdsl.load("resnet18").blocks
    assert blocks["layer1.0"].params == 2 * (64 * 64 * 9 + 128)
    assert blocks[""].params == 11_689_512
    assert did_you_mean("layer1.00", blocks) is not None


def test_the_summary_is_a_table(tiny: Model) -> None:
    table = cells(tiny.summary()._repr_html_())
    assert table[0] == ["layer", "output", "params", "MACs", "FLOPs", "field", "stride", "memory"]
    assert table[-1][:3] == ["total", "", "280"]
    assert "c: conv 3×3, 10" in repr(tiny.summary())
    assert tiny.summary(batch_size=4).totals.macs == 4 * tiny.macs
    deep = archdsl.load("resnet18")
    assert len(deep.summary(depth=1).to("csv").splitlines()) < len(deep.summary(depth=2).to("csv").splitlines())


def test_networks_are_compared(tiny: Model) -> None:
    found = archdsl.compare(tiny, "lenet5")
    table = cells(found._repr_html_())
    assert [row[0] for row in table] == ["model", "Tiny", "LeNet5"]
    assert "61,706" in table[2]
    assert "61,706" in repr(found)
    with pytest.raises(archdsl.SpecError, match="did you mean"):
        archdsl.compare(tiny, "lenet")
    with pytest.raises(TypeError):
        archdsl.compare(tiny)


def test_a_check_shows_claims_and_diagnostics(tiny: Model) -> None:
    found = tiny.check()
    assert found.ok
    html = found._repr_html_()
    assert "✓ a &lt;b&gt;small&lt;/b&gt; one &amp; no more: evaluated" in html
    assert "<b>small" not in html
    wrong = archdsl.load(text=TEXT.replace("280", "281")).check()
    assert not wrong.ok
    assert "A0401" in wrong._repr_html_()
    assert "error[A0401]" in repr(wrong)


def test_a_model_shows_its_shapes_and_diagram(tiny: Model) -> None:
    html = tiny._repr_html_()
    assert "Tiny: x [N, 3, 8, 8] -&gt; y [N, 10, 6, 6], 280 parameters" in html
    assert html.count("<svg") == 1
    assert "\n<svg" in html
    assert "<?xml" not in html
    assert "<svg" in tiny._repr_svg_()


def test_no_text_of_a_spec_is_html() -> None:
    text = TEXT.replace("a <b>small</b> one & no more", HOSTILE) + f"# {HOSTILE}\nblock B {{ unknown('{HOSTILE}') }}\n"
    shown = run("", text)._repr_html_()
    assert HOSTILE not in shown
    assert "&lt;script&gt;" in shown


def test_a_cell_assigns_its_models() -> None:
    two = TEXT + "model Wide = Tiny(20)\n"
    assert [*run("", two).models] == ["Tiny", "Wide"]
    assert [*run("net", TEXT).models] == ["net"]
    assert run("", TEXT.replace("280", "281")).models == {}
    assert "A0401" in repr(run("", TEXT.replace("280", "281")))
    with pytest.raises(archdsl.SpecError, match="not a name of Python"):
        run("a b", TEXT)


def test_a_notebook(tmp_path: Path) -> None:
    """Run by Jupyter: what each cell displays."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    sources = [
        "import archdsl\n%load_ext archdsl",
        f"%%arch\n{TEXT}",
        "Tiny",
        "Tiny.summary()",
        "Tiny.check()",
        'archdsl.compare(Tiny, "lenet5")',
        f"%%arch net\n{TEXT.replace('280', '281')}",
        "'net' in dir()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(tmp_path))
    shown = [cell.outputs[-1]["data"] if cell.outputs else {} for cell in notebook.cells]
    assert "<code>Tiny</code>" in shown[1]["text/html"]
    assert {"text/html", "image/svg+xml", "text/plain"} <= shown[2].keys()
    assert cells(shown[3]["text/html"])[-1][2] == "280"
    assert "evaluated" in shown[4]["text/html"]
    assert cells(shown[5]["text/html"])[2][0] == "LeNet5"
    assert "A0401" in shown[6]["text/html"]
    assert shown[7]["text/plain"] == "False"
