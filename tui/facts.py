"""What is asked of the engine about one model and its incident, beside what the picture of the fleet holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from governance.client import Client
from governance.errors import GovernanceError
from governance.views import IncidentView, PolicyView, RuleView, SwitchView, TimelineLine
from governance.views.notifications import DeliveryView
from governance.views.runs import RunView
from governance.views.series import SeriesView

EXPLAINED = timedelta(seconds=60)
"""How long the explained verdicts hold: the engine asks its sources anew for them."""
BLIND = ("no_data", "stale", "too_few", "error")
"""Outcomes of rules that could not be judged."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked about: a model, and the number of its incident where it has one."""

    model: str
    incident: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a subject; what could not be had is empty, and `lacks` says why.

    `judged` are the rules as judged at `judged_at`, with what in their conditions is true; `last` those that were
    judged by the engine last. `undelivered` is what was given up of what told of the incident, None where that was not
    asked.
    """

    subject: Subject
    incident: IncidentView | None = None
    series: tuple[SeriesView, ...] = ()
    policy: PolicyView | None = None
    policy_version: str = ""
    switch: SwitchView | None = None
    judged: tuple[RuleView, ...] = ()
    judged_at: datetime | None = None
    last: tuple[RuleView, ...] = ()
    runs: tuple[RunView, ...] = ()
    timeline: tuple[TimelineLine, ...] = ()
    undelivered: tuple[DeliveryView, ...] | None = None
    lacks: str = ""


def gathered(
    client: Client, subject: Subject, at: datetime, version: str, before: Facts | None = None
) -> Iterator[Facts]:
    """Yield the facts as they come in, the whole last; a part that cannot be had leaves the others.

    `before` are those of an earlier instant: its timeline goes on, and its policy holds while the policies are still of
    that `version`. Where the incident itself cannot be had, the error of the client is raised.
    """
    known = before if before is not None and before.subject == subject else Facts(subject)
    if subject.incident is not None:
        known = _incident(client, subject.incident, known)
        yield known
    try:
        known = _model(client, known, version)
        yield known
        if subject.incident is not None:
            known = _explained(client, known, at)
            yield known
    except GovernanceError as error:
        yield replace(known, lacks=str(error))


def _incident(client: Client, number: int, known: Facts) -> Facts:
    incident = client.incident(number)
    last = known.timeline[-1].seq if known.timeline else -1
    lines = (*known.timeline, *client.timeline(number, last))
    return replace(known, incident=incident, timeline=lines, runs=tuple(client.runs(incident=number, state="all")))


def _model(client: Client, known: Facts, version: str) -> Facts:
    model = known.subject.model
    policy = known.policy if known.policy is not None and version == known.policy_version else client.policy(model)
    return replace(
        known,
        policy=policy,
        policy_version=version,
        series=tuple(client.series(model)),
        last=tuple(client.verdicts(model).items),
        switch=client.model(model).switch,
        lacks="",
    )


def _explained(client: Client, known: Facts, at: datetime) -> Facts:
    if known.judged_at is not None and at - known.judged_at < EXPLAINED:
        return known
    asked = at - timedelta(seconds=2)  # an instant that has passed on the engine's clock too
    return replace(known, judged=tuple(client.verdicts(known.subject.model, asked).items), judged_at=asked)
