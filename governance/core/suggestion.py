"""Guess what an author meant to write."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 100  # nobody mistypes a longer name, and the comparison is quadratic


def closest(word: str, candidates: Iterable[str]) -> str:
    """Return "did you mean 'x'?" for the candidate nearest to the word, or "" when none is near."""
    found = nearest(word, candidates)
    return f"did you mean '{found}'?" if found else ""


def nearest(word: str, candidates: Iterable[str]) -> str:
    """Return the candidate nearest to the word, or ""; case, hyphens and underscores count for nothing."""
    if len(word) > _LONGEST:
        return ""
    plain = {_plain(each): each for each in sorted(candidates, reverse=True) if len(each) <= _LONGEST}
    found = get_close_matches(_plain(word), plain, n=1, cutoff=0.6)
    return plain[found[0]] if found else ""


def _plain(word: str) -> str:
    return word.lower().replace("-", "_").replace(" ", "_")
