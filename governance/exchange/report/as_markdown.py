"""The report in Markdown: the same words, with tables as GitHub's Markdown has them; budgets are numbers only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from governance.core.problem import printable
from governance.exchange.export import markdown
from governance.exchange.report.parts import (
    MARKS,
    Aside,
    Block,
    Cell,
    Code,
    Document,
    Entries,
    Facts,
    Link,
    Mark,
    Model,
    Name,
    Note,
    Part,
    Plot,
    Section,
    Seq,
    Table,
    Tiles,
)

_DEEPEST = 6


def as_markdown(document: Document) -> str:
    """Return the report as a Markdown page."""
    lines = [f"# {text(document.title)}", "", _cell(document.lead), ""]
    for each in document.blocks:
        lines += _block(each, 2)
    return "\n".join(lines).rstrip() + "\n"


def text(value: object) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return markdown.text(printable(" ".join(str(value).split())))


def code(value: str) -> str:
    """Return a text as code."""
    return markdown.code(printable(" ".join(value.split())))


def _part(part: Part) -> str:
    if isinstance(part, str):
        if not part.strip():
            return part
        lead, trail = " " * part.startswith(" "), " " * part.endswith(" ")
        return f"{lead}{text(part)}{trail}"
    return _PARTS[type(part)](part)


_PARTS: dict[type, Callable[[Any], str]] = {
    Mark: lambda it: f"{MARKS[it.tone]} {text(it.word)}",
    Entries: lambda it: ", ".join(str(each.seq) for each in it.cited),
    Model: lambda it: text(it.name),
    Code: lambda it: code(it.text),
    Name: lambda it: f"**{text(it.text)}**",
    Aside: lambda it: f"{' ' * it.text.startswith(' ')}({text(it.text.strip(' ·'))})",
    Link: lambda it: f"<{it.address}>",
    Seq: lambda it: str(it.seq),
}


def _cell(cell: Cell) -> str:
    return text(cell) if isinstance(cell, str) else "".join(map(_part, cell)).strip()


def _block(block: Block, level: int) -> Iterator[str]:
    if isinstance(block, Section):
        yield from _section(block, level)
        return
    lines = _BLOCKS[type(block)](block)
    if lines:
        yield from (*lines, "")


_BLOCKS: dict[type, Callable[[Any], list[str]]] = {
    Note: lambda it: [f"**{_cell(it.said)}**" if it.loud else _cell(it.said)],
    Facts: lambda it: [f"- {text(name)}: {_cell(value)}" for name, value in it.rows],
    Tiles: lambda it: [f"- {text(number)} {text(what)}" for number, what, _ in it.rows],
    Table: lambda it: markdown.table(it.head, [[_cell(each) for each in row] for row in it.rows]) or [text(it.empty)],
    Plot: lambda _: [],
}


def _section(section: Section, level: int) -> Iterator[str]:
    beside = ", ".join(map(_part, section.summary))
    yield f"{'#' * min(level, _DEEPEST)} {text(section.title)}"
    yield ""
    if beside:
        yield from (beside, "")
    for each in section.blocks:
        yield from _block(each, level + 1)
