"""Which of a union's complaints to believe.

A value that fits no member of a union brings the errors of all of them. The author meant one: we keep the errors of the
member that the value comes closest to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from governance.core.suggestion import nearest
from governance.loader.tree import Path

_FORM = ("_type", "int_parsing", "float_parsing", "bool_parsing", "int_from_float", "none_required")


@dataclass(frozen=True, slots=True)
class Fault:
    """One pydantic error with its place in the file's data.

    `labels` are the parts of the location that are no data, each with the number of steps before it.
    """

    kind: str
    text: str
    location: tuple[str | int, ...]
    path: Path
    labels: tuple[tuple[int, str | int], ...]
    value: Any
    context: dict[str, Any]
    also: tuple[str, ...] = ()  # error types of other members of the union, of which any would do


def believed(faults: Sequence[Fault]) -> list[Fault]:
    """Return the faults worth showing, at most one member of each union."""
    return _without_echoes(_believed(list(faults), 0))


def _believed(faults: list[Fault], level: int) -> list[Fault]:
    """Choose among unions whose label is the level-th of a location."""
    kept: list[Fault] = []
    unions: dict[Path, dict[str | int, list[Fault]]] = {}
    for fault in faults:
        if len(fault.labels) <= level:
            kept.append(fault)
        else:
            steps, label = fault.labels[level]
            unions.setdefault(fault.path[:steps], {}).setdefault(label, []).append(fault)
    for path, members in unions.items():
        kept += _chosen([_believed(each, level + 1) for each in members.values()], path)
    return kept


def _chosen(members: list[list[Fault]], path: Path) -> list[Fault]:
    if len(members) == 1:
        return members[0]
    if all(_misses(each, path) for each in members):
        first = members[0][0]
        kinds = tuple(fault.kind for each in members for fault in each)
        return [
            Fault(first.kind, first.text, first.location, first.path, first.labels, first.value, first.context, kinds)
        ]
    return min((each for each in members if not _misses(each, path)), key=_distance)


def _misses(faults: list[Fault], path: Path) -> bool:
    """Say whether a member refuses the form of the value as a whole, such as a map where it wants text."""
    return any(fault.path == path and fault.kind.endswith(_FORM) for fault in faults)


def _distance(faults: list[Fault]) -> tuple[int, int, int]:
    """Return how far a value is from a member: misnamed entries count less than missing or superfluous ones."""
    names = {str(fault.path[-1]) for fault in faults if fault.kind == "extra_forbidden"}
    missing = [str(fault.location[-1]) for fault in faults if fault.kind == "missing"]
    misnamed = sum(1 for each in names if nearest(each, missing))
    return len(names) + len(missing) - 2 * misnamed, len(faults), -max(len(fault.path) for fault in faults)


def _without_echoes(faults: list[Fault]) -> list[Fault]:
    """Drop a missing field whose name stands there misspelt, and all but the first fault of one value."""
    misspelt: dict[Path, list[str]] = {}
    for fault in faults:
        if fault.kind == "extra_forbidden":
            misspelt.setdefault(fault.path[:-1], []).append(str(fault.path[-1]))
    kept: dict[tuple[Path, str], Fault] = {}
    for fault in faults:
        lacks = str(fault.location[-1]) if fault.kind == "missing" else ""
        if not (lacks and any(nearest(each, [lacks]) for each in misspelt.get(fault.path, ()))):
            kept.setdefault((fault.path, lacks), fault)
    return list(kept.values())
