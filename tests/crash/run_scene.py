"""A run of twelve steps that act on a server, with consent, a wait, retries, a step that fails, and all taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from runs.site import ORGANISATION, START, Watch, planned, runbook

from governance.actions.http import Http, HttpConfig
from governance.core.metric import Answer, Query, Sample
from governance.core.organisation import Organisation
from governance.engine.parts import Engine
from governance.engine.running import acting, approving, starting
from governance.ports import Action, System
from governance.store.database import Database

RUN = "RUN-1"
UNSURE = ("train", "order")
"""The steps of which a killed process leaves unknown what became of them: the server, or a person who asks it, says."""


@dataclass(frozen=True)
class Beat:
    """A second of the scene, and what a person does in it before the engine looks."""

    second: int
    act: Callable[[Engine, datetime], object] | None = None


def _answers(who: str) -> Callable[[Engine, datetime], object]:
    return lambda engine, at: approving.approve_request(engine, "APR-1", actor=who, at=at, because="looks right")


BEATS = (
    Beat(0, lambda engine, at: starting.start(engine, "r", "m", actor="ana", because="it drifts", at=at)),
    Beat(60, lambda engine, at: acting.tick(engine, RUN, actor="bo", at=at, because="it is sound")),
    Beat(120),
    Beat(130, _answers("bo")),
    Beat(140, _answers("cy")),
    Beat(200, lambda engine, at: acting.pause(engine, RUN, actor="bo", at=at, because="lunch")),
    Beat(300, lambda engine, at: acting.resume(engine, RUN, actor="bo", at=at, because="back")),
    Beat(740),
    Beat(755),
    Beat(785),
    Beat(800),
    Beat(900, lambda engine, at: acting.cancel(engine, RUN, actor="bo", at=at, because="enough")),
)


def steps(address: str) -> list[Mapping[str, Any]]:
    """Return the steps, which ask a server."""

    def asks(place: str, what: str, **more: Any) -> dict[str, Any]:
        given = {"url": f"{address}/{place}/{what}", "json": {"model": "{card.model}", "key": "$key"}, **more}
        return {"act": f"{place}.request", "with": given}

    looked = {"read_back": {"url": f"{address}/looked/$key", "done_when": [200], "failed_when": [404]}}
    patient = {"times": 3, "backoff": "10s"}
    return [
        {"step": "look", "instruct": "Is {card.model} sound?", "timeout": "15m"},
        {"step": "sound", "check": "metrics.errors < 0.1", "timeout": "30m"},
        {"step": "consent", "approve": {"people": 2}, "timeout": "1h"},
        {"step": "alias", **asks("safe", "alias"), "undo": asks("safe", "back")},
        {"step": "rest", "wait": "10m"},
        {
            "step": "train",
            **asks("looked", "train", **looked),
            "retry": patient,
            "undo": asks("looked", "un", **looked),
        },
        {"step": "order", **asks("bare", "order"), "undo": asks("bare", "cancel")},
        {"step": "tell", "notify": {"message": "{card.model}: HTTP {steps.alias.status}"}},
        {"step": "pull", "act": "switch.pull", "with": {"mode": "fallback", "reason": "{run.id}"}},
        {"step": "never", **asks("bare", "never"), "when": "metrics.errors > 0.5"},
        {"step": "doomed", **asks("safe", "doomed"), "retry": {"times": 1, "backoff": "10s"}},
        {"step": "last", **asks("bare", "last")},
    ]


class Errors:
    """A source whose one metric falls in the second minute."""

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer as of `at`."""
        value = 0.3 if at < START + timedelta(seconds=120) else 0.05
        return {query: Answer((Sample(value, at, (), count=1000),)) for query in queries}


def systems(address: str) -> dict[str, System]:
    """Return the three systems, which are one server: one drops repeats, one tells what it did, one does neither."""
    host = urlsplit(address).netloc
    return {
        name: Http(HttpConfig(hosts=(host,), idempotent=name == "safe", loopback=True))
        for name in ("safe", "looked", "bare")
    }


def engine(
    database: Database, address: str, *given: Mapping[str, Any], notifiers: Mapping[str, Action] | None = None
) -> Engine:
    """Return an engine for a runbook of these steps, by default all twelve."""
    return Engine(
        plan=planned(runbook(*(given or steps(address)))),
        organisation=Organisation.model_validate(ORGANISATION),
        sources={"s": Errors()},
        notifiers=notifiers or {},
        database=database,
        clock=Watch(START),
        acts=systems(address),
    )
