"""What is told of one thing that rules or does not: a problem of a file, a waiver, a silence, a version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from governance.views import ApprovalView, ProblemView, SilenceView, VersionView, WaiverView
from governance.views.plan import IncidentEffectView, PlanView, ReplayView
from tui.known import span
from tui.text import fact, head, safe

WIDE = 70
"""Columns of a line of a file that are shown."""
MOST = 60
"""Differences that are listed; more only `gov policies show` lists."""
_MARKS = {
    "removed": ("[b $error]−[/]", "Removed"),
    "loosened": ("[b $error]▼[/]", "Loosened"),
    "added": ("[$success]+[/]", "Added"),
    "tightened": ("[$success]▲[/]", "Tightened"),
    "changed": ("[$secondary]~[/]", "Changed"),
}
"""The mark and the head of each effect of a change, what takes something away before what adds."""


def of_problem(problem: ProblemView) -> str:
    """Return a problem with its place, its line and what to do, as markup."""
    shown = [
        f"[b $error]✗ {place(problem)}[/]  [$muted]{safe(problem.code)}[/]",
        f"[b]{safe(problem.message)}[/]",
        *_line(problem),
    ]
    if problem.suggestion and not problem.text:
        shown.append(safe(problem.suggestion))
    if problem.advice:
        shown.append(fact("what to do", safe(problem.advice)))
    if problem.meaning:
        shown.append(fact("what it is", safe(problem.meaning)))
    return "\n".join([*shown, fact("more", f"gov check --explain {safe(problem.code)}")])


def place(problem: ProblemView) -> str:
    """Return where a problem is, as editors take it."""
    return safe(f"{problem.file}:{problem.line}:{problem.column}")


def _line(problem: ProblemView) -> Iterator[str]:
    """Yield the line of the file and a mark below the place; of a long line what is around it."""
    if not problem.text.strip():
        return
    before = problem.column - 1
    cut = max(len(problem.text) - len(problem.text.lstrip()), before - WIDE // 2) if before > WIDE // 2 else 0
    cut = min(cut, before)
    text = problem.text[cut : cut + WIDE]
    number = f"{problem.line:>5}"
    yield f"[$muted]{number} |[/] {safe(text)}"
    marks = "^" * max(1, min(problem.length, len(text) - (before - cut)))
    yield f"{'':>5} [$muted]|[/] {' ' * (before - cut)}[$error]{marks}[/] {safe(problem.suggestion)}".rstrip()


def of_waiver(thing: WaiverView | SilenceView, at: datetime) -> str:
    """Return all that is known of a waiver or a silence, as markup."""
    labels = " ".join(f"{name}={value}" for name, value in thing.labels.items())
    lines = [
        f"[b]{safe(thing.id)}[/] {safe(thing.model or 'all models')} {safe(thing.rule or 'all rules')} {safe(labels)}",
        safe(thing.because),
        fact("until", f"{thing.until:%Y-%m-%d %H:%M}Z [$muted]in {span(at, thing.until)}[/]"),
    ]
    if isinstance(thing, WaiverView):
        lines.append(fact("asked by", f"{safe(thing.requested_by)}, approved by {safe(thing.approved_by)}"))
        if thing.ends_on:
            lines.append(fact("ends on", safe(", ".join(thing.ends_on))))
        lines.append("[$muted]the rule is judged, and not enforced; E ends it now[/]")
    else:
        lines.append(fact("by", f"{safe(thing.by)} [$muted]{span(thing.since, at)} ago[/]"))
        lines.append("[$muted]nobody is told; verdicts and incidents go on; E ends it now[/]")
    return "\n".join(lines)


def of_request(asked: ApprovalView, at: datetime) -> str:
    """Return what is known of a waiver that waits for its second person, as markup."""
    return "\n".join([f"[b]{safe(asked.id)}[/] {safe(asked.model)}", safe(asked.text), *consent(asked, at)])


def of_version(version: VersionView) -> str:
    """Return a version that rules or ruled, with what it changed, as markup."""
    lines = [
        f"[b]{version.version}[/] {safe(version.state)} · {safe(version.how)} {safe(version.commit[:12])}",
        safe(version.summary),
    ]
    if version.approved_by:
        lines.append(fact("approved by", safe(version.approved_by)))
    return "\n".join([*lines, *_changes(version.changes)])


def of_waiting(asked: ApprovalView, plan: PlanView | None, why_not: str, at: datetime) -> str:
    """Return what a version that waits would change, who must approve it, and what it would have told people."""
    name = f" version {plan.version[:12]}" if plan is not None else ""
    lines = [f"[b $warning]◌ {safe(asked.id)}{name} waits[/]  {safe(plan.summary if plan is not None else asked.text)}"]
    lines += consent(asked, at)
    if plan is None:
        said = f"[$warning]✗ {safe(why_not)}[/]" if why_not else "[$muted]… it is compared with what rules[/]"
        return "\n".join([*lines, "", head("What it would change, and would have told"), said])
    strict = list(dict.fromkeys(f"{each.rule} of {each.model}" for each in plan.rules if each.needs_approval))
    strict += (
        [f"runbook {each.runbook}" for each in plan.runbooks if each.effect == "loosened"] if plan.loosened else []
    )
    shown = ", ".join(strict[:6]) + (f" and {len(strict) - 6} more" if len(strict) > 6 else "")
    lines += [fact("why two", f"on tier 1 less is asked: {safe(shown)}")] if strict else []
    lines += _changes(plan.changes)
    return "\n".join([*lines, "", *_replay(plan.replay)] if plan.replay is not None else lines)


def consent(asked: ApprovalView, at: datetime) -> Iterator[str]:
    """Yield who asked, who may answer, and whether who looks may, and why or why not, as markup."""
    who = safe(", ".join(asked.who_may)) or "[b $error]nobody: the organisation names no second person[/]"
    yield fact("asked by", f"{safe(asked.requested_by)} [$muted]{span(asked.requested_at, at)} ago[/]")
    left = f" [$muted]within[/] [$warning]{span(at, asked.expires_at)}[/]" if asked.expires_at is not None else ""
    yield fact("may approve", f"[b]{who}[/]{left}")
    approve, refuse = asked.may.get("approve"), asked.may.get("refuse")
    if approve is None or refuse is None:
        yield fact("you", "[b]Y[/] approves, [b]N[/] refuses")
    elif approve.allowed:
        yield fact("you", f"[$success]✓ you may: {safe(approve.because)}[/]; [b]Y[/] approves, [b]N[/] refuses")
    else:
        yield fact(
            "you", f"[$warning]✗ {safe(approve.because)}[/]{'; [b]N[/] takes it back' if refuse.allowed else ''}"
        )


def _changes(changes: Sequence[str]) -> Iterator[str]:
    """Yield differences by what they do, what takes something away first."""
    left = MOST
    for effect, (mark, name) in _MARKS.items():
        found = [each.removeprefix(f"{effect} ") for each in changes if each.startswith(f"{effect} ")]
        if found and left > 0:
            yield f"\n{head(name)}"
            yield from (f"{mark} {safe(each)}" for each in found[:left])
            left -= len(found)
    other = [each for each in changes if each.partition(" ")[0] not in _MARKS]
    if other and left > 0:
        yield f"\n{head('Beside that')}"
        yield from (f"~ {safe(each)}" for each in other[:left])
    if len(changes) > MOST:
        yield f"[$muted]and {len(changes) - MOST} more: gov policies show[/]"


def _replay(replay: ReplayView) -> Iterator[str]:
    days = (replay.until - replay.since) / timedelta(days=1)
    yield head(f"What it would have told · {days:.0f} days to {replay.until:%Y-%m-%d %H:%M}Z")
    if not replay.instants:
        yield "[$muted]nothing was recorded then: what it would have told is not known[/]"
    else:
        more = replay.pages_after - replay.pages_before
        said = f"{abs(more)} {'more' if more > 0 else 'fewer'} pages" if more else "as many pages"
        yield (
            f"[b]{said}[/] ({replay.pages_before} before, {replay.pages_after} after; critical "
            f"{replay.critical_before} before, {replay.critical_after} after)"
        )
        yield from (_effect(each) for each in replay.incidents[:MOST])
        for new in replay.new_incidents[:MOST]:
            when = f"{new.opened_at:%m-%d %H:%M}Z"
            yield f"  [$success]new[/] {safe(new.model)} {when} {safe(new.severity)} [$muted]{safe(new.title)}[/]"
    for why in dict.fromkeys(replay.unknown.values()):
        rules = [rule for rule, one in replay.unknown.items() if one == why]
        yield f"[$muted]? not known: {safe(', '.join(rules[:3]))}{' …' if len(rules) > 3 else ''}: {safe(why)}[/]"
    if replay.left_out:
        yield f"[$warning]? there was no time for {len(replay.left_out)} models[/]"


def _effect(effect: IncidentEffectView) -> str:
    by = span(datetime.min, datetime.min + timedelta(seconds=effect.seconds))  # noqa: DTZ901 (a span, no instant)
    words = {
        "missed": "[b $error]would have been missed[/]",
        "earlier": f"[$success]would have been caught {by} earlier[/]",
        "later": f"[$warning]would have been caught {by} later[/]",
        "graver": f"would have been {effect.after}, was {effect.before}",
        "milder": f"[$warning]would have been {effect.after}, was {effect.before}[/]",
        "found": "is found by these, and not by those that rule",
    }
    said = words.get(effect.effect, safe(effect.effect))
    return f"  [b]INC-{effect.incident}[/] {safe(effect.model)} {said} [$muted]{safe(effect.title)}[/]"
