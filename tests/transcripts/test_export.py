"""`gov export`: what others read of a model says what is known of it, in forms that they take."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from importlib.resources import files

import jsonschema
import pytest
import yaml
from markdown_it import MarkdownIt
from referencing import Registry, Resource
from transcripts.shell import Shell

MORE = """
description: |
  Probability that a loan is lost | <script>alert(1)</script>
  [click](javascript:x)
regimes: [eu-ai-act]
tier: 1
review: [{by: risk, every: 180d}]
"""


@pytest.fixture
def card(lending: Shell) -> Shell:
    path = lending.folder / "policies/loans.yaml"
    text = path.read_text(encoding="utf-8").replace(
        "region: {type: category}}", "region: {type: category, pii: sensitive}}"
    )
    kept = "data:\n  retention: {features: {at_most: 30d}, predictions: {at_most: 90d, at_least: 30d}}\n"
    kept += "  access: [lending, risk]\n  depends_on: [bureau-feed]\n"
    path.write_text(text.replace("data:\n", kept) + MORE, encoding="utf-8")
    return lending


def exported(shell: Shell, to: str) -> str:
    done = shell(f"gov export loans --to {to} --at 2026-01-09")
    assert (done.returncode, done.stderr) == (0, "")
    again = shell(f"gov export loans --to {to} --at 2026-01-09")
    assert again.stdout == done.stdout, "the same at the same time"
    return done.stdout


def test_markdown(card: Shell) -> None:
    text = exported(card, "markdown")
    assert text.startswith("# loans\n\nProbability that a loan is lost \\| \\<script\\>")
    for each in (
        "| Accountable | ana |",
        "| Canary | 3 (5%) |",
        "| leans | warning: `metrics.score_mean > 0.6` | ✓ pass |",
        "(with calibration\\_warning = 0.1, calibration\\_critical = 0.15)",
        "| auc | area under the ROC curve, ties at one half |",
        "| auc\\_by\\_slice | region north |",
        "| served | 0.99 | 4w | `metrics.score_mean < 0.9` |",
        "| region | category |  |  | sensitive |",
        "- predictions are kept for at most 90d, at least 30d",
        "- who may query it: lending, risk",
        "- the truth takes 1d; all of it is there after 2d",
    ):
        assert each in text, text
    tables = [block.split("\n") for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)]
    for rows in tables:
        bars = {len(re.findall(r"(?<!\\)\|", row)) for row in rows if row}
        assert len(bars) == 1, "no text from outside makes a cell"


def test_html_obeys_nothing_that_a_card_says(card: Shell) -> None:
    page = exported(card, "html")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "javascript:" not in re.findall(r'href="([^"]*)"', page)
    assert not re.findall(r"(?:src|href)=\"?(?:https?:)?//", page), "nothing is fetched"
    ET.fromstring(re.search(r"<body>.*</body>", page, re.DOTALL)[0])  # type: ignore[index]  # noqa: S314 (our own)
    assert "<table>" in page


def test_the_front_matter_of_hugging_face(card: Shell) -> None:
    text = exported(card, "huggingface")
    _, front, body = text.split("---\n", 2)
    said = yaml.safe_load(front)
    assert body.startswith("\n# loans")
    assert said["pipeline_tag"] == "tabular-classification"
    assert said["datasets"] == ["training"]
    (model,) = said["model-index"]
    (result,) = model["results"]
    assert set(result) == {"task", "dataset", "metrics"}
    assert set(result["dataset"]) == {"type", "name"}
    values = {each["type"]: each["value"] for each in result["metrics"]}
    assert set(values) == set(said["metrics"]) == {"accuracy", "precision", "recall", "roc_auc", "log_loss"}
    assert all(isinstance(each, float) for each in values.values())


def schema_of(version: str) -> jsonschema.Draft7Validator:
    """Return the published schema of CycloneDX with those that it refers to."""
    folder = files("cyclonedx.schema") / "_res"
    loaded = {
        each.name.replace(".SNAPSHOT", ""): json.loads(each.read_text(encoding="utf-8"))
        for each in folder.iterdir()
        if each.name.endswith(".schema.json")
    }
    main = loaded[f"bom-{version}.schema.json"]
    resources = [(each["$id"], Resource.from_contents(each)) for each in loaded.values() if "$id" in each]
    return jsonschema.Draft7Validator(main, registry=Registry().with_resources(resources))


def test_the_bill_of_materials_is_what_its_schema_says(card: Shell) -> None:
    bom = json.loads(exported(card, "cyclonedx"))
    validator = schema_of("1.6")
    assert [error.message for error in validator.iter_errors(bom)] == []
    assert list(validator.iter_errors({**bom, "specVersion": 1.6})), "the schema does refuse"
    model, *data = bom["components"]
    assert (model["type"], model["version"]) == ("machine-learning-model", "1")
    assert {each["name"] for each in data} == {"loans", "paid", "training", "bureau-feed"}
    considerations = model["modelCard"]["considerations"]
    assert considerations["ethicalConsiderations"] == [
        {
            "name": "region is sensitive personal data",
            "mitigationStrategy": "kept for at most 30d; only lending, risk may query it",
        }
    ]
    measured = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {"type": "auc", "value": measured[[each["type"] for each in measured].index("auc")]["value"]} in measured
    assert any(each.get("slice") == "slice=region, value=north" for each in measured)
    references = {"service", *(each["bom-ref"] for each in bom["components"])}
    assert {each["ref"] for each in bom["dependencies"]} <= references


def test_it_is_written_to_a_file_once(card: Shell) -> None:
    assert card("gov export loans --to cyclonedx --at 2026-01-09 -o out/bom.json").stdout == "wrote out/bom.json\n"
    again = card("gov export loans --to cyclonedx --at 2026-01-09 -o out/bom.json")
    assert (again.returncode, "nothing is overwritten" in again.stderr) == (3, True)
    assert "did you mean 'loans'?" in card("gov export loanz --to markdown").stderr


def test_a_model_without_data_is_exported_too(shell: Shell) -> None:
    shell("gov init --model chat --person ana")
    for to in ("markdown", "html", "huggingface", "cyclonedx"):
        done = shell(f"gov export chat --to {to} --at 2026-01-09")
        assert done.returncode == 0, done.stderr
    assert list(schema_of("1.6").iter_errors(json.loads(done.stdout))) == []
    assert MarkdownIt("commonmark").render(shell("gov export chat --to markdown --at 2026-01-09").stdout)
