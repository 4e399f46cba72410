"""Every entry that a person causes says where they acted; which kinds there are is read from the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from store.databases import fresh_url
from switches.desk import DAY, HOUR, MINUTE, Desk, card, desk

import governance
from governance.core.approval import ApprovalKind
from governance.core.authority import ACTS, Actor
from governance.core.comparison import Comparison
from governance.core.evidence import EvidenceKind
from governance.core.policy_version import Origin, PolicyVersion
from governance.core.run import Run
from governance.core.run_change import RunEvent
from governance.core.runbook import Runbook
from governance.core.selection import Selection
from governance.core.switch import Mode, Scope
from governance.engine import answering, consent, entries, evidence, notifications, silences, switching, tokens, waiving
from governance.engine.adoption import adopt
from governance.engine.answering.act import KINDS
from governance.engine.escalating import escalate
from governance.engine.permission import RefusedAct
from governance.engine.reading import readable
from governance.engine.refused_acts import note
from governance.engine.running import BY_PEOPLE
from governance.engine.switching import Order, together
from governance.slack import linking
from governance.slack.turn import Origin as Account
from governance.store import decision_log, effects
from governance.store.database import Database

ENGINE = frozenset(
    (
        "canary.proved",
        "clock.stepped",
        "cycle.evaluated",
        "cycle.skipped",
        "incident.new_findings",
        "incident.opened",
        "incident.paged",
        "incident.reminded",
        "incident.reopened",
        "incident.settled",
        "incident.updated",
        "incident.woken",
        "incident.worsened",
        "log.sound",
        "log.unsound",
        "login.refused",
        "notification.failed",
        "notification.sent",
        "notification.withheld",
        "oncall.handed_over",
        "policy.voided",
        "runbook.finished",
        "runbook.not_started",
        "runbook.step_begun",
        "runbook.step_failed",
        "runbook.step_skipped",
        "runbook.step_timed_out",
        "runbook.step_unknown",
        "runbook.stopped",
        "runbook.undone",
        "runbook.unreadable",
        "silence.expired",
        "switch.expired",
        "switch.extended",
        "switch.override_refused",
        "switch.withheld",
        "waiver.withdrawn",
    )
)
"""What the engine alone says. A kind that is neither here nor caused below is new: cause it here, with its channel."""
_KIND = re.compile(
    "(act|alert|canary|clock|cycle|evidence|incident|log|login|notification|oncall|policy|runbook|silence|slack|switch|"
    r"token|waiver)\.[a-z_]+"
)
ROLES = [
    {"role": "approver", "who": ["ana", "bo", "flo"]},
    {"role": "responder", "who": ["ops"]},
    {"role": "viewer", "who": ["eve"]},
]
RUNBOOK = {"runbook": "r", "description": "x", "steps": [{"step": "look", "instruct": "x"}]}
LEVELS = [{"to": [{"person": "bo"}]}, {"after": "10m", "to": [{"person": "cy"}]}]


def by(person: str = "ana") -> Actor:
    return Actor(person, channel="tui")


def written() -> Iterator[str]:
    """Return the kinds of entries that the code names."""
    home = Path(governance.__file__).parent
    for path in (*(home / "engine").rglob("*.py"), home / "slack" / "linking.py"):
        for each in ast.walk(ast.parse(path.read_text())):
            if isinstance(each, ast.Constant) and isinstance(each.value, str) and _KIND.fullmatch(each.value):
                yield each.value
    yield from KINDS.values()
    yield from BY_PEOPLE
    yield from (f"evidence.{kind}" for kind in get_args(EvidenceKind))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(together, "GROUP", 1)
    monkeypatch.setenv("GOV_OVERRIDE_KEY", "k" * 32)
    cards = [card(each, owners={"team": "ops", "escalation": "all"}) for each in ("delay", "spam", "ads")]
    cards.append(card("credit", tier=1, owners={"team": "ops", "escalation": "all"}))
    made = desk(
        *cards, database=Database(fresh_url("sqlite", tmp_path)), roles=ROLES, escalations={"all": {"levels": LEVELS}}
    )
    yield made
    made.engine.database.close()


def test_each_kind_that_a_person_causes_bears_its_channel(here: Desk) -> None:
    for act in (_switches, _together, _offline, _incidents, _muting, _policies, _records, _accounts, _refused):
        act(here)
        here.later(looks=False)
    decision_log.seal(here.engine.database, here.now)
    found = [each.decision for each in decision_log.tail(here.engine.database, 10_000)]
    run = Run("RUN-1", Runbook.model_validate(RUNBOOK), "delay", {}, {}, "ana", here.now, "x")
    found += [
        entries.of_run(run, RunEvent(kind.removeprefix("runbook."), actor="ana"), here.now, "tui") for kind in BY_PEOPLE
    ]
    of_people = [each for each in found if each.actor != entries.ENGINE]
    assert [(each.kind, each.actor) for each in of_people if not each.body.get("channel")] == []
    caused = {each.kind for each in of_people}
    assert set(written()) - set(ACTS) - set(get_args(ApprovalKind)) - ENGINE == caused
    here.verify()


def _pull(here: Desk, model: str, **more: Any) -> int:
    said: dict[str, Any] = {"actor": by(), "because": "x", "at": here.now, **more}
    return switching.pull(here.engine, model, "fallback", **said).switch.seq


def _restore(here: Desk, model: str, seq: int, actor: str = "ana") -> Any:
    said: dict[str, Any] = {"because": "x", "at": here.now, "seq": seq, "confirmed": model}
    return switching.restore(here.engine, model, actor=by(actor), **said)


def _switches(here: Desk) -> None:
    _restore(here, "delay", _pull(here, "delay"))
    seq = _pull(here, "credit")
    switching.refuse(here.engine, _restore(here, "credit", seq).approval.id, actor=by("flo"), because="x", at=here.now)
    _restore(here, "credit", seq)
    switching.pull(here.engine, "credit", "stopped", actor=by(), because="x", at=here.now, confirmed="credit")
    again = _restore(here, "credit", here.switch("credit").seq)
    switching.approve(here.engine, again.approval.id, actor=by("flo"), at=here.now)
    seq = _pull(here, "credit")
    switching.break_glass(here.engine, "credit", actor=by(), because="x", at=here.now, confirmed="credit")


def _together(here: Desk) -> None:
    class Ended(Exception):
        pass

    def ends() -> None:
        raise Ended

    order = Order(Selection(models=("delay", "spam")), "fallback")
    may = readable(here.engine, "ana")
    shown = switching.foresee(here.engine, order, actor=by(), at=here.now, readable=may)
    said: dict[str, Any] = {"because": "x", "shown": shown.digest, "confirmed": shown.confirm, "readable": may}
    with pytest.raises(Ended):
        switching.pull_together(here.engine, order, actor=by(), at=here.now, told=ends, **said)
    decision_log.seal(here.engine.database, here.now)
    (begun,) = here.entries("switch.batch_pulled")
    batch, _ = switching.batch_of(here.engine, begun.decision.subject["batch"])
    assert switching.finish(here.engine, batch, actor=by(), at=here.now) == 1
    for each in ("delay", "spam"):
        _restore(here, each, here.switch(each).seq)


def _offline(here: Desk) -> None:
    home = here.engine.database.home
    assert home is not None
    modes: tuple[Mode, ...] = ("stopped", "shadow")
    for mode in modes:
        said: dict[str, Any] = {"share": 1.0, "because": "x", "actor": "ana", "confirmed": "ads", "at": here.now}
        switching.offline_pull(home, "ads", mode, Scope(), **said)
        switching.adopt_offline(here.engine, here.now)
    assert len([each for each in here.entries("switch.pulled") if each.decision.body.get("offline")]) == 2


def _incidents(here: Desk) -> None:
    here.world.values |= {f"{each}-errors": 0.9 for each in ("delay", "spam", "credit")}
    here.later()
    escalate(here.engine, here.now)
    number = {each.model: each.id for each in here.incidents()}
    engine, said = here.engine, {"because": "x"}
    mine: dict[str, Any] = {"actor": by(), "at": here.now}
    one = number["delay"]
    answering.acknowledge(engine, one, **mine)
    answering.note(engine, one, text="x", **mine)
    answering.snooze(engine, one, until=here.now + HOUR, **said, **mine)
    answering.set_severity(engine, one, severity="warning", **said, **mine)
    answering.hand_over(engine, one, to="bo", **mine)
    answering.link(engine, one, address="https://tickets.example.com/7", **mine)
    answering.escalate(engine, number["spam"], **mine)
    seq = _pull(here, "spam", incident=number["spam"])
    _restore(here, "spam", seq)
    answering.merge(engine, one, into=number["spam"], **said, **mine)
    answering.resolve(engine, number["credit"], actor=by("bo"), at=here.now, because="who broke the glass may not")
    with engine.database.transaction() as connection:
        sent = effects.of_incident(connection, number["spam"])[0]
        effects.save(connection, [replace(sent, state="failed", next_at=None)])
    notifications.retry(engine, key=sent.key, **mine)


def _muting(here: Desk) -> None:
    engine, at = here.engine, here.now
    made = silences.create(engine, model="ads", because="x", until=at + HOUR, actor=by(), at=at)
    silences.end(engine, made.silence.id, because="x", actor=by(), at=at)
    for answered in (True, False):
        asked = waiving.request(
            engine, "ads", "errors", labels=(), because="x", until=at + DAY, actor=by("bo"), at=at
        ).view.id
        if answered:
            waiving.approve(engine, asked, actor=by("flo"), at=at)
            waiving.withdraw(engine, asked, actor=by(), because="x", at=at + MINUTE)
        else:
            waiving.refuse(engine, asked, actor=by("flo"), because="x", at=at)


def _policies(here: Desk) -> None:
    origin = Origin("apply", "bo", authors=("bo",), channel="api")
    loosened = Comparison(cards=(), unguarded=(("credit", "careful"),))
    for number, answer in enumerate((consent.refuse, consent.approve)):
        version = PolicyVersion(0, f"v{number}", f"d{number}", "waiting", here.now, origin)
        consent.ask(here.engine, version, {"a.yaml": str(number)}, loosened, here.now)
        waiting = here.engine.standing.waiting
        assert waiting is not None
        more: dict[str, Any] = {"because": "x"} if answer is consent.refuse else {}
        answer(here.engine, waiting.approval, actor=by("flo"), at=here.now, **more)
    adopt(here.engine, here.now, origin)


def _records(here: Desk) -> None:
    for kind in get_args(EvidenceKind):
        team = {"team": "ops"} if kind == "reviewed" else {}
        evidence.record(here.engine, "ads", kind, actor=by(), now=here.now, **team)


def _accounts(here: Desk) -> None:
    made, _ = tokens.create(here.engine, "ana", actor=by(), at=here.now)
    tokens.revoke(here.engine, made.id, actor=by(), at=here.now)
    account = Account("U1", "ana", channel="C1")
    code = linking.offer(here.engine, account, None, here.now)
    linking.confirm(here.engine, code, actor=by(), at=here.now)
    linking.remove(here.engine, "U1", actor=by(), at=here.now)


def _refused(here: Desk) -> None:
    with pytest.raises(RefusedAct) as refused:
        _pull(here, "ads", actor=by("eve"))
    note(refused.value)
