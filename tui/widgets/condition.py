"""The condition of a rule with the parts that are true now highlighted, and the values in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from governance.views import RuleView, TermView
from tui.known import number
from tui.text import safe


def condition(when: str, judged: RuleView | None) -> Iterator[str]:
    """Yield a condition as lines of markup; what is true in it, and so is why the rule fails, is marked ✗ and bold."""
    text = " ".join(when.split())
    terms = list(judged.terms) if judged is not None else []
    yield f"[$muted]when[/] {_marked(text, terms)}"
    for term in terms:
        mark = "[b $error]✗[/]" if term.true else "[$muted]·[/]" if term.true is False else "[$warning]?[/]"
        line = safe(term.line or term.text)
        yield f"  {mark} {f'[b]{line}[/]' if term.true else f'[$muted]{line}[/]'}"
        for item in term.items:
            inner = "  ".join(safe(each.line or each.text) for each in item.terms)
            yield f"      [$error]{safe(item.item)}[/] [$muted]{inner}[/]"


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
