"""Check what cards depend on: no model may rest on itself, and a slip in a model's name is found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from governance.core.authored import Authored
from governance.core.card import Card
from governance.core.lineage import Lineage, lineage_of
from governance.core.placed import placed, unknown
from governance.core.problem import Problem
from governance.core.suggestion import nearest

_SHORTEST = 4  # of shorter names another letter makes another name


def lineage_problems(cards: Sequence[Authored[Card]]) -> Iterator[Problem]:
    """Check the lineage of all cards."""
    lineage = lineage_of(card.document for card in cards)
    models = {card.document.model for card in cards}
    for card in cards:
        data = card.document.data
        for index, name in enumerate(data.depends_on if data is not None else ()):
            path = ("data", "depends_on", index)
            if name not in models:
                if _slip(name, models):
                    yield unknown(card, path, "model", name, models)
                continue
            circle = _circle(card.document.model, name, lineage)
            if circle:
                message = f"'{card.document.model}' would rest on itself: {' → '.join(circle)}"
                yield placed(card, path, "lineage-circle", message)


def _circle(model: str, upstream: str, lineage: Lineage) -> tuple[str, ...]:
    if model == upstream:
        return (model, model)
    way = lineage.way(upstream, model)
    return (model, *way) if way else ()


def _slip(name: str, models: Collection[str]) -> bool:
    """Tell whether a name is a model's but for one letter; but for an s at its end it is the data of that model."""
    found = nearest(name, models)
    short, long = sorted((name, found), key=len)
    if len(short) < _SHORTEST or long == f"{short}s":
        return False
    same = next((i for i, (one, other) in enumerate(zip(short, long, strict=False)) if one != other), len(short))
    if len(short) == len(long):
        swapped = short[same : same + 2] == long[same : same + 2][::-1] and short[same + 2 :] == long[same + 2 :]
        return swapped or short[same + 1 :] == long[same + 1 :]
    return short[same:] == long[same + 1 :]
