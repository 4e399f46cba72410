"""What is left of the error budgets of a model: a bar, a word, a number, how fast it burns, and how old that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from governance.views.budgets import BudgetView
from tui.known import span
from tui.text import head, safe

CELLS = 20
"""How wide the bar of a budget is."""


def budgets(found: Sequence[BudgetView], at: datetime) -> Iterator[str]:
    """Yield each service level objective, the least that is left first, as of an instant."""
    if not found:
        return
    yield head("Service levels")
    for each in found:
        yield from _budget(each, at)
    yield ""


def _budget(each: BudgetView, at: datetime) -> Iterator[str]:
    bad = bool(each.failing) or (each.unwatched and each.left is not None and each.left <= 0)
    mark = "[$warning]?[/]" if each.left is None else "[b $error]✗[/]" if bad else "[$success]✓[/]"
    objective = f"{each.objective * 100:.6g} % of {each.counts} over {each.window}"
    old = f" · data of {span(each.at, at)} ago" if each.at is not None else ""
    yield f"{mark} [b]{safe(each.slo)}[/]  [$muted]{objective}{old}[/]"
    if each.left is None:
        yield f"  [$warning]not known:[/] {safe(each.why_not)}"
        yield from _unwatched(each)
        return
    lasts = f"  [$muted]lasts[/] {_lasting(each.lasts)}" if each.lasts is not None and each.left > 0 else ""
    failing = f"  [$error]{safe(', '.join(each.failing))}[/]" if each.failing else ""
    yield f"  {left(each.left)}{lasts}{failing}"
    if each.burns:
        yield f"  [$muted]burns[/]  {'  '.join(_burn(one.window, one.rate) for one in each.burns)}"
    yield from _unwatched(each)


def _unwatched(each: BudgetView) -> Iterator[str]:
    if each.unwatched:
        yield "  [$warning]no rule looks at it:[/] nobody is told when it is spent; the rules of the pack slo would"


def left(share: float) -> str:
    """Return a share of a budget as a bar, a number and a word."""
    full = max(0, min(round(share * CELLS), CELLS))
    colour = "$success" if share > 0.5 else "$warning" if share > 0 else "$error"
    said = f"{share:.0%} left" if share > 0 else f"spent {1 - share:,.3g} times over" if share < -1 else "spent"
    said = f"overspent by {-share:.0%}" if -1 <= share < 0 else said
    return f"[{colour}]{'█' * full}[/][$muted]{'░' * (CELLS - full)}[/] [b {colour}]{said}[/]"


def _burn(window: str, rate: float) -> str:
    """Return how fast a budget burns over a window: faster than evenly is marked."""
    said = f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"
    return f"[$muted]{safe(window)}[/] " + (f"[b $warning]{said}×↑[/]" if rate > 1 else f"{said}×")


def _lasting(seconds: float) -> str:
    beginning = datetime.min  # noqa: DTZ901 (a span, no instant)
    return span(beginning, beginning + timedelta(seconds=seconds)) if seconds < 86_400 * 365 else "more than a year"
