"""The condition of a rule with the parts that are true now highlighted, and the values in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from governance.views import RuleView, TermView
from tui.known import number
from tui.text import HANG, safe


def condition(when: str, judged: RuleView | None) -> Iterator[str]:
    """Yield a condition as lines of markup; what is true in it, and so is why the rule fails, is marked ✗ and bold."""
    text = " ".join(when.split())
    terms = _of(text, judged)
    yield f"[$muted]when[/] {HANG}{_marked(text, terms)}"
    for term in terms:
        mark = "[b $error]✗[/]" if term.true else "[$muted]·[/]" if term.true is False else "[$warning]?[/]"
        line = safe(term.line or term.text)
        yield f"  {mark} {f'[b]{line}[/]' if term.true else f'[$muted]{line}[/]'}"
        for item in term.items:
            inner = "  ".join(safe(each.line or each.text) for each in item.terms)
            yield f"      [$error]{safe(item.item)}[/] [$muted]{inner}[/]"


def violated(when: str, judged: RuleView | None, known: Mapping[str, float | None]) -> Iterator[str]:
    """Yield a condition with what is true in it highlighted, and in a line the values of that, or the `known` ones."""
    text = " ".join(when.split())
    terms = [term for term in _of(text, judged) if term.true]
    yield f"[$muted]when[/] {HANG}{_marked(text, terms)}"
    items = [f"[b]{safe(each.item)}[/]" for term in terms for each in term.items]
    said = [safe(each.line or each.text) for each in terms if not each.items]
    shown = "   ".join([*said, *items[:_ITEMS]]) + (f" +{len(items) - _ITEMS}" if len(items) > _ITEMS else "")
    if shown or known:
        yield f"[b $error]✗[/] {HANG}{shown or values(known)}"


def _of(text: str, judged: RuleView | None) -> list[TermView]:
    """Return the parts of a condition as judged, without those of the rule's other severities."""
    terms = list(judged.terms) if judged is not None else []
    return [term for term in terms if _place(text, " ".join(term.text.split()))] or terms


_ITEMS = 3
"""Items such as features that are named where there is little room."""


def values(found: Mapping[str, float | None]) -> str:
    """Return values by name, as markup."""
    return "  ".join(f"{safe(name.removeprefix('metrics.'))} [b]{number(value)}[/]" for name, value in found.items())


def _marked(text: str, terms: list[TermView]) -> str:
    """Return the text with its true parts highlighted; a part that is not found in it is left as it is."""
    spans = sorted(place for term in terms if term.true and (place := _place(text, " ".join(term.text.split()))))
    parts, at = [], 0
    for start, end in spans:
        if start >= at:
            parts += [_plain(text[at:start]), f"[b $error]{safe(text[start:end])}[/]"]
            at = end
    return "".join([*parts, _plain(text[at:])])


def _place(text: str, term: str) -> tuple[int, int] | None:
    """Return where a part stands in the text; one that a ! before a bracket turns round stands there without it."""
    inner = term.removeprefix("!(").removesuffix(")") if term.startswith("!(") else term
    return next(((text.index(each), text.index(each) + len(each)) for each in (term, inner) if each in text), None)


def _plain(text: str) -> str:
    return re.sub(r"(&amp;&amp;|&&|\|\|)", r"[$muted]\1[/]", safe(text))
