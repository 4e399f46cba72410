"""Write values as YAML that every reader understands alike: flow maps in a card, blocks where they grow long."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from governance.core.duration import format_duration

WIDTH = 120
_NAME = re.compile(r"[A-Za-z_][\w./@-]*(?: [\w./@-]+)*", re.ASCII)
_EXPRESSION = re.compile(r"[A-Za-z_][\w ./@()<>=+*%$&|?!'\"-]*[\w)'\"]", re.ASCII)
_DURATION = re.compile(r"(?:\d{1,6}(?:ms|[smhdwy]))+")
_OTHERS_READ = re.compile(r"(?i:true|false|null|yes|no|on|off|y|n|~|inf|nan)")
"""Words that YAML of one version or another takes for something else than a text."""


def scalar(value: object) -> str:
    """Return a value for any place, also inside a flow map; a text is quoted unless it is surely one without."""
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, timedelta):
        return format_duration(value)
    text = str(value)
    plain = _NAME.fullmatch(text) and not _OTHERS_READ.fullmatch(text)
    return text if plain or _DURATION.fullmatch(text) else _quoted(text)


def flow(value: object) -> str:
    """Return a value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow(each) for each in value) + "]"
    return scalar(value)


def block(values: Mapping[str, object], indent: int = 0) -> Iterator[str]:
    """Yield the lines of a map, each value on a line of its own where it fits."""
    for key, value in values.items():
        yield from _entry(f"{' ' * indent}{scalar(key)}:", value, indent + 2)


def _entry(head: str, value: object, indent: int) -> Iterator[str]:
    whole = f"{head} {_leaf(value)}"
    if not isinstance(value, Mapping | list | tuple) or not value or (len(whole) <= WIDTH and not _deep(value)):
        yield whole
    elif isinstance(value, Mapping):
        yield head
        yield from block(value, indent)
    else:
        yield head
        for each in value:
            yield from _item(each, indent)


def _item(value: object, indent: int) -> Iterator[str]:
    lead = " " * indent + "- "
    if not isinstance(value, Mapping) or len(lead) + len(flow(value)) <= WIDTH:
        yield lead + _leaf(value)
        return
    lines = list(block(value, indent + 2))
    yield lead + lines[0][indent + 2 :]
    yield from lines[1:]


def _leaf(value: object) -> str:
    if isinstance(value, str) and _EXPRESSION.fullmatch(value) and not _OTHERS_READ.fullmatch(value):
        return value
    return flow(value)


def _deep(value: object) -> bool:
    """Tell whether a value holds maps of maps, which nobody reads on one line."""
    inside = list(value.values()) if isinstance(value, Mapping) else list(value) if isinstance(value, list) else []
    return any(isinstance(each, Mapping) and (isinstance(value, list) or len(each) > 1) for each in inside)


def _quoted(text: str) -> str:
    """Return a text in quotes, single ones around double ones; what no editor shows is escaped."""
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    written = json.dumps(text, ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in written)
