"""What the loader says of documents that do not fit their class."""

from __future__ import annotations

from datetime import date, timedelta
from enum import Enum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from governance.loader import load_text


class Document(BaseModel):
    """What all documents share."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Severity(Enum):
    """How bad it is."""

    INFO = "info"
    WARNING = "warning"


class Switch(Document):
    """A kill switch."""

    switch: Literal["fallback", "throttle"]
    scope: Literal["version", "model"] = "version"
    expires: timedelta | None = None


class Run(Document):
    """A runbook to run."""

    runbook: str


class Levels(Document):
    """An expression per severity."""

    warning: str | None = None
    critical: str | None = None


class Rule(Document):
    """A rule."""

    rule: str
    when: str | Levels
    for_: str | None = Field(None, alias="for")
    severity: Severity = Severity.WARNING
    then: Switch | Run | None = None

    @field_validator("for_")
    @classmethod
    def _duration(cls, value: str) -> str:
        if not value.endswith("m"):
            raise ValueError(f"no duration '{value}'; write 30m")
        return value


class Email(Document):
    """A notifier."""

    kind: Literal["email"]
    to: str


class Pager(Document):
    """Another notifier."""

    kind: Literal["pager"]
    key: str


class Owners(Document):
    """Who owns it."""

    team: str
    accountable: str | None = None


class Card(Document):
    """A card for these tests."""

    model: str
    owners: Owners
    tier: Literal[1, 2, 3] = 3
    versions: dict[str, str] = {}
    share: float | None = Field(None, gt=0, le=1)
    until: date | None = None
    rules: tuple[Rule, ...] = ()
    notify: list[Annotated[Email | Pager, Field(discriminator="kind")]] = []
    people: Annotated[list[str], Field(min_length=1)] = ["ana"]

    @model_validator(mode="after")
    def _tier(self) -> Card:
        if self.tier == 1 and not self.rules:
            raise ValueError("a tier-1 card needs rules")
        return self


class Pack(Document):
    """A document that has the field kind."""

    kind: Literal["pack"]


KINDS: dict[str, type[BaseModel]] = {"card": Card, "pack": Pack}
HEAD = "kind: card\nmodel: x\nowners: {team: a}\n"


def rendered(text: str) -> list[str]:
    """Return the problems of a text as the user sees them."""
    return [problem.render() for problem in load_text(text, "a.yaml", KINDS)[1]]


def test_six_mistakes_are_six_problems() -> None:
    text = """\
kind: card
model: 2013.10
ownrs: {team: a}
tier: 4
versions: {serving: "2013.10", serving: "2013.11"}
rules:
  - rule: slow
    when: {waning: x > 1}
    then: {switch: falback}
"""
    assert (
        "\n".join(rendered(text))
        == """\
a.yaml:2:8: error[wrong-type]: 2013.10 is a number here; quote it: "2013.10"
    2 | model: 2013.10
      |        ^^^^^^^
a.yaml:3:1: error[unknown-field]: no field 'ownrs' in a card
    3 | ownrs: {team: a}
      | ^^^^^ did you mean 'owners'?
a.yaml:4:7: error[unknown-value]: must be one of 1, 2 or 3, not 4
    4 | tier: 4
      |       ^
a.yaml:5:32: error[duplicate-key]: 'serving' is written twice; first on line 5
    5 | versions: {serving: "2013.10", serving: "2013.11"}
      |                                ^^^^^^^
a.yaml:8:12: error[unknown-field]: no field 'waning' in rules[0].when
    8 |     when: {waning: x > 1}
      |            ^^^^^^ did you mean 'warning'?
a.yaml:9:20: error[unknown-value]: must be one of fallback or throttle, not 'falback'
    9 |     then: {switch: falback}
      |                    ^^^^^^^ did you mean 'fallback'?"""
    )


CASES = {
    "share: abc": "a.yaml:4:8: error[wrong-type]: must be a number, not text",
    "share: 5": "a.yaml:4:8: error[out-of-range]: must be at most 1.0",
    "share:\n  - 1": "a.yaml:5:3: error[wrong-type]: must be a number, not a list",
    "until: 17:00": "a.yaml:4:8: error[wrong-type]: must be a date such as 2013-12-14, not '17:00'",
    "versions: {serving: true}": 'a.yaml:4:21: error[wrong-type]: true is a truth value here; quote it: "true"',
    "versions: {serving: 0x1F}": 'a.yaml:4:21: error[wrong-type]: 0x1F is a number here; quote it: "0x1F"',
    "versions: {serving: }": "a.yaml:4:12: error[wrong-type]: must be text, not empty",
    "versions: a": "a.yaml:4:11: error[wrong-type]: must be a map, not text",
    "people: []": "a.yaml:4:9: error[out-of-range]: must have at least 1 entry",
    "people: ana": "a.yaml:4:9: error[wrong-type]: must be a list such as [ana], not text",
    "rules: [{rule: a, when: [b]}]": "a.yaml:4:25: error[wrong-type]: must be text or a map, not a list",
    "rules: [{rule: a, when: 5}]": 'a.yaml:4:25: error[wrong-type]: 5 is a number here; quote it: "5"',
    "rules: [{rule: a, when: b, for: 3x}]": "a.yaml:4:33: error[invalid-value]: no duration '3x'; write 30m",
    "rules: [{rule: a, when: b, severity: warn}]": (
        "a.yaml:4:38: error[unknown-value]: must be one of info or warning, not 'warn'"
    ),
    "rules: [{rule: a, when: b, then: {runbok: c}}]": (
        "a.yaml:4:35: error[unknown-field]: no field 'runbok' in rules[0].then"
    ),
    "rules: [{rule: a, when: b, then: {switch: fallback, expires: x}}]": (
        "a.yaml:4:62: error[wrong-type]: must be a duration such as 30m, not 'x'"
    ),
    "rules: [{rule: a}]": "a.yaml:4:10: error[missing-field]: missing 'when' in rules[0]",
    "rules: [x]": "a.yaml:4:9: error[wrong-type]: must be a map, not text",
    "notify: [{kind: pagr, key: a}]": "a.yaml:4:17: error[unknown-value]: must be one of email or pager, not 'pagr'",
    "notify: [{to: x}]": "a.yaml:4:11: error[missing-field]: missing 'kind' in notify[0]",
    "notify: [{kind: email}]": "a.yaml:4:11: error[missing-field]: missing 'to' in notify[0]",
    "tier: 1": "a.yaml:1:1: error[invalid-value]: a tier-1 card needs rules",
}


@pytest.mark.parametrize(("line", "expected"), CASES.items(), ids=CASES)
def test_one_mistake_is_one_problem(line: str, expected: str) -> None:
    assert [each.splitlines()[0] for each in rendered(HEAD + line + "\n")] == [expected]


def test_missing_fields_stand_at_the_first_key() -> None:
    assert rendered("kind: card\nowners:\n  accountable: ana\n") == [
        "a.yaml:1:1: error[missing-field]: missing 'model'\n    1 | kind: card\n      | ^^^^",
        "a.yaml:3:3: error[missing-field]: missing 'team' in owners\n    3 |   accountable: ana\n      |   ^^^^^^^^^^^",
    ]


KIND_CASES = {
    "kind: crad": ["a.yaml:1:7: error[unknown-kind]: no kind 'crad'", "^^^^ did you mean 'card'?"],
    "kind: 5": ["a.yaml:1:7: error[unknown-kind]: no kind '5'", "^ one of card, pack"],
    "kind:": ["a.yaml:1:1: error[unknown-kind]: no kind is named", "^^^^ one of card, pack"],
    "model: x": ["a.yaml:1:1: error[missing-kind]: missing 'kind'", "^^^^^ write kind: and one of card, pack"],
    "- x": ["a.yaml:1:1: error[not-a-map]: a document is a map that starts with 'kind:', not a list", "^"],
    "": ["a.yaml:1:1: error[empty-file]: the file is empty; start with kind: and one of card, pack"],
}


@pytest.mark.parametrize(("text", "expected"), KIND_CASES.items(), ids=KIND_CASES)
def test_a_file_needs_a_known_kind(text: str, expected: list[str]) -> None:
    (problem,) = rendered(text)
    assert problem.startswith(expected[0])
    assert problem.endswith(expected[-1])


def test_kind_reaches_only_classes_that_have_it() -> None:
    card, _ = load_text(HEAD, "a.yaml", KINDS)
    pack, _ = load_text("kind: pack\n", "a.yaml", KINDS)
    assert card is not None
    assert pack is not None
    assert isinstance(pack.document, Pack)


def test_words_of_yaml_1_1_stay_text() -> None:
    text = HEAD + "versions: {a: no, b: on, c: 17:00, d: 2013-01-01, e: yes, f: 1_000, g: 1:30, h: 0b1}\n"
    loaded, problems = load_text(text, "a.yaml", KINDS)
    assert not problems
    assert loaded is not None
    assert isinstance(loaded.document, Card)
    assert list(loaded.document.versions.values()) == ["no", "on", "17:00", "2013-01-01", "yes", "1_000", "1:30", "0b1"]


def test_a_validator_that_crashes_is_a_problem_of_its_file() -> None:
    class Broken(Document):
        @model_validator(mode="before")
        @classmethod
        def _crash(cls, _value: object) -> object:
            return {}["missing"]

    _, problems = load_text("kind: x\n", "a.yaml", {"x": Broken})
    assert [problem.code for problem in problems] == ["internal-error"]


def test_no_word_of_pydantic_is_shown() -> None:
    text = (
        "kind: card\nmodel: [1]\nowners: 5\ntier: {}\nrules: {a: 1}\nnotify: [1, {kind: 5}]\nuntil: [x]\nshare: .nan\n"
    )
    shown = "\n".join(rendered(text))
    assert not any(word in shown.lower() for word in ("pydantic", "input should", "value error", "valid ", "http"))
