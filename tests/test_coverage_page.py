"""The page that says where each practice is done names only what there is, and each number once."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
import typer
import yaml
from pydantic import BaseModel

from governance.cli.main import app
from governance.core.card import Card
from governance.core.measure import MEASURES
from governance.core.switch import Mode

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/coverage.md").read_text(encoding="utf-8")
NUMBERS = 200
STATES = ("done", "by example", "not done")
EXAMPLES = ("offers", "answers")
OWN = (*(f"{each}:" for each in EXAMPLES), "docs/examples/", "policies/")


class Row(NamedTuple):
    """One practice: its number, what it is, whether it is done, where, and what shows it."""

    number: int
    practice: str
    state: str
    where: str
    shown: str


ROWS = [
    Row(int(number), *(each.strip() for each in rest.split(" | ")))
    for number, rest in re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)
]


def names(text: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


@cache
def document(path: Path) -> dict[str, Any]:
    """Return a YAML file as plain values; read by C where there is such a reader, as the page names many."""
    loaded: dict[str, Any] = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return loaded


@cache
def catalogue() -> frozenset[str]:
    """Return every name of a rule, measure, standard metric, problem and runbook that there is."""
    packs = [document(path) for path in (ROOT / "policies/packs").glob("*.yaml") if not path.stem.endswith(".test")]
    rules = {f"{pack['pack']}/{rule['rule']}" for pack in packs for rule in pack.get("rules", ())}
    metrics = {name for pack in packs for name in pack.get("metrics", ())}
    problems = {path.stem for path in (ROOT / "docs/problems").glob("*.md")} - {"README"}
    runbooks = {path.stem for path in (ROOT / "runbooks").glob("*.yaml") if not path.stem.endswith(".test")}
    switches = {f"switch:{mode}" for mode in get_args(Mode)}
    return frozenset({*rules, *metrics, *MEASURES, *problems, *runbooks, *switches, *examples()})


def examples() -> set[str]:
    """Return the rules, metrics and objectives of the worked examples, as example:name."""
    found = set()
    for name in EXAMPLES:
        card = document(ROOT / f"docs/examples/{name}/{name}.yaml")
        own = [*card["metrics"], *card.get("slos", ()), *(rule["rule"] for rule in card["rules"])]
        own += [part for part in ("rollback", "retraining") if "when" in card.get(part, {})]
        found |= {f"{name}:{each}" for each in own}
    return found


@cache
def commands() -> frozenset[str]:
    """Return every command of the program, as it is typed."""

    def below(command: Any, typed: str) -> list[str]:
        inner = getattr(command, "commands", {})
        return [typed, *(name for key, each in inner.items() for name in below(each, f"{typed} {key}"))]

    return frozenset(below(typer.main.get_command(app), "gov"))


def is_field(path: str) -> bool:
    """Tell whether a card has a field; names in maps, such as that of a feature, are left out of the path."""
    kinds: list[type[BaseModel]] = [Card]
    for name in path.split("."):
        fields = [field for kind in kinds for own, field in kind.model_fields.items() if name == (field.alias or own)]
        if not fields:
            return False
        kinds = [kind for field in fields for kind in models(field.annotation)]
    return True


def models(annotation: Any) -> list[type[BaseModel]]:
    """Return the parts of a document that an annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [each for argument in get_args(annotation) for each in models(argument)]


@cache
def files() -> frozenset[str]:
    """Return the names of all tests and stories."""
    places = ("tests", "policies", "runbooks", "docs/examples", "clients/python/tests")
    return frozenset(path.name for place in places for path in (ROOT / place).rglob("*") if path.is_file())


def exists(name: str) -> bool:
    """Tell whether there is something of this name, wherever its form says that it would be."""
    if name.startswith("gov "):
        return name in commands()
    if name.startswith("gov_"):
        return f"`{name}" in (ROOT / "docs/serve.md").read_text(encoding="utf-8")
    if name.startswith("GET "):
        texts = [(ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("api.md", "serve.md")]
        return any(f"`{name}" in text for text in texts)
    if name.endswith((".yaml", ".md", ".py")):
        return (ROOT / name).is_file()
    return name in catalogue() or is_field(name)


def test_each_number_stands_once() -> None:
    assert [row.number for row in ROWS] == list(range(1, NUMBERS + 1))


def test_the_head_counts_what_is_below() -> None:
    count = Counter(row.state for row in ROWS)
    assert set(count) <= set(STATES)
    said = f"{count['done']} are done, {count['by example']} by example, {count['not done']} not."
    assert said in " ".join(PAGE.split())


def wrong(row: Row) -> list[str]:
    """Return what is wrong with a row: names of nothing, a state without its proof."""
    if row.state == "not done":
        return [] if len(row.where) > 40 else ["it does not say why"]
    where = [name for name in names(row.where) if not name.startswith("--")]
    found = [name for name in where if not exists(name) and name not in PARTS]
    found += [name for name in names(row.shown) if name not in files()]
    found += [] if where and names(row.shown) else ["it names nothing"]
    own = [name for name in where if name.startswith(OWN)]
    return found if own or row.state == "done" else [*found, "it names no example"]


def test_what_the_rows_name_exists() -> None:
    assert {row.number: wrong(row) for row in ROWS if wrong(row)} == {}


PARTS = {"route", "band", "parity", "leakage", "ablation"}
"""Names of slices and regimes that the examples have."""


@pytest.mark.parametrize(
    "name", ["practice/no-such", "data.features.ownr", "gov judge", "psii", "offers:none", "x.yaml"]
)
def test_what_there_is_not_would_be_found(name: str) -> None:
    assert not exists(name)


def test_the_parts_of_examples_are_there() -> None:
    texts = "".join((ROOT / f"docs/examples/{name}/{name}.yaml").read_text(encoding="utf-8") for name in EXAMPLES)
    assert [part for part in PARTS if not re.search(rf"\b{part}\b", texts)] == []
