"""The report as one self-contained page of HTML: no script, nothing that is fetched, no text that is obeyed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from html import escape
from typing import Any

from governance.core.problem import printable
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
from governance.exchange.report.plot import svg
from governance.exchange.report.style import style

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may do for the page, should anything in it ask for more: nothing but its own style."""
_DEEPEST = 4
_LONG = re.compile(r"(\S{40})(?=\S)")
"""What is longer than a word: it may break, so that it makes no table wider than paper."""


def page(document: Document) -> str:
    """Return the page."""
    anchors = [each for each in document.blocks if isinstance(each, Section) and each.anchor]
    links = "".join(f'<a href="#{_id(each.anchor)}">{text(each.title)}</a>' for each in anchors)
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{text(document.title)}</title><style>{style(_named(document.blocks))}</style>"
    )
    body = "".join(_block(each, 2) for each in document.blocks)
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body><main>\n<h1>{text(document.title)}</h1>\n'
        f'<p class="lead">{_cell(document.lead)}</p>\n<nav aria-label="Sections">{links}</nav>\n'
        f"{body}</main></body></html>\n"
    )


def text(value: object) -> str:
    """Return a text as HTML on one line, with what commands a terminal or turns the writing round made visible."""
    shown = printable(" ".join(str(value).split()))
    return escape(_LONG.sub("\\1\0", shown)).replace("\0", "<wbr>")  # no text of others holds a zero byte any more


def _id(anchor: str) -> str:
    return escape("".join(each if each.isalnum() or each in "-._" else "-" for each in anchor))


def _part(part: Part) -> str:
    if isinstance(part, str):
        if not part.strip():
            return part
        lead, trail = " " * part.startswith(" "), " " * part.endswith(" ")
        return f"{lead}{text(part)}{trail}"
    return _PARTS[type(part)](part)


_PARTS: dict[type, Callable[[Any], str]] = {
    Mark: lambda it: f'<span class="mark {it.tone}">{MARKS[it.tone]} {text(it.word)}</span>',
    Entries: lambda it: ", ".join(f'<a href="#e{each.seq}">{each.seq}</a>' for each in it.cited),
    Model: lambda it: f'<a class="model" href="#m-{_id(it.name)}">{text(it.name)}</a>',
    Code: lambda it: f"<code>{text(it.text)}</code>",
    Name: lambda it: f"<b>{text(it.text)}</b>",
    Aside: lambda it: f'{" " * it.text.startswith(" ")}<span class="aside">{text(it.text)}</span>',
    Link: lambda it: f'<a href="{escape(it.address)}" rel="noreferrer">{text(it.address)}</a>',
    Seq: lambda it: f'<span id="e{it.seq}">{it.seq}</span>',
}


def _cell(cell: Cell) -> str:
    return text(cell) if isinstance(cell, str) else "".join(map(_part, cell)).strip()


def _block(block: Block, level: int) -> str:
    if isinstance(block, Section):
        return _section(block, level)
    if isinstance(block, Table):
        return _table(block)
    return _BLOCKS[type(block)](block)


_BLOCKS: dict[type, Callable[[Any], str]] = {
    Note: lambda it: f'<p class="{"loud" if it.loud else "note"}">{_cell(it.said)}</p>\n',
    Facts: lambda it: "<dl>" + "".join(f"<dt>{text(n)}</dt><dd>{_cell(v)}</dd>" for n, v in it.rows) + "</dl>\n",
    Tiles: lambda it: (
        '<ul class="tiles">'
        + "".join(f'<li class="{tone}"><b>{text(n)}</b><span>{text(of)}</span></li>' for n, of, tone in it.rows)
        + "</ul>\n"
    ),
    Plot: lambda it: (
        f"<figure>{svg(it.budget, it.at)}<figcaption>{text(it.budget.slo)}: budget left over its window"
        "</figcaption></figure>\n"
    ),
}


def _section(section: Section, level: int) -> str:
    inner = "".join(_block(each, level + 1) for each in section.blocks)
    named = f' id="{_id(section.anchor)}"' if section.anchor else ""
    if section.fold:  # an address of what is inside opens it, one of the fold itself would not
        beside = " ".join(map(_part, section.summary))
        summary = f"<summary><b>{text(section.title)}</b> {beside}</summary>"
        return f"<details>{summary}\n<div{named}>{inner}</div></details>\n"
    heading = f"h{min(level, _DEEPEST)}"
    return f"<section{named}><{heading}>{text(section.title)}</{heading}>\n{inner}</section>\n"


def _table(table: Table) -> str:
    if not table.rows:
        return f'<p class="note">{text(table.empty)}</p>\n' if table.empty else ""
    head = "".join(f'<th scope="col">{text(each)}</th>' for each in table.head)
    rows = "".join("<tr>" + "".join(f"<td>{_cell(each)}</td>" for each in row) + "</tr>\n" for row in table.rows)
    return (
        f'<div class="scroll"><table class="{_kind(table.head)}"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{rows}</tbody></table></div>\n"
    )


def _kind(head: tuple[str, ...]) -> str:
    """Return the class of tables with this head, by which their cells are named on narrow screens."""
    return "t-" + "-".join(_id(each.lower()) for each in head)


def _named(blocks: Iterable[Block]) -> str:
    """Return the style by which cells bear the names of their columns where a table is too wide for the screen."""
    heads = dict.fromkeys(_heads(blocks))
    return "".join(
        f".{_kind(head)} td:nth-child({at})::before{{content:{json.dumps(name)}}}"
        for head in heads
        for at, name in enumerate(head, start=1)
    )


def _heads(blocks: Iterable[Block]) -> Iterator[tuple[str, ...]]:
    for each in blocks:
        if isinstance(each, Table):
            yield each.head
        elif isinstance(each, Section):
            yield from _heads(each.blocks)
