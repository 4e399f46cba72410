"""The schemas that editors use take what the loader takes, and refuse what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from governance.loader.descriptions import DESCRIPTIONS
from governance.loader.published import json_schema
from governance.policies import KINDS

ROOT = Path(__file__).parent.parent
SHIPPED = sorted(path for folder in ("policies", "runbooks") for path in (ROOT / folder).rglob("*.yaml"))


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


@pytest.mark.parametrize("kind", KINDS)
def test_an_editor_has_a_word_for_every_field(kind: str) -> None:
    """A field without one: write it into a table of which governance/loader/descriptions.py is made."""
    schema: dict[str, Any] = json_schema(kind, KINDS[kind])
    parts = {KINDS[kind].__name__: schema, **schema.get("$defs", {})}
    bare = [
        f"{name}.{field}"
        for name, part in parts.items()
        for field, said in part.get("properties", {}).items()
        if not said.get("description")
    ]
    assert bare == []
    assert all(part.get("description") for part in parts.values()), "every part says what it is"


def test_every_example_is_taken_by_its_schema() -> None:
    for kind, document in KINDS.items():
        schema: dict[str, Any] = json_schema(kind, document)
        for name, part in {document.__name__: schema, **schema.get("$defs", {})}.items():
            for field, said in part.get("properties", {}).items():
                for example in said.get("examples", []):
                    one = {"$defs": schema.get("$defs", {}), **said}
                    assert jsonschema.Draft202012Validator(one).is_valid(example), f"{name}.{field}: {example}"


@pytest.mark.parametrize("path", SHIPPED, ids=[each.stem for each in SHIPPED])
def test_what_is_shipped_names_its_schema_in_its_first_line(path: Path) -> None:
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found is not None, f"{path.name} begins with {first!r}"
    schema = (path.parent / found[1]).resolve()
    kind = next(line.partition(": ")[2].strip() for line in rest if line.startswith("kind:"))
    assert schema == ROOT / "docs" / "schema" / f"{kind}.json"
    assert schema.is_file()


def test_a_description_that_no_field_has_is_old() -> None:
    old = []
    for kind, document in KINDS.items():
        schema: dict[str, Any] = json_schema(kind, document)
        for name, part in {document.__name__: schema, **schema.get("$defs", {})}.items():
            old += [f"{name}.{field}" for field in DESCRIPTIONS.get(name, {}) if field not in part["properties"]]
    assert old == []
