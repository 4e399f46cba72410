"""Look up what an incident's message shows."""

from __future__ import annotations

from collections.abc import Iterator

from governance.core.switch import Switch
from governance.engine.entries import ENGINE
from governance.engine.parts import Engine
from governance.engine.permission import card_of
from governance.engine.queries import shown as queried
from governance.engine.switching.change import mode_words
from governance.slack.shown import Change, Shown
from governance.store import effects, switches
from governance.views import IncidentView, TimelineLine
from governance.views.escalation import EscalationView


def showing(engine: Engine, number: int, lines: list[TimelineLine]) -> Shown:
    """Return what is shown of an incident; `lines` are those of its timeline that are known to be new, or all.

    :raises NotFound: when there is none of that number.
    """
    incident = queried(engine, number)
    with engine.database.read() as connection:
        switch = switches.get(connection, incident.model)
        also = [each.message.also for each in effects.of_incident(connection, number) if not each.level]
    escalation = incident.escalation
    return Shown(
        incident=incident,
        environment=engine.organisation.environment,
        rule=_rule(incident),
        lead=incident.lead,
        mode=switch.worst.mode if switch.worst else "live",
        switch=_switch(switch),
        has_switch=incident.model != ENGINE and card_of(engine, incident.model) is not None,
        runbook=_runbook(engine, incident),
        escalation=_escalation(escalation),
        escalates_at=escalation.next_at if escalation is not None else None,
        can_escalate=escalation is not None and escalation.state not in ("handed_over", "exhausted"),
        snoozed=incident.snoozed_until is not None and incident.snoozed_until > engine.clock.now(),
        last=_last(lines),
        also=next((each for each in reversed(also) if each), ()),
    )


def channel_of(engine: Engine, model: str, otherwise: str) -> str:
    """Return the channel where a model's incidents are told: the card's, or that of the notifier."""
    card = card_of(engine, model)
    return (card.owners.channel if card is not None else None) or otherwise


def _rule(incident: IncidentView) -> str:
    if not incident.findings:
        return ""
    worst = incident.findings[0]
    return f"{worst.rule} ({worst.origin})" if worst.origin else worst.rule


def _switch(switch: Switch) -> str:
    """Return the most restrictive setting in words: by whom and why."""
    worst = switch.worst
    if worst is None:
        return "live"
    scope = "" if str(worst.scope) == "model" else f", {worst.scope}"
    more = f" and {len(switch.settings) - 1} more" if len(switch.settings) > 1 else ""
    return f"{mode_words(worst)}{scope} – {worst.set_by}: {worst.reason}{more}"


def _runbook(engine: Engine, incident: IncidentView) -> str:
    """Return the run about an incident that is under way, or else the last one, or which its rules propose."""
    runs = sorted(incident.runs, key=lambda each: each.state in ("done", "cancelled"))
    if runs:
        return f"{runs[0].runbook} ({runs[0].id}): {runs[0].summary}"
    return next(proposed(engine, incident), "")


def proposed(engine: Engine, incident: IncidentView) -> Iterator[str]:
    """Name the runbooks that the rules of what fires propose."""
    policy = engine.plan.by_model.get(incident.model)
    rules = {each.rule.id: each.rule for each in policy.rules} if policy is not None else {}
    for finding in incident.findings:
        rule = rules.get(finding.rule)
        if rule is not None and rule.then is not None and rule.then.runbook:
            yield rule.then.runbook


def _escalation(escalation: EscalationView | None) -> str:
    if escalation is None:
        return ""
    after = ", ".join(escalation.next_to) if escalation.state == "running" else ""
    return f"{escalation.words}{f'; then {after}' if after else ''}"


def _last(lines: list[TimelineLine]) -> Change | None:
    found = [each for each in lines if not each.kind.startswith("notification.")]
    return Change(found[-1].at, found[-1].actor, found[-1].text, found[-1].seq) if found else None
