"""How controls are judged: each check is a sentence for people and a pure function over what is known of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.core.card import RegistryName, Review
from governance.core.control import Cited, Finding, Known, met, no_evidence, not_applicable, not_met
from governance.core.control_rules import alive, by_rules, is_gap
from governance.core.duration import format_duration
from governance.core.evidence import EvidenceKind, Record

SIX_MONTHS = timedelta(days=184)
"""The longest that six months can be."""
YEAR = timedelta(days=365)
"""How long practice and reviews count where the card does not say."""
Judge = Callable[[Known, str], Finding]


@dataclass(frozen=True, slots=True)
class Check:
    """`how` tells people what is looked at; `{}` stands for what the name of the check has after its colon."""

    how: str
    judge: Judge


def judged_by(check: str, known: Known) -> Finding:
    """Return what a check such as `logged` or `rules:drift` finds."""
    name, _, argument = check.partition(":")
    return CHECKS[name].judge(known, argument)


def how(check: str) -> str:
    """Return how a check judges, for people."""
    name, _, argument = check.partition(":")
    return CHECKS[name].how.format(argument)


def _inventory(known: Known, _: str) -> Finding:
    return _declared(known, "it has a card")


def _tier(known: Known, _: str) -> Finding:
    if "tier" not in known.card.model_fields_set:
        return no_evidence("the card does not say how critical it is; tier 2 is only the default")
    return _declared(known, f"tier {known.card.tier}")


def _purpose(known: Known, _: str) -> Finding:
    if not known.card.description:
        return not_met("description is empty")
    return _declared(known, "description says what it predicts")


def _people(known: Known, _: str) -> Finding:
    owners = known.card.owners
    missing = [] if owners.accountable else ["an accountable person"]
    missing += [] if owners.escalation or owners.channel else ["an escalation or a channel"]
    if missing:
        return not_met(f"the card names team {owners.team}, but not {' nor '.join(missing)}")
    return _declared(
        known, f"{owners.accountable} of {owners.team} answers; {owners.escalation or owners.channel} is told"
    )


def _authority(known: Known, _: str) -> Finding:
    rollback = known.card.rollback
    if rollback is None or not rollback.authority:
        return not_met("rollback.authority names nobody")
    return _declared(known, f"{', '.join(rollback.authority)} may put it back")


def _way_back(known: Known, _: str) -> Finding:
    versions = known.card.versions
    back = [f"version {versions.rollback_to}"] if versions is not None and versions.rollback_to else []
    found = [*back, *([versions.fallback] if versions is not None and versions.fallback else [])]
    if not found:
        return not_met("neither versions.rollback_to nor versions.fallback is named")
    return _declared(known, f"{' or '.join(found)} takes its place")


def _rollback_practised(known: Known, _: str) -> Finding:
    rollback = known.card.rollback
    every = rollback.drill_every if rollback is not None else None
    return _in_time(known, _newest(known, "drilled"), every or YEAR, "the rollback was practised")


def _switch_practised(known: Known, _: str) -> Finding:
    pulled = known.logged.get("switch.pulled")
    if pulled is not None and known.at - pulled.newest.at <= YEAR:
        return met(f"the kill switch was pulled on {pulled.newest.at:%Y-%m-%d}", pulled.newest)
    return _in_time(known, _newest(known, "switch_drilled"), YEAR, "the kill switch was practised")


def _reviewed(known: Known, regime: str) -> Finding:
    owed = [each for each in known.card.review if not regime or each.regime == regime]
    if not owed:
        return not_met(f"the card names nobody who owes it a review{f' for {regime}' if regime else ''}")
    found = [_one_review(known, each) for each in owed]
    worst = next((each for state in ("not met", "no evidence") for each in found if each.state == state), None)
    return worst or met("; ".join(each.why for each in found), *(entry for each in found for entry in each.entries))


def _one_review(known: Known, owed: Review) -> Finding:
    fits = [
        (record, entry)
        for record, entry in known.records
        if record.kind == "reviewed" and record.team == owed.by and (not owed.regime or record.regime == owed.regime)
    ]
    about = f"{owed.by} reviewed it{f' for {owed.regime}' if owed.regime else ''}"
    return _in_time(known, fits[0] if fits else None, owed.every, about)


def _independent(known: Known, _: str) -> Finding:
    owners = known.card.owners
    reviews = [each for each in known.records if each[0].kind == "reviewed"]
    others = [each for each in reviews if each[0].team != owners.team and each[0].actor != owners.accountable]
    if reviews and not others:
        return not_met(f"it was reviewed by its own people only ({owners.team})", reviews[0][1])
    return _in_time(known, others[0] if others else None, YEAR, "a team that does not own it reviewed it")


def _approved(known: Known, _: str) -> Finding:
    found = [each for each in known.records if each[0].kind == "approved"]
    if not found:
        return no_evidence("no approval for production was recorded")
    fits = [each for each in found if each[0].version in ("", known.version)]
    if not fits:
        record, entry = found[0]
        said = f"approved was {record.version}"
        if not known.version:
            return no_evidence(f"{said}, and what serves is not known", entry)
        return not_met(f"{known.version} serves, {said}", entry)
    record, entry = fits[0]
    return _sealed(entry, f"{record.actor} recorded the approval of {record.version or 'it'} on {record.at:%Y-%m-%d}")


def _logged(known: Known, _: str) -> Finding:
    if not known.logged:
        return no_evidence("no entry of the decision log is about it")
    count = sum(each.count for each in known.logged.values())
    newest = max((each.newest for each in known.logged.values()), key=lambda each: each.seq)
    return met(f"{count:,} entries are about it, the newest of {newest.at:%Y-%m-%d}", newest)


def _log_sound(known: Known, _: str) -> Finding:
    if known.unsound_since is not None:
        return not_met(f"the decision log has not verified since {known.unsound_since:%Y-%m-%d %H:%M}Z")
    if known.cycle is None:
        return no_evidence("nothing is sealed")
    found = [known.cycle, *(each.newest for each in known.logged.values())]
    broken = [each for each in found if not each.sound]
    if broken:
        return not_met("entries do not have the digests under which they were sealed", *broken)
    return met("it is a Merkle tree; each entry that is cited here has its digest", known.cycle)


def _logs_kept(known: Known, _: str) -> Finding:
    kept = known.card.data.retention.get("predictions") if known.card.data is not None else None
    if kept is None:
        return no_evidence("the card does not say for how long predictions are kept")
    if kept.at_most < SIX_MONTHS:
        return not_met(f"predictions are kept for at most {format_duration(kept.at_most)}, less than six months")
    if kept.at_least is None:
        return no_evidence(f"kept for at most {format_duration(kept.at_most)}; retention.at_least is not declared")
    if kept.at_least < SIX_MONTHS:
        return not_met(f"predictions are promised for {format_duration(kept.at_least)} only")
    return _declared(
        known, f"the card promises that predictions are kept for at least {format_duration(kept.at_least)}"
    )


def _monitored(known: Known, _: str) -> Finding:
    found = [each for each in known.verdicts if any(one.time is not None for one in each.inputs)]
    judged = [each for each in found if each.outcome in ("pass", "fail") and not is_gap(each)]
    blind = {each.rule for each in known.verdicts if is_gap(each)}
    if not judged:
        return no_evidence("no rule could be judged from data", known.cycle)
    late = alive(known)
    if late is not None:
        return late
    count = len({each.rule for each in judged})
    said = f"{count} rule{'s are' if count > 1 else ' is'} judged from data"
    if blind:
        return no_evidence(f"{said}; these lack data: {', '.join(sorted(blind)[:4])}", known.cycle)
    return met(said, known.cycle)


def _rules(known: Known, pack: str) -> Finding:
    nothing = no_evidence(f"no rule of pack {pack} is judged for it")
    return by_rules(known, lambda rule: rule.pack == pack, nothing)


def _objectives(known: Known, _: str) -> Finding:
    if not known.budgets:
        return no_evidence("the card declares no service level objective")
    spent = [each for each in known.budgets if each.left is not None and each.left <= 0]
    unknown = [each for each in known.budgets if each.left is None]
    if spent:
        return not_met("; ".join(f"the error budget of {each.slo} is spent" for each in spent), known.cycle)
    if unknown:
        return no_evidence("; ".join(f"{each.slo}: {each.reason}" for each in unknown), known.cycle)
    left = ", ".join(f"{each.slo} {each.left:.0%}" for each in known.budgets)
    return alive(known) or met(f"error budget left: {left}", known.cycle)


def _slices(known: Known, _: str) -> Finding:
    if not known.card.slices:
        return no_evidence("the card names no slices, so that nothing is judged for a part of the people it is about")
    nothing = no_evidence("slices are named, and no rule judges them")
    sliced = {each.rule for each in known.verdicts if any(name == "slice" for name, _ in each.labels)}
    named = {each.rule for each in known.verdicts if any("_by_slice" in one.name for one in each.inputs)}
    return by_rules(known, lambda rule: rule.id in sliced | named, nothing)


def _incidents_answered(known: Known, _: str) -> Finding:
    waiting = [each for each in known.incidents if each[0].status == "triggered"]
    if waiting:
        names = ", ".join(f"INC-{incident.id} ({incident.severity})" for incident, _ in waiting)
        return not_met(f"nobody has answered {names}", *(entry for _, entry in waiting))
    if known.incidents:
        names = ", ".join(f"INC-{incident.id} ({incident.status})" for incident, _ in known.incidents)
        return met(f"somebody is on {names}", *(entry for _, entry in known.incidents))
    resolved = known.logged.get("incident.resolved")
    if resolved is not None:
        return met(f"none is open; {resolved.count} were resolved", resolved.newest)
    if "incident.opened" not in known.logged:
        return not_applicable("it has had no incident")
    return no_evidence("incidents were opened, and none is told to be resolved")


def _response(known: Known, _: str) -> Finding:
    planned = [name for name, rule in known.rules.items() if rule.then is not None]
    if not planned:
        return not_met("no rule says what is done when it fires")
    acting = sum(known.rules[name].enforcement == "act" for name in planned)
    return _declared(known, f"{_rules_say(len(planned))} what is done, {acting} of them do it by themselves")


def _data_declared(known: Known, _: str) -> Finding:
    data = known.card.data
    if data is None or not data.features:
        return not_met("data.features is empty: what it sees is not declared")
    rests = f", and rests on {', '.join(data.depends_on)}" if data.depends_on else ""
    return _declared(known, f"{len(data.features)} features are declared{rests}")


def _third_parties(known: Known, _: str) -> Finding:
    versions, data = known.card.versions, known.card.data
    named = [each for each in (versions.provider, versions.retrieval) if each] if versions is not None else []
    named += list(data.depends_on) if data is not None else []
    if not named:
        return not_applicable("the card names no provider and nothing that it rests on")
    if versions is None or not versions.fallback:
        return not_met(f"it rests on {', '.join(named)}, and no fallback is named")
    return _declared(known, f"it rests on {', '.join(named)}; without them {versions.fallback} answers")


def _documented(known: Known, _: str) -> Finding:
    card = known.card
    parts = {
        "what it predicts (description)": card.description,
        "who answers (owners.accountable)": card.owners.accountable,
        "which version serves (versions.serving)": card.versions and card.versions.serving,
        "what it sees (data.features)": card.data and card.data.features,
        "how it is measured (log or metrics)": card.log or card.metrics,
        "who oversees it (rollback.authority)": card.rollback and card.rollback.authority,
    }
    missing = [name for name, value in parts.items() if not value]
    if missing:
        return not_met(f"the card lacks {'; '.join(missing)}")
    return _declared(known, "the card has the parts it can hold")


def _changes(known: Known, _: str) -> Finding:
    versions = known.card.versions
    if versions is None or versions.serving is None:
        return not_met("the card does not name the version that serves")
    serving = versions.serving
    said = "a registry says what serves" if isinstance(serving, RegistryName) else f"version {serving} serves"
    return _declared(known, said)


def _prediction_log(known: Known, _: str) -> Finding:
    if known.card.log is None:
        return no_evidence("the card names no prediction log")
    return _declared(known, f"predictions are logged in {known.card.log.table} of {known.card.log.source}")


def _rules_say(count: int) -> str:
    return f"{count} rule{'s say' if count > 1 else ' says'}"


def _declared(known: Known, said: str) -> Finding:
    """Return that the card says something: that proves nothing until an engine rules by that card."""
    if known.adopted is None:
        return no_evidence(f"{said}, but the decision log knows no adoption of these policies")
    return met(said, known.adopted)


def _newest(known: Known, kind: EvidenceKind) -> tuple[Record, Cited | None] | None:
    return next((each for each in known.records if each[0].kind == kind), None)


def _in_time(known: Known, found: tuple[Record, Cited | None] | None, every: timedelta, what: str) -> Finding:
    """Return whether something was done within an interval."""
    if found is None:
        return no_evidence(f"no record says that {what}")
    record, entry = found
    said = f"{what} on {record.at:%Y-%m-%d}"
    if known.at - record.at > every:
        return not_met(f"{said}, {_days(known.at, record.at)} ago; due every {format_duration(every)}", entry)
    return _sealed(entry, said)


def _sealed(entry: Cited | None, said: str) -> Finding:
    return met(said, entry) if entry is not None else no_evidence(f"{said}, which is not sealed yet")


def _days(at: datetime, then: datetime) -> str:
    return f"{(at - then).days} days"


CHECKS: Mapping[str, Check] = {
    "inventory": Check("its card is in policies whose adoption stands in the decision log", _inventory),
    "tier": Check("the card itself says how critical it is (tier)", _tier),
    "purpose": Check("the card says what it predicts (description)", _purpose),
    "people": Check("the card names an accountable person, and whom incidents reach (owners)", _people),
    "authority": Check("the card names who may put it back (rollback.authority)", _authority),
    "way-back": Check("the card names what takes its place (versions.rollback_to or fallback)", _way_back),
    "rollback-practised": Check(
        "its rollback was practised within rollback.drill_every, a year where none is written", _rollback_practised
    ),
    "switch-practised": Check("its kill switch was practised or pulled within a year", _switch_practised),
    "reviewed": Check("each review that the card owes was recorded in time", _reviewed),
    "reviewed-for": Check("the review for {} that the card owes was recorded in time", _reviewed),
    "independent-review": Check("a team other than its own reviewed it within a year", _independent),
    "approved": Check("an approval of the version that serves was recorded", _approved),
    "logged": Check("decisions about it are sealed in the decision log", _logged),
    "prediction-log": Check("the card names its prediction log (log)", _prediction_log),
    "log-sound": Check("the decision log verified last, and what is cited here has its digest", _log_sound),
    "logs-kept": Check("data.retention.predictions promises six months or more (at_least)", _logs_kept),
    "monitored": Check("rules are judged from data, none lacks any, and the engine sealed a cycle today", _monitored),
    "rules": Check("rules of pack {}: all pass on data; one that is waived is not met", _rules),
    "objectives": Check("error budgets of its objectives are measured, and none is spent", _objectives),
    "slices": Check("slices are named, and the rules that judge them pass", _slices),
    "incidents-answered": Check("somebody has answered each open incident", _incidents_answered),
    "response": Check("rules say what is done when they fire (then)", _response),
    "data-declared": Check("the card declares what it sees (data.features)", _data_declared),
    "third-parties": Check("what it rests on is named, and a fallback for when it fails", _third_parties),
    "documented": Check("the card has a description, people, version, features, measures and oversight", _documented),
    "changes": Check("the version that serves is named in policies whose adoption is sealed", _changes),
}


def hows(checks: Iterable[str]) -> str:
    """Return how several checks judge, as one text."""
    return "; ".join(map(how, checks))
