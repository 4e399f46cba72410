"""What to answer for an act whose process ended before it answered: its entry, and how things are now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

from governance.api.switches import Desk, Wire
from governance.core.authority import Actor, Allowed, authority
from governance.core.decision import Entry
from governance.core.incident import CLOSED, Incident
from governance.engine import silences, switching, waiving
from governance.engine.answering.act import KINDS
from governance.engine.batch_views import batch_view
from governance.engine.parts import Engine
from governance.engine.permission import card_of
from governance.engine.running import BY_PEOPLE, consenting, showing
from governance.engine.sealing import sealed
from governance.store import decision_log, effects, incidents
from governance.views import ApprovalDoneView, IncidentDoneView, SilenceDoneView, View, incident_view
from governance.views.notifications import RetriedView, delivery_view
from governance.views.runs import RunDoneView

_ON_INCIDENTS = ("acknowledge", "resolve", "note", "snooze", "severity", "hand-over", "escalate", "merge", "link")
_ON_OTHERS = ("pull", "restore", "break-glass", "approve", "refuse", "waivers", "silences", "end", "retry")
_ON_RUNS = ("runs", "tick", "skip", "settle", "pause", "resume", "cancel")
_ACTS = (*_ON_INCIDENTS, *_ON_OTHERS, *_ON_RUNS)
Answer = tuple[HTTPStatus, View]


def is_recalled(path: str) -> bool:
    """Tell whether the answer to what is posted to a path can be given from its decisions."""
    return path.rpartition("/")[2] in _ACTS


class Recall:
    """Answers from decisions."""

    def __init__(self, engine: Engine, wire: Wire) -> None:
        """Answer from the log of this engine."""
        self._engine, self._wire, self._desk = engine, wire, Desk(engine, wire)
        self._by_kind: Mapping[str, Callable[[Actor, Entry, str], Answer]] = {
            **dict.fromkeys(KINDS.values(), self._incident),
            "switch.batch_pulled": self._batch,
            "switch.pulled": self._switch,
            "switch.restored": self._switch,
            "switch.glass_broken": self._switch,
            "switch.restore_requested": self._switch,
            "switch.refused": self._approval,
            "waiver.requested": self._waiver,
            "waiver.approved": self._waiver,
            "waiver.refused": self._waiver,
            "silence.created": self._silence,
            "silence.ended": self._silence,
            "notification.retried": self._notification,
            **dict.fromkeys(BY_PEOPLE, self._run),
        }

    def __call__(self, who: Actor, path: str, decisions: list[str]) -> Answer | None:
        """Return what the act of these decisions is answered with; None when they tell nothing that a person did.

        :raises Unavailable: when they cannot be sealed or read now.
        """
        for each in decisions:
            sealed(self._engine, each, self._engine.clock.now())
            entry = decision_log.entry_of(self._engine.database, each)
            if entry is not None and entry.decision.kind in self._by_kind:
                return self._by_kind[entry.decision.kind](who, entry, path)
        return None

    def _incident(self, _: Actor, entry: Entry, __: str) -> Answer:
        with self._engine.database.read() as connection:
            found = incidents.get(connection, int(entry.decision.subject["incident"]))
        left = _closed(found, entry) if entry.decision.kind == "incident.resolved" else 0
        view = IncidentDoneView(incident=incident_view(found), entry=entry.seq, still_firing=left)
        return HTTPStatus.OK, view

    def _switch(self, who: Actor, entry: Entry, _: str) -> Answer:
        about = entry.decision.subject
        if entry.decision.kind != "switch.restore_requested":
            return HTTPStatus.OK, self._desk.done(who, about["model"], entry.seq)
        approval = switching.approval_view(self._engine, switching.request_of(self._engine, about["approval"]))
        return HTTPStatus.ACCEPTED, self._desk.done(who, about["model"], entry.seq, approval)

    def _batch(self, who: Actor, entry: Entry, _: str) -> Answer:
        """Answer a pull of several, which goes on where the process that began it ended."""
        batch, _number = switching.batch_of(self._engine, entry.decision.subject["batch"])
        at, changed = self._engine.clock.now(), self._wire.changed
        switching.finish(self._engine, batch, actor=who, at=at, told=changed)
        return HTTPStatus.OK, batch_view(self._engine, batch.id, self._wire.confirmations)

    def _approval(self, _: Actor, entry: Entry, __: str) -> Answer:
        request = switching.request_of(self._engine, entry.decision.subject["approval"])
        view = ApprovalDoneView(approval=switching.approval_view(self._engine, request), entry=entry.seq)
        return HTTPStatus.OK, view

    def _waiver(self, _: Actor, entry: Entry, path: str) -> Answer:
        made = entry.decision.kind == "waiver.requested"
        asked = str(entry.decision.body["waiver"]) if made else path.split("/")[-2]
        view = ApprovalDoneView(approval=waiving.shown(self._engine, asked), entry=entry.seq)
        return (HTTPStatus.ACCEPTED if made else HTTPStatus.OK), view

    def _silence(self, _: Actor, entry: Entry, __: str) -> Answer:
        found = silences.listed(self._engine, self._engine.clock.now(), ended=True)
        view = next(each for each in found if each.id == entry.decision.subject["silence"])
        return HTTPStatus.OK, SilenceDoneView(silence=view, entry=entry.seq)

    def _run(self, who: Actor, entry: Entry, path: str) -> Answer:
        about, at = entry.decision.subject, self._engine.clock.now()
        if path.startswith("/v1/approvals/"):
            request = switching.request_of(self._engine, path.split("/")[-2])
            return HTTPStatus.OK, ApprovalDoneView(approval=consenting.view(self._engine, request), entry=entry.seq)
        view = showing.run_view(self._engine, showing.found(self._engine, about["run"]), at)
        status = HTTPStatus.CREATED if entry.decision.kind == "runbook.started" else HTTPStatus.OK
        found = authority(
            who, BY_PEOPLE[entry.decision.kind], card_of(self._engine, view.model), self._engine.organisation
        )
        because = found.because if isinstance(found, Allowed) else ""
        return status, RunDoneView(run=view, entry=entry.seq, because_allowed=because)

    def _notification(self, _: Actor, entry: Entry, __: str) -> Answer:
        with self._engine.database.read() as connection:
            found = effects.get(connection, str(entry.decision.body["key"]))
        return HTTPStatus.OK, RetriedView(deliveries=[delivery_view(found)], entry=entry.seq)


def _closed(incident: Incident, entry: Entry) -> int:
    """Return how many findings fired when a person closed an incident."""
    at, closed = entry.decision.at, f"{CLOSED} {entry.decision.actor} while firing"
    return sum(each.ended == at and closed in each.story for each in incident.findings)
