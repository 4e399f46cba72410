"""The cards, packs, runbooks and organisation that tests are about, compiled once for all tests of the same card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from governance.core.authored import Authored
from governance.core.card import Card
from governance.core.compiled import EvaluationPlan
from governance.core.memory import Memory
from governance.core.organisation import Organisation
from governance.core.pack import Pack
from governance.core.plan import evaluation_plan
from governance.core.problem import Problem
from governance.core.runbook import Runbook
from governance.loader import Loaded, load
from governance.policies import KINDS, RUNBOOKS, beside, is_shipped, shipped, shipped_runbooks

D = TypeVar("D", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Library:
    """What a directory of policies holds, the shipped packs included; `problems` are those of its files' form."""

    cards: Mapping[str, Loaded[Card]] = field(default_factory=dict)
    packs: Mapping[str, Loaded[Pack]] = field(default_factory=dict)
    runbooks: Mapping[str, Authored[Runbook]] = field(default_factory=dict)
    organisation: Organisation = field(default_factory=Organisation)
    problems: tuple[Problem, ...] = ()
    _plans: dict[tuple[str, ...], EvaluationPlan] = field(default_factory=dict)
    _memory: Memory = field(default_factory=Memory)

    @property
    def rules(self) -> frozenset[str]:
        """The names of all rules of packs."""
        return frozenset(f"{pack}/{rule.rule}" for pack, each in self.packs.items() for rule in each.document.rules)

    def compiled(self, cards: Sequence[Authored[Card]], named: frozenset[str], key: str) -> EvaluationPlan:
        """Compile cards with the packs that are named, that the cards change and that bring metrics; once per `key`."""
        used = sorted({name for each in cards for name in self._used(each.document, named)})
        place = (key, *used)
        if place not in self._plans:
            packs: list[Authored[Pack]] = [self.packs[name] for name in used]
            self._plans[place] = replace(evaluation_plan(cards, packs, self._memory), runbooks=self.runbooks)
        return self._plans[place]

    def _used(self, card: Card, named: frozenset[str]) -> set[str]:
        changed = {each.rule.partition("/")[0] for each in card.rules if "/" in each.rule}
        changed |= {each.partition("/")[0] for each in card.parameters}
        bringing = {name for name, each in self.packs.items() if each.document.metrics}
        return (changed | named | bringing) & set(self.packs)


def library(root: Path | None, runbooks: Path = RUNBOOKS) -> Library:
    """Load a directory of policies with the runbooks beside it, and of the package what these do not bring."""
    near = (
        [each for each in beside([root], runbooks) if each.is_dir() and not is_shipped(each)]
        if root is not None
        else []
    )
    loaded = load([root, *near], KINDS) if root is not None and root.exists() else None
    found = loaded.loaded if loaded is not None else ()
    own = _of_kind(found, Pack)
    standard = _of_kind(load([shipped("policies") / "packs"], KINDS).loaded, Pack)
    packs = {each.document.pack: each for each in [*standard, *own]}
    cards = {each.document.model: each for each in _of_kind(found, Card)}
    mine = {each.document.runbook: each for each in _of_kind(found, Runbook)}
    procedures = {each.document.runbook: each for each in _of_kind(shipped_runbooks(mine), Runbook)} | mine
    organisation = next((each.document for each in _of_kind(found, Organisation)), Organisation())
    return Library(cards, packs, procedures, organisation, loaded.problems if loaded is not None else ())


def key_of(data: Mapping[str, Any]) -> str:
    """Return a text that tells a card from others."""
    return json.dumps(data, sort_keys=True, default=str)


def _of_kind(found: Sequence[Loaded[BaseModel]], kind: type[D]) -> list[Loaded[D]]:
    return [Loaded(each.document, each.source) for each in found if isinstance(each.document, kind)]
