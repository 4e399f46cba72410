"""What can be chosen by its words: how well it fits them, and how it is written; nothing here asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual.content import Content
from textual.style import Style

from tui.text import safe


class Offer(NamedTuple):
    """What can be chosen: how it is written, what it is, what choosing it does, and why it does nothing now.

    `also` are words that it is found by beside those it is written with; `first` is what stands before others.
    """

    text: str
    about: str
    do: Callable[[], object]
    off: str = ""
    also: str = ""
    first: bool = False


def score(offer: Offer, words: Sequence[str]) -> float:
    """Return how well an offer has all words, 0 where it lacks one; at the beginning of a word they count double."""
    text, more = offer.text.lower(), f"{offer.about} {offer.also}".lower()
    total = 0.0
    for word in words:
        at = text.find(word)
        if at < 0 and word not in more:
            return 0.0
        total += 0.5 if at < 0 else 2.0 if at == 0 or not text[at - 1].isalnum() else 1.0
    whole = " ".join(words)
    total = total / max(len(words), 1) + len(whole) / (len(whole) + len(text))
    return max(total + 3.0 * (text == whole) + 0.5 * offer.first - 1.5 * bool(offer.off), 0.01)


def shown(offer: Offer, words: Sequence[str] = (), mark: Style | None = None, *, about: bool = False) -> Content:
    """Return an offer as it is written, with the words marked; or what it is `about`, or else why it is off."""
    if about:
        return Content(f"off: {_line(offer.off)}" if offer.off else _line(offer.about))
    content = Content.from_markup(f"[$muted]✗ {safe(offer.text)}[/]" if offer.off else safe(offer.text))
    plain = content.plain.lower()
    for word in words if mark is not None else ():
        at = plain.find(word)
        if at >= 0 and mark is not None:
            content = content.stylize(mark, at, at + len(word))
    return content


def _line(text: str) -> str:
    return Content.from_markup(safe(text)).plain
