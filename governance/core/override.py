"""What a card may not say of a pack's rule: what the pack closes, and what would change nothing without a word."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from governance.core.authored import Authored, Path, SourceText, Written, problem_at
from governance.core.card import Card
from governance.core.pack import Pack
from governance.core.problem import Problem
from governance.core.rule import Rule

NO_DATA_FOR = timedelta(minutes=15)
_FIXED = ("for_each", "applies_to", "overridable")


@dataclass(frozen=True, slots=True)
class Layer:
    """A rule document in the file it stands in; the first layer that says something wins."""

    rule: Rule
    source: SourceText
    path: Path

    def written(self, *path: str) -> Written:
        """Return one text of the rule."""
        value: Any = self.rule
        for part in path:
            value = value[part] if isinstance(value, dict) else getattr(value, part)
        return Written(str(value), self.source, (*self.path, *path))

    def problem(self, code: str, key: str, message: str, hint: str = "") -> Problem:
        """Return a problem that stands at one key of the rule."""
        return problem_at(self.source, self.source.key_at((*self.path, key)), code, message, hint)


def redefinitions(
    card: Authored[Card], packs: Sequence[Authored[Pack]], redefined: Collection[str]
) -> Iterator[Problem]:
    """A card may not give a meaning of its own to a metric of a pack by which a closed rule judges it."""
    closed = [(pack.document.pack, rule) for pack in packs for rule in pack.document.rules if rule.overridable is False]
    for metric in redefined:
        reading = (f"{pack}/{rule.rule}" for pack, rule in closed if reads(rule, "metrics", metric))
        for name in list(reading)[:1]:
            message = f"'{name}' judges by this metric and may not be changed by a card (overridable: false)"
            at = card.source.key_at(("metrics", metric))
            yield problem_at(card.source, at, "not-overridable", message, "give yours another name")


def reads(rule: Rule, kind: str, name: str) -> bool:
    """Tell whether a condition of the rule names `kind.name`, such as a metric or a parameter."""
    named = re.escape(name)
    used = re.compile(rf"\b{kind}\s*(\.\s*{named}\b|\[\s*['\"]{named}['\"])")
    return any(used.search(text) for text in rule.conditions().values())


def ignored(base: Rule, own: Layer, name: str) -> Iterator[Problem]:
    """What an author wrote must not be without effect: it would be a page that never comes."""
    for key in _FIXED:
        if getattr(own.rule, key) is not None:
            message = f"`{key}` of '{name}' is its pack's to say; here it would change nothing"
            yield own.problem("no-effect", key, message, "write a rule of the card's own, under another name")
    if not isinstance(base.when, dict):
        return
    listed = ", ".join(f"{each}: …" for each in base.when)
    if own.rule.severity is not None and own.rule.when is None:
        message = f"'{name}' has a condition for each severity; `severity` would change nothing"
        yield own.problem("no-effect", "severity", message, f"write when: {{{listed}}}")
    elif isinstance(own.rule.when, str) and own.rule.severity is None:
        message = f"'{name}' has a condition for each severity, of which this is one only"
        yield own.problem("which-severity", "when", message, f"write when: {{{listed}}}, or add a severity")
