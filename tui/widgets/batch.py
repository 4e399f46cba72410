"""Several kill switches as a person sees them before and after an act: the models in a list, and the facts summed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from governance.views.batches import BatchForeseenView, BatchItemView, BatchView, ForeseenView
from tui.known import MODES
from tui.several import Several
from tui.switching import share_of
from tui.text import safe
from tui.widgets.columns import Column
from tui.widgets.pulling import behind, confirmed, ending, flow, some
from tui.widgets.table import Table

_DOES = {
    "pull": ("■ pull", "hot"),
    "unchanged": ("· unchanged", "dim"),
    "refused": ("✗ refused", "warning"),
    "pulled": ("✓ pulled", "none"),
    "left": ("? not yet", "warning"),
}


class Line(NamedTuple):
    """A model in the list; `beside` is its fallback before the act, and who confirmed after it."""

    model: str
    tier: int
    does: str
    said: str
    beside: tuple[str, str]
    note: str


class Models(Table[Line]):
    """One line per model."""

    COLUMNS = (
        Column("", 11),
        Column("MODEL", 14, most=24),
        Column("TIER", 4, ">"),
        Column("WHAT", 20, most=36),
        Column("FALLBACK", 16, most=26),
        Column("", 10, grows=True),
    )
    DROPPED = (2, 5)

    def name_of(self, row: Line) -> str:
        """Return the model."""
        return row.model

    def cells(self, row: Line, at: datetime) -> list[tuple[str, str]]:
        """Return what stands in the line of a model."""
        del at
        does, style = _DOES.get(row.does, (row.does, ""))
        return [
            (does, style),
            (row.model, "strong"),
            (str(row.tier), "dim"),
            (row.said, ""),
            row.beside,
            (row.note, "warning" if row.note else ""),
        ]


class Became(Models):
    """One line per model, after the act."""

    COLUMNS = (*Models.COLUMNS[:4], Column("INSTANCES", 16, most=26), Models.COLUMNS[5])


def foreseen(found: BatchForeseenView) -> list[Line]:
    """Return the models before the act: what is refused and warned of before the rest."""
    lines = [(_attention(each), _before(each)) for each in found.items]
    return [line for _, line in sorted(lines, key=lambda each: each[0])]


def _attention(each: ForeseenView) -> int:
    return 0 if each.does == "refused" else 3 if each.does == "unchanged" else 2 - bool(each.warnings)


def _before(each: ForeseenView) -> Line:
    notes = [*each.warnings, *(f"goes on: {one}" for one in each.covers)]
    if each.does == "refused":
        return Line(each.model, each.tier, each.does, MODES.get(each.now, each.now), ("", ""), each.said)
    return Line(each.model, each.tier, each.does, each.said, _fallback(each), "; ".join(notes))


def _fallback(each: ForeseenView) -> tuple[str, str]:
    if each.fallback is None:
        return "none", "warning"
    healthy = each.fallback.state == "healthy"
    return f"{each.fallback.name}: {each.fallback.state}", "" if healthy else "warning"


def became(done: BatchView) -> list[Line]:
    """Return the models after the act, those with trouble before the rest."""
    ranks = {"refused": 0, "left": 0, "pulled": 1}
    return [_after(each) for each in sorted(done.items, key=lambda each: ranks.get(each.outcome, 2))]


def _after(each: BatchItemView) -> Line:
    said, note = (each.said, "") if each.outcome != "refused" else (MODES.get(each.now, each.now), each.said)
    seen = each.confirmations
    if not each.held:
        return Line(each.model, each.tier, each.outcome, said, ("", ""), note)
    if not seen.total:
        return Line(each.model, each.tier, each.outcome, said, ("? none reports", "warning"), note)
    beside = (f"{seen.confirmed} of {seen.total} confirmed", "none" if seen.confirmed == seen.total else "warning")
    waits = behind(seen)
    return Line(each.model, each.tier, each.outcome, said, beside, f"waits for {waits}" if waits else note)


def what(found: BatchForeseenView, chosen: Several) -> str:
    """Return in one line what is about to happen to how many models, where."""
    share = share_of(chosen.share)
    does = {
        "stopped": "[b $error]stop: nothing answers[/]",
        "shadow": "are only logged, their fallbacks answer",
        "throttle": f"give {share:.0%} of their requests to their fallbacks" if share else "give a share to fallbacks",
    }.get(chosen.mode, "stop serving, their fallbacks answer")
    return f"[b]{_models(found.pull)}[/] in [b]{safe(found.environment)}[/]: {does}"


def facts(found: BatchForeseenView, chosen: Several) -> Iterator[tuple[str, str]]:
    """Yield what one must know of all of them, as names and markup."""
    pulled = [each for each in found.items if each.does == "pull"]
    first = sum(each.tier == 1 for each in pulled)
    rest = [f"{count} {word}" for count, word in ((found.unchanged, "unchanged"), (found.refused, "refused")) if count]
    yield "models", f"{found.pull} pulled, {first} of tier 1{''.join(f', {each}' for each in rest)}"
    yield "traffic", _traffic(found, pulled)
    rest_ = "rests" if len(found.dependants) == 1 else "rest"
    far = f"[b]{some(found.dependants)}[/] [$warning]{rest_} on them[/] – {_models(len(found.dependants))}"
    yield "also stops", far if found.dependants else "[$muted]no other model is known to rest on them[/]"
    yield from (("note", f"[$warning]{safe(each)}[/]") for each in found.warnings)
    second = sum(each.people > 1 for each in pulled)
    two = "1 needs a second person" if second == 1 else f"{second} need a second person each"
    yield "undo", f"[b]U[/] restores each by itself{f'; {two}' if second else ''}"
    yield "allowed", _allowed(found)
    yield "then", _then(chosen)


def _traffic(found: BatchForeseenView, pulled: Sequence[ForeseenView]) -> str:
    untold = f" [$muted]({found.untold} do not tell theirs)[/]" if found.traffic is not None and found.untold else ""
    states = Counter(each.fallback.state if each.fallback is not None else "missing" for each in pulled)
    said = [f"[{'$success' if each == 'healthy' else '$warning'}]{states[each]} {safe(each)}[/]" for each in states]
    return f"{flow(found.traffic)}{untold} → fallbacks: {', '.join(said) or 'none'}"


def _allowed(found: BatchForeseenView) -> str:
    limit = f"[$muted]{safe(found.limit)}[/]"
    refused = [each for each in found.items if each.does == "refused"]
    if not refused:
        because = next((each.because for each in found.items if each.does == "pull"), "")
        return f"[$success]✓ you may pull {_all(found.pull)}:[/] {safe(because)}{' …' * (found.pull > 1)}  {limit}"
    who = sorted({one for each in refused for one in each.who_may})
    return f"[b $error]✗ {len(refused)} you may not pull[/]; these people may: {some(who)}  {limit}"


def _all(count: int) -> str:
    return "it" if count == 1 else f"all {count}"


def _then(chosen: Several) -> str:
    if not chosen.expires:
        return "they stay so until people give them back; the instances confirm it"
    return ending(chosen.expires, "each")


def outcome(done: BatchView) -> str:
    """Return what became of all of them, and how many instances hold it by now."""
    held = [each.confirmations for each in done.items if each.held]
    total = sum(each.total for each in held)
    trouble = done.refused or done.left
    mark = "[b $warning]◆" if trouble else "[b $success]✓"
    told = f"{mark} {safe(done.said)}[/] since entry {done.entry}"
    if not total:
        return f"{told}  [$warning]no instance reports that it reads these switches[/]"
    silent = sum(not each.total for each in held)
    none = f"  [$warning]{_models(silent)} that none reports to read[/]" if silent else ""
    return f"{told}  {confirmed(sum(each.confirmed for each in held), total)}{none}"


def settled(done: BatchView) -> bool:
    """Tell whether all instances have confirmed what still holds."""
    return all(each.confirmations.confirmed == each.confirmations.total for each in done.items if each.held)


def _models(count: int) -> str:
    return f"{count} model{'' if count == 1 else 's'}"
