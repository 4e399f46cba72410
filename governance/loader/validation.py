"""From data to a document: every error of pydantic, at its place in the file and in our words."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from governance.core.problem import Problem
from governance.core.suggestion import closest
from governance.loader import limits, messages, schema
from governance.loader.salvage import salvaged
from governance.loader.source import Source
from governance.loader.tree import Path, Scalar
from governance.loader.unions import Fault, believed

_MOST_ERRORS = 10 * limits.MOST_PROBLEMS  # that are looked at; a hostile file brings hundreds of thousands


def document(source: Source, data: Any, kinds: Map[str, type[BaseModel]]) -> tuple[BaseModel | None, list[Problem]]:
    """Return the document that the data is, or what can be salvaged of it (None: nothing) and what is wrong with it."""
    if not isinstance(data, dict):
        article = "a list" if isinstance(data, list) else "text"
        message = f"a document is a map that starts with 'kind:', not {article}"
        return None, [source.problem(source.at(()), "not-a-map", message)]
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        return None, _kind_problems(source, data, sorted(kinds))
    schema_of_kind = kinds[kind]
    if "kind" not in schema_of_kind.model_fields:
        data = {key: value for key, value in data.items() if key != "kind"}
    return _validated(source, data, schema_of_kind, kind)


def _kind_problems(source: Source, data: dict[str, Any], kinds: Sequence[str]) -> list[Problem]:
    choices = f"one of {', '.join(kinds)}"
    if "kind" not in data:
        return [source.problem(source.first_key(()), "missing-kind", "missing 'kind'", f"write kind: and {choices}")]
    if source.broken(("kind",)):
        return []
    kind = data["kind"]
    suggestion = closest(kind, kinds) if isinstance(kind, str) else ""
    message = f"no kind '{messages.shortened(kind)}'" if kind is not None else "no kind is named"
    return [source.problem(source.at(("kind",)), "unknown-kind", message, suggestion or choices)]


def _validated(
    source: Source, data: dict[str, Any], root: type[BaseModel], kind: str
) -> tuple[BaseModel | None, list[Problem]]:
    try:
        return root.model_validate(data), []
    except ValidationError as error:
        found = error.errors(include_url=False)[:_MOST_ERRORS]
        faults = believed([_fault(data, each) for each in found])
        fresh = [fault for fault in faults if not source.broken(fault.path)]
        return salvaged(data, root, faults), [_problem(source, root, kind, fault) for fault in fresh]


def _fault(data: Any, error: Any) -> Fault:
    location, value, kind = tuple(error["loc"]), error["input"], error["type"]
    parts = location[:-1] if kind == "missing" else location
    path, labels = _placed(data, parts, value)
    return Fault(kind, error["msg"], location, path, labels, value, error.get("ctx", {}))


def _placed(data: Any, parts: tuple[str | int, ...], value: Any) -> tuple[Path, tuple[tuple[int, str | int], ...]]:
    """Tell the parts of a location that are data from the labels of union members.

    A label may by chance be the name of an entry; the way that ends at the very object pydantic was given is right.
    """
    ways = list(_ways(data, parts, ((), ())))
    for path, labels in ways:
        if _walk(data, path) is value:
            return path, labels
    return ways[0]


_Way = tuple[Path, tuple[tuple[int, str | int], ...]]
_MOST_WAYS = 64


def _ways(data: Any, parts: tuple[str | int, ...], way: _Way) -> list[_Way]:
    """Return the ways to read a location, those that use most parts as data first."""
    ways: list[tuple[Any, Path, tuple[tuple[int, str | int], ...]]] = [(data, *way)]
    for part in parts:
        longer: list[tuple[Any, Path, tuple[tuple[int, str | int], ...]]] = []
        for here, path, labels in ways:
            if _holds(here, part):
                longer.append((here[part], (*path, part), labels))
            if not _holds(here, part) or isinstance(part, str):
                longer.append((here, path, (*labels, (len(path), part))))
        ways = longer[:_MOST_WAYS]
    return sorted(((path, labels) for _, path, labels in ways), key=lambda each: -len(each[0]))


def _holds(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value)


def _walk(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def _problem(source: Source, root: type[BaseModel], kind: str, fault: Fault) -> Problem:
    code = messages.code(fault.kind)
    if fault.kind == "missing":
        position = source.first_key(fault.path)
        return source.problem(position, code, f"missing '{fault.location[-1]}'{_within(fault.path)}")
    if fault.kind == "extra_forbidden":
        return _unknown_field(source, root, kind, fault)
    if fault.kind in ("literal_error", "enum", "union_tag_invalid"):
        return _unknown_value(source, root, fault)
    if fault.kind == "union_tag_not_found":
        name = str(fault.context.get("discriminator", "")).strip("'")
        return source.problem(source.first_key(fault.path), code, f"missing '{name}'{_within(fault.path)}")
    position = source.key_at(fault.path) if fault.location[-1:] == ("[key]",) else source.at(fault.path)
    if messages.wanted(fault.kind):
        node = source.node(fault.path)
        written = node.text if isinstance(node, Scalar) else ""
        kinds = fault.also or (fault.kind,)
        return source.problem(position, code, messages.wrong_type(kinds, fault.value, written))
    return source.problem(position, code, messages.plain(fault.kind, fault.context, fault.text))


def _unknown_field(source: Source, root: type[BaseModel], kind: str, fault: Fault) -> Problem:
    name = str(fault.path[-1]) if fault.path else str(fault.location[-1])
    names = schema.fields_at(root, fault.location[:-1])
    message = f"no field '{name}'{_within(fault.path[:-1]) or f' in a {kind}'}"
    suggestion = closest(name, names) or (f"one of {', '.join(names)}" if 0 < len(names) <= 6 else "")
    return source.problem(source.key_at(fault.path), messages.code(fault.kind), message, suggestion)


def _unknown_value(source: Source, root: type[BaseModel], fault: Fault) -> Problem:
    path, value = fault.path, fault.value
    choices = schema.choices_at(root, fault.location)
    if fault.kind == "union_tag_invalid":
        choices = [each.strip().strip("'") for each in str(fault.context.get("expected_tags", "")).split(",")]
        name = str(fault.context.get("discriminator", "")).strip("'")
        value = fault.context.get("tag", "")
        path = (*path, name) if source.node((*path, name)) else path
    shown = f"must be {'one of ' if len(choices) > 1 else ''}{messages.listed(choices)}, not {messages.quoted(value)}"
    return source.problem(source.at(path), "unknown-value", shown, closest(str(value), choices))


def _within(path: Path) -> str:
    """Return " in rules[0].then" for a path, or "" for the document itself."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return f" in {text.lstrip('.')}" if text else ""
