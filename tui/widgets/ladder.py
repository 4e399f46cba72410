"""The escalation of an incident as a ladder: who was told and answered, who is next in how long, who is later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from textual.content import Content

from governance.views import EscalationView, IncidentView, LevelView, ReachView
from tui.known import span
from tui.text import HANG, head, safe

WIDTH = 46
_STATES = {"stopped": "stopped", "handed_over": "another system escalates"}
_NAMES = 3
"""Names of one level that are shown where it is a part of a line."""


def ladder(incident: IncidentView, at: datetime, width: int = WIDTH, *, whole: bool = False) -> Iterator[str]:
    """Yield the levels: ✓ told, ▶ next with the time left, ○ later; and a line that fills until the next is told.

    `whole` says of each level in lines of its own whom it reached and how long that took.
    """
    clock = incident.escalation
    if clock is None:
        return
    again = f" [$muted]round {clock.loop + 1} of {clock.loops + 1}[/]" if clock.loop else ""
    yield f"{head(f'Escalation · {safe(clock.policy)}')}{again}"
    if whole and clock.levels:
        for level in clock.levels:
            yield from _lines(level, clock, at)
        yield from (each for each in (_withheld(clock, at),) if each)
    else:
        parts = [_brief(each, clock, at) for each in clock.levels if each.state != "passed"] or _coarse(clock, at)
        yield from _joined([*parts, _withheld(clock, at) if clock.levels else ""], width)
        yield from _unheard(clock.levels)
    if clock.next_at is not None and clock.since is not None and not clock.waits_for:
        yield _bar(clock.since, clock.next_at, at, width)


def _coarse(clock: EscalationView, at: datetime) -> list[str]:
    """Return what is known of an escalation whose levels have not been asked for."""
    told = f"[$success]✓ L{clock.level}[/] {safe(', '.join(clock.told)) or 'notifiers'} [$muted]told[/]"
    rest = range(clock.level + 2, clock.last_level + 1) if clock.next_at is not None else ()
    later = (f"[$muted]○ L{level}[/]" for level in rest)
    number = clock.level % clock.last_level + 1
    comes = "" if _rests(clock) else _next(f"L{number}", safe(", ".join(clock.next_to)), clock, at)
    return [told if clock.level else "", comes or _withheld(clock, at), *later]


def _brief(level: LevelView, clock: EscalationView, at: datetime) -> str:
    """Return a level as a part of a line."""
    name = "fallback" if level.fallback else f"L{level.level}"
    if level.state == "next":
        return _next(name, _names(level.who), clock, at)
    if level.state == "later":
        return f"[$muted]○ {name} {_names(level.who) or 'nobody is there'}[/]"
    if level.answered_by:
        return f"[$success]✓ {name}[/] {safe(level.answered_by)} [$muted]acked {_after(level)}[/]"
    told = [each.who for each in level.reached if each.state == "told"]
    if told:
        return f"[$success]✓ {name}[/] {_names(told)} [$muted]told[/]"
    if any(each.state == "waits" for each in level.reached):
        return f"[$warning]… {name} {_names([each.who for each in level.reached])} not reached yet[/]"
    return f"[b $error]✗ {name} nobody was told[/]"


def _next(name: str, who: str, clock: EscalationView, at: datetime) -> str:
    if clock.waits_for:
        return f"[b $warning]▶ {name} {who}[/]"
    left = f"in {countdown(clock.next_at, at)}" if clock.next_at is not None and clock.next_at > at else "now"
    return f"[b $warning]▶ {name} {who or '[b $error]nobody is there[/]'} {left}[/]"


def _rests(clock: EscalationView) -> bool:
    return clock.next_at is None or bool(clock.waits_for)


def _withheld(clock: EscalationView, at: datetime) -> str:
    """Return why nobody is told next, "" where somebody is."""
    if clock.waits_for:
        return f"[$warning]waits: {safe(clock.waits_for)}[/]"
    if clock.next_at is not None:
        return ""
    if clock.comes_back_at is not None:
        return f"[$muted]comes back in {span(at, max(at, clock.comes_back_at))} unless worked on[/]"
    if any(each.answered_by for each in clock.levels):
        return ""  # it has stopped because of that
    return f"[$muted]{_STATES.get(clock.state, 'everybody was told')}[/]"


def _unheard(levels: Iterable[LevelView]) -> Iterator[str]:
    """Yield who could not be told and why, each reason once."""
    why: dict[str, dict[str, None]] = {}
    for each in (one for level in levels for one in level.reached if one.state == "failed"):
        why.setdefault(each.why, {})[each.who] = None
    for said, names in why.items():
        yield f"  [$error]✗ {HANG}{_names(list(names))}: {safe(said)}[/]"


def _lines(level: LevelView, clock: EscalationView, at: datetime) -> Iterator[str]:
    """Yield a level in lines of its own."""
    meant = f"[$muted]({safe(', '.join(level.to))})[/]"
    if level.state == "passed":
        yield f"[$muted]– L{level.level} {HANG}{safe(', '.join(level.to))}: not for this severity[/]"
        return
    if level.told_at is None or level.state == "next":
        holes = f" [$error]nobody is there: {safe(', '.join(level.holes))}[/]" if level.holes and level.who else ""
        yield f"{_brief(level, clock, at)} {meant}{holes}"
        return
    reached = any(each.state == "told" for each in level.reached)
    mark = "[$success]✓[/]" if reached or level.answered_by else "[b $error]✗[/]"
    name = "fallback" if level.fallback else f"L{level.level}"
    yield f"{mark} {name} {HANG}[$muted]{level.told_at:%H:%M:%S}[/] {', '.join(map(_reach, level.reached))} {meant}"
    if level.answered_by:
        yield f"     [$success]✓[/] {HANG}[b]{safe(level.answered_by)}[/] acknowledged {_after(level)}"


def _reach(reach: ReachView) -> str:
    who, why = safe(reach.who), f": {safe(reach.why)}" if reach.why else ""
    if reach.state == "told":
        return f"[b]{who}[/] told"
    return f"[$warning]{who} not reached yet{why}[/]" if reach.state == "waits" else f"[$error]✗ {who}{why}[/]"


def _after(level: LevelView) -> str:
    return f"in {span(level.told_at, level.answered_at)}" if level.told_at and level.answered_at else ""


def _names(who: list[str]) -> str:
    return safe(", ".join(who[:_NAMES])) + (f" +{len(who) - _NAMES}" if len(who) > _NAMES else "")


def _joined(parts: Iterable[str], width: int) -> Iterator[str]:
    """Yield parts side by side, in as many lines as they need; none is broken unless it is longer than a line."""
    line, used = "", 0
    for part in filter(None, parts):
        cells = Content.from_markup(part).cell_length
        if line and used + 3 + cells > width:
            yield line
            line, used = "", 0
        line, used = (f"{line}   {part}", used + 3 + cells) if line else (part, cells)
    if line:
        yield line


def _bar(since: datetime, until: datetime, at: datetime, width: int) -> str:
    """Return how much of the time until the next level has passed."""
    whole = max((until - since).total_seconds(), 1.0)
    gone = round(width * min(max((at - since).total_seconds() / whole, 0.0), 1.0))
    return f"[$warning]{'━' * gone}[/][$border]{'─' * (width - gone)}[/]"


def countdown(until: datetime, at: datetime) -> str:
    """Return the time left as a clock that counts down: 06:12, 1:02:03."""
    seconds = max(int((until - at).total_seconds()), 0)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60:02}:{rest % 60:02}"
