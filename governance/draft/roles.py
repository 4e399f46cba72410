"""Guess which column of a prediction log plays which role, by its name and by what it holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from governance.core.card import Columns
from governance.core.suggestion import closest
from governance.draft.sample import Column
from governance.errors import InvalidDocument

_UNIQUE = 0.95
"""An estimate of distinct values is off by a few per cent."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role: names that mean it, first the surest; and whether a column can be read as one."""

    name: str
    names: tuple[str, ...]
    fits: Callable[[Column], bool]


def _time(column: Column) -> bool:
    return column.kind == "time" or (column.kind == "text" and column.times > 0.99)


def _number(column: Column) -> bool:
    return column.kind == "number"


def _truth(column: Column) -> bool:
    return column.kind == "boolean" or column.binary


def _measured(column: Column) -> bool:
    return column.kind in {"number", "boolean"}


def _name(column: Column) -> bool:
    return column.kind in {"text", "number"} and column.distinct <= max(50, column.rows // 100)


def _key(column: Column) -> bool:
    return column.kind in {"text", "number"} and column.distinct >= _UNIQUE * column.present > 0


ROLES: tuple[Role, ...] = (
    Role("feature_time", (r"features?_(time|at|ts|timestamp)", r"features?_as_of", r"as_of"), _time),
    Role(
        "label_time",
        (
            r"(label|truth|outcome|target|actual|feedback|ground_truth)s?_(time|at|ts|date|timestamp|known)",
            r"(labell?ed|landed|arrived|resolved|settled|closed|completed|confirmed|observed|returned|known|paid)_?(at|on|time)",
        ),
        _time,
    ),
    Role(
        "time",
        (
            r"(scored|predicted|served|inferred)_(at|on)",
            r"(prediction|predict|scoring|inference|score)_(time|ts|timestamp|date)",
            r"time|ts|at|timestamp|datetime|event_(time|ts|timestamp|at)",
            r"(request|requested|created|logged|received)_?(time|at|ts|timestamp|on)",
            r"time_hour|date|ds|day",
            r".*_(at|time|ts|timestamp|date|datetime|on)",
        ),
        _time,
    ),
    Role(
        "request",
        (r"(request|prediction|inference|call|trace)_?(id|uuid|key)?", r"id|uuid|guid", r".*_(id|uuid)"),
        _key,
    ),
    Role("version", (r"model_?version", r"version|release|model_?tag", r".*_version"), _name),
    Role(
        "latency",
        (
            r"latency(_s|_secs?|_seconds)?",
            r"(response|inference)_(seconds|time_s)",
            r"elapsed(_s|_seconds)?",
        ),
        _number,
    ),
    Role("cost", (r"cost(_usd|_eur|_gbp)?", r"(prediction|inference|request|call|total)_cost(_usd|_eur)?"), _number),
    Role("error", (r"error|is_error|failed|has_error|errored",), _truth),
    Role("fallback", (r"(is_|used_|was_)?fallback",), _truth),
    Role("override", (r"(is_|was_)?overrid(e|den)",), _truth),
    Role(
        "label",
        (
            r"label|true_?label|ground_?truth|truth",
            r"y|y_?true|target|actual|outcome|observed|gold",
            r"(was|did|is_true|actually)_\w+|actual_\w+|\w+_(label|actual|truth|outcome)",
        ),
        _measured,
    ),
    Role(
        "score",
        (
            r"score|p|prob|proba|probability|y_?(score|prob|proba)",
            r"p_\w+|\w+_(score|prob|proba|probability)|(score|prob|proba|probability)_\w+|predict(ed|ion)?_(score|prob|proba|probability|value)",
            r"y_?(hat|pred)|prediction|pred|predicted|forecast|estimate|predicted_\w+|\w+_(pred|prediction|forecast)",
        ),
        _number,
    ),
    Role(
        "decision",
        (
            r"decision|decided|flagged|positive|predicted_(class|label)|y_?pred",
            r"\w+_decision|approved|rejected|accepted|prediction|predicted",
        ),
        _truth,
    ),
)


def roles(columns: Sequence[Column], given: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each role that can be told; `given` are those that a person named.

    :raises InvalidDocument: a given role or column does not exist, or a column cannot be read as its role
    """
    by_name = {each.name: each for each in columns}
    found = {role: _given(role, name, by_name) for role, name in given.items()}
    for role in ROLES:
        if role.name not in found:
            taken = set(found.values())
            best = _best(role, [each for each in columns if each.name not in taken and each.present])
            if best is not None:
                found[role.name] = best.name
    if "time" not in found:
        times = [each for each in columns if _time(each) and each.name not in found.values()]
        if len(times) == 1:
            found["time"] = times[0].name
    return {role: found[role] for role in Columns.model_fields if role in found}


def times(columns: Iterable[Column]) -> list[str]:
    """Return the columns that hold times."""
    return [each.name for each in columns if _time(each)]


def snake(name: str) -> str:
    """Return a name in lower case with underscores: `modelVersion` and `Model Version` are `model_version`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^\w]+", "_", name)
    return apart.lower().strip("_")


def _best(role: Role, columns: Sequence[Column]) -> Column | None:
    for pattern in role.names:
        for each in columns:
            if re.fullmatch(pattern, snake(each.name)) and role.fits(each):
                return each
    return None


def _given(role: str, name: str, by_name: Mapping[str, Column]) -> str:
    known = [each.name for each in ROLES]
    if role not in known:
        raise InvalidDocument(f"no role '{role}' of a column; {closest(role, known) or 'known: ' + ', '.join(known)}")
    if name not in by_name:
        listed = f"columns there: {', '.join(list(by_name)[:20])}"
        raise InvalidDocument(f"no column '{name}'; {closest(name, by_name) or listed}")
    column = by_name[name]
    if not next(each for each in ROLES if each.name == role).fits(column):
        raise InvalidDocument(f"the column '{name}' cannot be the {role}: {_why(role, column)}")
    return name


def _why(role: str, column: Column) -> str:
    wanted = {
        "time": "write times as timestamps, or texts such as 2026-01-05T10:00:00Z",
        "label": "write labels as numbers or truth values, a yes as 1",
        "decision": "write decisions as truth values, or 0 and 1",
        "request": "its values are not different from each other",
    }
    kinds = {"number": "numbers", "boolean": "truth values", "text": "text", "time": "times", "other": "nested values"}
    holds = f"it holds {kinds[column.kind]}"
    if column.kind == "number" and role in {"error", "fallback", "override", "decision"}:
        holds = f"it holds numbers from {column.low:g} to {column.high:g}" if column.low is not None else "it is empty"
    hint = wanted.get(role, wanted["time"] if "time" in role else "")
    return f"{holds}; {hint}".rstrip("; ")
