"""Kill switches pulled and restored by a run, in the name of who started it and of who consented in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from governance.core.authority import Act as ActOf
from governance.core.authority import Allowed, authority
from governance.core.own_act import SwitchPull, SwitchRestore, SwitchScope
from governance.core.performance import Outcome
from governance.core.run import Answer, Run
from governance.core.switch import Scope, Setting, Switch, loosens
from governance.engine.entries import OWN
from governance.engine.permission import card_of, declared, permit, who_may
from governance.engine.switching.automatic import Automation
from governance.engine.switching.change import Act, words, write
from governance.engine.switching.pulling import expiring, pulled, setting, wanted
from governance.engine.switching.restoring import check_loosens, people_to_restore, restored_to
from governance.engine.switching.trusting import require_sound_in
from governance.errors import Conflict, Denied, NotFound
from governance.store import switches

if TYPE_CHECKING:
    from governance.engine.running.own_acts import Own


def pull(own: Own, asked: SwitchPull) -> Outcome:
    """Pull a scope of the run's model; where it is as restricted already, that is done too."""
    after, because_allowed = _wanted(own, asked)
    before = switches.get(own.connection, own.run.model)
    was = before.at(after.scope)
    if was is not None and loosens(was, after):
        return _now(own, before, after.scope, changed=False)
    details = {**own.details, **({"because_allowed": because_allowed} if because_allowed else {})}
    act = Act("switch.pulled", own.actor, own.at, asked.reason, details)
    if own.by_engine:
        done = Automation(own.connection, own.engine, own.at).pull(own.run.model, after, act)
    else:
        done = pulled(own.connection, own.engine, own.run.model, after, act)
    return _now(own, done.switch, after.scope, changed=done.switch.seq != before.seq)


def restore(own: Own, asked: SwitchRestore) -> Outcome:
    """Give a scope of the run's model back; what rests on a consent was not changed since by anybody else."""
    model, scope = own.run.model, _scope(asked)
    before = switches.get(own.connection, model)
    if before.at(scope) is None and asked.to == "live":
        return _now(own, before, scope, changed=False)
    require_sound_in(own.connection)
    by = _whose(own)
    _check_unchanged(own, before, by)
    after = restored_to(
        own.engine, model, scope, asked.to, asked.share,
        because=asked.reason, actor=by.requested, at=own.at, approved_by=by.approved,
    )  # fmt: skip
    check_loosens(before, scope, after)
    details = {**own.details, "because_allowed": by.allowed, "approved_by": by.approved or None}
    act = Act("switch.restored", own.said_by(by.requested), own.at, asked.reason, details)
    done = write(own.connection, own.engine, before, scope, after, act)
    return _now(own, done.switch, scope, changed=True)


def _scope(asked: SwitchScope) -> Scope:
    return Scope(asked.version, tuple(sorted(asked.labels.items())))


def _wanted(own: Own, asked: SwitchPull) -> tuple[Setting, str]:
    """Return what is to hold, and why a person may; a run that nobody started pulls as rules do."""
    model, scope, incident = own.run.model, _scope(asked), own.run.incident or None
    if not own.by_engine:
        found, allowed = wanted(
            own.engine, model, asked.mode, actor=own.who, because=asked.reason, at=own.at,
            scope=scope, share=asked.share, expires=asked.expires,
        )  # fmt: skip
        return replace(found, incident=incident), allowed.because
    if declared(own.engine, model).model in OWN:
        raise NotFound("the engine itself has no kill switch")
    by = f"rule {own.run.rule}" if own.run.rule else f"runbook {own.run.runbook.runbook}"
    found = setting(own.engine, model, asked.mode, scope, asked.share, because=asked.reason, actor=by, at=own.at)
    guards = (own.run.rule,) if own.run.rule else ()
    return replace(expiring(found, asked.expires), incident=incident, origin="rule", guards=guards), ""


class _By:
    """Who asks for a restore and who approves it ("" where one person may), and when the last consent was given."""

    def __init__(self, requested: str, approved: str, allowed: str, rests_on: Answer | None) -> None:
        self.requested, self.approved, self.allowed, self.rests_on = requested, approved, allowed, rests_on


def _whose(own: Own) -> _By:
    """Find who restores: the starter and who consented last; of a run that nobody started two who consented.

    :raises Denied: saying who may.
    """
    model, two = own.run.model, people_to_restore(own.engine, own.run.model) > 1
    consents = _consents(own)
    asking = [each for given in consents for each in given]
    if not own.by_engine:
        allowed = permit(own.engine, own.who, "switch.restore", model).because
        if not two:
            return _By(own.who, "", allowed, None)
        asking = [Answer(own.who, own.run.started_at, approved=True)]
    for last in consents[0] if consents else ():
        if not two and _may(own, last.actor, "switch.restore"):
            return _By(last.actor, "", f"{last.actor} consented in {own.run.id}", last)
        asked = next((each.actor for each in asking if _asks(own, each.actor, last.actor)), "")
        if two and asked and _may(own, last.actor, "switch.approve"):
            return _By(asked, last.actor, f"{last.actor} consented in {own.run.id} to what {asked} asks", last)
    raise Denied(_nobody(own, two=two))


def _asks(own: Own, actor: str, but: str) -> bool:
    return actor != but and _may(own, actor, "switch.restore")


def _may(own: Own, actor: str, act: ActOf) -> bool:
    found = authority(actor, act, card_of(own.engine, own.run.model), own.engine.organisation)
    return isinstance(found, Allowed)


def _consents(own: Own) -> list[list[Answer]]:
    """Return the consents that the run was given, step by step, the newest first; those that a dry run would ask for.

    Only those of the last step that asked approve a restore: the others were asked for something else.
    """
    done = [each for each in own.run.visits if each.state in ("done", "undone")]
    given = [[answer for answer in each.answers if answer.approved][::-1] for each in reversed(done)]
    found = [each for each in given if each]
    if own.run.mode == "dry_run" and not found:
        people = who_may(own.engine, "switch.approve", own.run.model)
        found = [[Answer(each, own.at, approved=True) for each in people]]
    return found


def _nobody(own: Own, *, two: bool) -> str:
    model = own.run.model
    approvers = ", ".join(who_may(own.engine, "switch.approve", model, but="" if own.by_engine else own.who))
    who = approvers or "nobody; the organisation names none"
    if own.by_engine:
        askers = ", ".join(who_may(own.engine, "switch.restore", model)) or "nobody"
        need = f"two people must have consented, one who may ask ({askers}) and another who may approve ({who})"
        return f"a run that nobody started restores {model} only where {need if two else f'one of {askers} consented'}"
    return f"restoring {model} takes a second person who consented in this run; these people may: {who}"


def _check_unchanged(own: Own, before: Switch, by: _By) -> None:
    """Refuse a restore whose consent was given on another state of the switch, unless this run changed it since."""
    consent = by.rests_on
    if consent is None or before.changed_at is None or before.changed_at <= consent.at or before.seq in _own(own.run):
        return
    seen = f"{consent.actor} consented at {consent.at:%Y-%m-%d %H:%M} UTC"
    raise Conflict(f"the switch of {before.model} changed at {before.changed_at:%Y-%m-%d %H:%M} UTC, after {seen}")


def _own(run: Run) -> frozenset[object]:
    """Return the numbers of the changes of the switch that the run made itself."""
    return frozenset(each.outputs["seq"] for each in run.visits if "seq" in each.outputs)


def _now(own: Own, switch: Switch, scope: Scope, *, changed: bool) -> Outcome:
    holds = switch.at(scope)
    said = words(own.run.model, scope, holds) + ("" if changed else " already")
    outputs = {"seq": switch.seq, "mode": holds.mode if holds is not None else "live", "changed": changed}
    return Outcome("done", said, outputs)
