"""The schemas that editors use take what the loader takes, and refuse what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parent.parent
SHIPPED = sorted((ROOT / "policies").rglob("*.yaml"))


def problems(document: dict[str, Any]) -> list[str]:
    schema = json.loads((ROOT / f"docs/schema/{document['kind']}.json").read_text(encoding="utf-8"))
    return [each.json_path for each in jsonschema.Draft202012Validator(schema).iter_errors(document)]


@pytest.mark.parametrize("path", SHIPPED, ids=[each.stem for each in SHIPPED])
def test_what_is_shipped_is_what_its_schema_says(path: Path) -> None:
    assert problems(yaml.safe_load(path.read_text(encoding="utf-8"))) == []


CARD = {"kind": "card", "model": "m", "owners": {"team": "t"}}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"slos": {"fast": {"objective": "99.9%", "good": "metrics.x < 1.0"}}}, []),
        ({"slos": {"fast": {"objective": 0.999, "window": "28d", "good": "metrics.x < 1.0"}}}, []),
        ({"slos": {"fast": {"objective": "99,9", "good": "metrics.x < 1.0"}}}, ["$.slos.fast.objective"]),
        ({"truth": {"delay": "12h", "complete_after": "1h30m"}}, []),
        ({"truth": {"delay": "PT12H", "complete_after": "2d"}}, ["$.truth"]),
        ({"owner": {}}, ["$"]),
    ],
)
def test_shares_and_durations_as_authors_write_them(change: dict[str, Any], wrong: list[str]) -> None:
    assert problems({**CARD, **change}) == wrong
