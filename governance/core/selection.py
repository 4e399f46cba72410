"""Which models an act on several is about: those named, all of them, or those whose cards fit what is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from governance.core.card import Card
from governance.core.lineage import Lineage
from governance.core.metric import Labels
from governance.core.suggestion import closest
from governance.errors import InvalidDocument, NotFound

OWN = ("team", "tier", "depends_on")
"""What `where` may name beside the labels of cards."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Models by their names, or those that fit all of `where`, or `everything`; one of the three.

    `where` has `team`, `tier`, `depends_on` (the models that rest on one, or on data of that name, also through
    others), and labels of cards.
    """

    models: tuple[str, ...] = ()
    where: Labels = ()
    everything: bool = False

    def __str__(self) -> str:
        """Return it in words."""
        if self.everything:
            return "all models"
        return ", ".join(f"{name}={value}" for name, value in self.where) or ", ".join(self.models)


def selected(cards: Sequence[Card], lineage: Lineage, selection: Selection) -> tuple[str, ...]:
    """Return the models of a selection among these, those of tier 1 first.

    :raises InvalidDocument: when it says nothing, or two things.
    :raises NotFound: for a name that no card has, and when none fits, with what might be meant.
    """
    said = [bool(selection.models), bool(selection.where), selection.everything]
    if sum(said) != 1:
        raise InvalidDocument("say which models: names, or `where` (such as team=fraud), or all; one of the three")
    if selection.models:
        found = _named(cards, selection.models)
    else:
        tests = [_test(name, value, cards, lineage) for name, value in selection.where]
        found = [each for each in cards if all(test(each) for test in tests)]
    if not found:
        raise NotFound(_none(cards, selection))
    return tuple(each.model for each in sorted(found, key=lambda each: (each.tier, each.model)))


def _named(cards: Sequence[Card], models: Iterable[str]) -> list[Card]:
    known = {each.model: each for each in cards}
    wanted = tuple(dict.fromkeys(models))
    missing = [each for each in wanted if each not in known]
    if missing:
        hints = [f"'{each}'" + (f" ({hint})" if (hint := closest(each, known)) else "") for each in missing]
        raise NotFound(f"no card declares {', '.join(hints)}")
    return [known[each] for each in wanted]


def _test(name: str, value: str, cards: Sequence[Card], lineage: Lineage) -> Callable[[Card], bool]:
    if name == "team":
        return lambda card: card.owners.team == value
    if name == "tier":
        return lambda card: str(card.tier) == value
    if name == "depends_on":
        resting = _resting(value, cards, lineage)
        return lambda card: card.model in resting
    return lambda card: card.labels.get(name) == value


def _resting(on: str, cards: Sequence[Card], lineage: Lineage) -> frozenset[str]:
    """Return the models that rest on a model, or on data that cards name, directly or through others."""
    near = [each.model for each in cards if each.data is not None and on in each.data.depends_on]
    return frozenset(near).union(*(lineage.below(each) for each in near))


def _none(cards: Sequence[Card], selection: Selection) -> str:
    for name, value in selection.where:
        known = _values(name, cards)
        if not known:
            names = sorted({*OWN, *(each for card in cards for each in card.labels)})
            return f"no card has a label {name}; where may name {', '.join(names)}"
        if value not in known:
            return f"no model has {name}={value}; {closest(value, known) or _some(known)}"
    return f"no model fits {selection}" if selection.where else "there is no model"


def _values(name: str, cards: Sequence[Card]) -> set[str]:
    if name == "team":
        return {each.owners.team for each in cards}
    if name == "tier":
        return {str(each.tier) for each in cards}
    if name == "depends_on":
        return {on for each in cards if each.data is not None for on in each.data.depends_on}
    return {each.labels[name] for each in cards if name in each.labels}


def _some(known: Iterable[str]) -> str:
    names = sorted(known)
    return f"there are {', '.join(names[:8])}{' …' if len(names) > 8 else ''}"
