"""Values that a card may omit, because a pack that selects it declares them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from governance.core.authored import Authored, SourceText
from governance.core.card import Card
from governance.core.pack import Pack
from governance.core.placed import placed
from governance.core.problem import Position, Problem

_OWN = ("model", "rules", "metrics", "parameters", "labels")
"""What only a card says of itself, or what a pack says in a place of its own."""


@dataclass(frozen=True, slots=True)
class _Filled:
    """A card with the values of packs in it; positions are those of what its author wrote."""

    document: Card
    source: SourceText


def with_defaults(
    card: Authored[Card], packs: Sequence[Authored[Pack]]
) -> tuple[Authored[Card], dict[tuple[str, ...], Position], list[Problem]]:
    """Return the card with what it omits and packs declare, and where each such value is written.

    What the card says stands; of two packs that declare the same value, the first counts.
    """
    said = card.document.model_dump(exclude_unset=True)
    origins: dict[tuple[str, ...], Position] = {}
    for pack in packs:
        if not list(default_problems(pack)):
            for path in _fill(said, pack.document.defaults):
                origins[path] = pack.source.at(("defaults", *path))
    if not origins:
        return card, {}, []
    try:
        return _Filled(Card.model_validate(said), card.source), origins, []
    except ValidationError as error:
        wrong = error.errors()[0]
        message = f"with the defaults of its packs, {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}"
        return card, {}, [placed(card, ("model",), "wrong-default", message)]


def default_problems(pack: Authored[Pack]) -> Iterator[Problem]:
    """Check the defaults of a pack as a card would be that omits all of them."""
    defaults = pack.document.defaults
    for name in [each for each in _OWN if each in defaults]:
        yield placed(pack, ("defaults", name), "wrong-default", f"`{name}` is each card's to say; it has no default")
    if not defaults or any(each in defaults for each in _OWN):
        return
    whole: dict[str, Any] = {"model": "specimen", "owners": {"team": "specimen"}}
    list(_fill(whole, defaults))
    try:
        Card.model_validate(whole)
    except ValidationError as error:
        for wrong in error.errors():
            path = tuple(each for each in wrong["loc"] if isinstance(each, (str, int)))
            yield placed(pack, ("defaults", *path), "wrong-default", f"{'.'.join(map(str, path))}: {wrong['msg']}")


def _fill(said: dict[str, Any], defaults: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Put into `said` what it lacks, and yield the path of each value put in."""
    for name, value in defaults.items():
        if isinstance(said.get(name), dict) and isinstance(value, dict):
            yield from _fill(said[name], value, (*above, name))
        elif said.get(name) is None:
            said[name] = value
            yield from _leaves(value, (*above, name))


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _leaves(below, (*path, str(name)))
    else:
        yield path
