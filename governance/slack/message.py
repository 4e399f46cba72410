"""The message of an incident: drawn from what is shown alone, so that the same state is always the same message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from json import dumps
from typing import Literal, cast

from slack_sdk.models.blocks import ActionsBlock, ButtonElement, Option, OverflowMenuElement

from governance.slack.acts import MORE, SlackAct, offered, value_of
from governance.slack.blocks import (
    BUTTON,
    FALLBACK,
    FIELD,
    Json,
    context,
    escaped,
    facts,
    header,
    literal,
    moment,
    plain,
    section,
    within,
)
from governance.slack.shown import Shown
from governance.views import FindingView

MARKS = {"critical": "🔴", "warning": "🟠", "info": "🔵"}
OTHERS = 5
"""Findings beside the worst that are listed."""
_SENTENCE, _RULE, _PART = 600, 300, 400


@dataclass(frozen=True, slots=True)
class Drawn:
    """A message as Slack takes it: its blocks, and the text for notifications and readers of screens."""

    text: str
    blocks: list[Json]


def drawn(shown: Shown) -> Drawn:
    """Return the message of an incident."""
    return Drawn(fallback(shown), within([*_blocks(shown)]))


def digest(message: Drawn) -> str:
    """Return what tells one state of a message from another."""
    return sha256(dumps([message.text, message.blocks], sort_keys=True).encode()).hexdigest()[:16]


def fallback(shown: Shown) -> str:
    """Return the whole message as one line."""
    incident, worst = shown.incident, _present(shown)
    said = [
        f"{heading(shown)}: {incident.title}",
        f"{worst.change} (as of {worst.now_at:%H:%M} UTC)" if worst is not None else "",
        f"rule {shown.rule}" if shown.rule else "",
        f"{incident.status}, lead {shown.lead or 'nobody'}",
        f"kill switch {shown.switch}" if shown.has_switch else "",
        f"runbook {shown.runbook}" if shown.runbook else "",
        f"escalation {shown.escalation}" if shown.escalation else "",
        f"opened {incident.opened_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        f"last change: {shown.last.text} ({shown.last.actor}, entry {shown.last.entry})" if shown.last else "",
    ]
    return escaped(" · ".join(each for each in said if each), FALLBACK)


def heading(shown: Shown) -> str:
    """Return the first line, such as "🔴 critical · INC-42 · flight-delay", not escaped."""
    incident = shown.incident
    mark = f"{MARKS.get(incident.severity, '⚪')} {incident.severity}" if shown.is_open else f"✅ {incident.status}"
    return f"{mark} · INC-{incident.id} · {incident.model}"


def _blocks(shown: Shown) -> Iterator[Json]:
    yield header(heading(shown))
    yield section(_sentence(shown))
    yield facts(_facts(shown))
    yield from _others(shown)
    if shown.also:
        yield section("\n".join(escaped(each, _PART) for each in shown.also[: OTHERS + 1]))
    row = buttons(shown)
    if row is not None:
        yield row
    yield context(*_last(shown))


def _sentence(shown: Shown) -> str:
    """Return what is wrong, since when and how bad, in bold; then the rule, and what helps."""
    incident = shown.incident
    since = incident.findings[0].since if incident.findings and shown.is_open else incident.opened_at
    peak = f", at worst {incident.peak}" if incident.peak != incident.severity else ""
    ended = f" until {moment(incident.resolved_at)}" if incident.resolved_at else ""
    lines = [f"*{escaped(incident.title, _SENTENCE)}* (since {moment(since)}{ended}{peak})"]
    worst = _present(shown)
    if worst is not None and worst.now_at is not None:  # the message stays as it is until something is decided
        lines.append(f"As of {moment(worst.now_at)}: {escaped(worst.change, _PART)}")
    if shown.rule:
        lines.append(f"rule {escaped(shown.rule, _RULE)}")
    remedy = next((each.remedy for each in incident.findings if each.remedy), "") if shown.is_open else ""
    if remedy:
        lines.append(f"What helps: {escaped(remedy, _SENTENCE)}")
    return "\n".join(lines)


def _present(shown: Shown) -> FindingView | None:
    """Return the finding that the title tells of, where its values are others by now."""
    worst = next(iter(shown.incident.findings), None) if shown.is_open else None
    return worst if worst is not None and worst.change else None


def _facts(shown: Shown) -> Iterator[tuple[str, str]]:
    incident = shown.incident
    again = f" (re-opened {incident.reopened}×)" if incident.reopened else ""
    yield "Status", f"{escaped(incident.status, FIELD)}{' · snoozed' if shown.snoozed else ''}{again}"
    yield "Lead", escaped(shown.lead, _PART) or "nobody yet"
    if shown.has_switch:
        yield "Kill switch", escaped(shown.switch, _PART)
    yield "Runbook", escaped(shown.runbook, _PART) or "none"
    after = f", next {moment(shown.escalates_at)}" if shown.escalates_at and shown.is_open else ""
    yield "Escalation", f"{escaped(shown.escalation, _PART) or 'none'}{after}"
    yield "Opened", moment(incident.opened_at)


def _others(shown: Shown) -> Iterator[Json]:
    """List what else fires; the title has told of the worst."""
    firing = [each for each in shown.incident.findings if each.ended is None][1:]
    if not firing:
        return
    lines = [f"• {_finding(each, shown.incident.model)}" for each in firing[:OTHERS]]
    if len(firing) > OTHERS:
        lines.append(f"… and {len(firing) - OTHERS} more, not shown here: gov incidents show {shown.incident.id}")
    yield section("\n".join(lines))


def _finding(finding: FindingView, model: str) -> str:
    said = ", ".join(f"{name}={value}" for name, value in finding.labels.items() if value not in finding.summary)
    labels = f" {{{said}}}" if said else ""
    whose = f"{finding.model}: " if finding.model not in ("", model) else ""
    return escaped(f"{finding.severity}: {whose}{finding.summary}{labels}", _PART)


def buttons(shown: Shown) -> Json | None:
    """Return the row of buttons that follow the state, with the menu at its end."""
    acts = offered(shown)
    elements: list[ButtonElement | OverflowMenuElement] = [_button(each, shown) for each in acts if not each.menu]
    menu = [_option(each, shown) for each in acts if each.menu]
    if menu:
        elements.append(OverflowMenuElement(action_id=MORE, options=menu))
    if not elements:
        return None
    return cast("Json", ActionsBlock(block_id=f"acts.{shown.incident.id}", elements=elements).to_dict())


def _button(act: SlackAct, shown: Shown) -> ButtonElement:
    style: Literal["primary", "danger"] | None = act.style or None
    label = f"{act.label} of INC-{shown.incident.id}"
    return ButtonElement(
        action_id=act.id,
        text=plain(act.label, BUTTON),
        value=value_of(act, shown),
        style=style,
        accessibility_label=literal(label, BUTTON),
    )


def _option(act: SlackAct, shown: Shown) -> Option:
    return Option(text=plain(act.label, BUTTON), value=value_of(act, shown))


def _last(shown: Shown) -> Iterator[str]:
    last = shown.last
    if last is not None:
        said = escaped(last.text, _SENTENCE)
        yield f"Last change: {said} · {escaped(last.actor, _PART)} · {moment(last.at)} · entry {last.entry}"
    if shown.environment:
        yield f"environment {escaped(shown.environment, _PART)}"
