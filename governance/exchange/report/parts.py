"""What a report is made of, written as HTML or as Markdown; texts are plain, and escaped by who writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from governance.core.control import Budget, Cited, State
from governance.core.duration import in_words

Tone = Literal["bad", "unknown", "good", "quiet"]
TONES: dict[State, Tone] = {"not met": "bad", "no evidence": "unknown", "met": "good", "not applicable": "quiet"}
MARKS: dict[Tone, str] = {"bad": "✗", "unknown": "?", "good": "✓", "quiet": "–"}
"""A state is told by a sign and a word, never by its colour alone."""
_CURRENT = timedelta(minutes=2)
"""What is younger is as good as of now."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A word with a sign and a colour."""

    tone: Tone
    word: str


@dataclass(frozen=True, slots=True)
class Entries:
    """Numbers of entries of the decision log, which lead to their digests."""

    cited: tuple[Cited, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """The name of a model, which leads to what is told of it."""

    name: str


@dataclass(frozen=True, slots=True)
class Code:
    """A text to be read letter by letter: a command, a digest, an expression."""

    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """What a row is about."""

    text: str


@dataclass(frozen=True, slots=True)
class Aside:
    """A text that may be passed over, such as when a number is of."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """An address outside, to be followed by hand only."""

    address: str


@dataclass(frozen=True, slots=True)
class Seq:
    """The number of an entry where its digest stands."""

    seq: int


Part: TypeAlias = "str | Mark | Entries | Model | Code | Name | Aside | Link | Seq"
Cell: TypeAlias = "str | tuple[Part, ...]"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below a head; `empty` is said of no rows."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with what is known of them; those of which nothing is known are left out by who makes them."""

    rows: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence; one that is `loud` must not be passed over."""

    said: Cell
    loud: bool = False


@dataclass(frozen=True, slots=True)
class Tiles:
    """Numbers at a glance: how many, of what, and the tone of it."""

    rows: tuple[tuple[str, str, Tone], ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """An error budget over its window."""

    budget: Budget
    at: datetime


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report with a title; `fold`: it is closed until somebody opens it, its summary beside the title."""

    title: str
    blocks: tuple[Block, ...]
    anchor: str = ""
    fold: bool = False
    summary: tuple[Part, ...] = ()


Block: TypeAlias = "Table | Facts | Note | Tiles | Plot | Section"


@dataclass(frozen=True, slots=True)
class Document:
    """The whole report."""

    title: str
    lead: Cell
    blocks: tuple[Block, ...]


def state(found: State) -> Mark:
    """Return a state as it is shown."""
    return Mark(TONES[found], found)


def entries(cited: Iterable[Cited | None]) -> Entries:
    """Return entries to be cited; what is not sealed is left out."""
    return Entries(tuple(each for each in cited if each is not None))


def stamp(at: datetime) -> str:
    """Return an instant in UTC."""
    return f"{at:%Y-%m-%d %H:%M}Z"


def since(time: datetime | None, at: datetime) -> Aside:
    """Return of when something is, and how old that is as of `at`."""
    if time is None:
        return Aside("of an unknown time")
    return Aside(f"{stamp(time)}, {age(at - time)}")


def age(passed: timedelta) -> str:
    """Return how old something is, in its two largest units; what is of the last two minutes is current."""
    return f"{in_words(passed)} old" if passed >= _CURRENT else "current"
