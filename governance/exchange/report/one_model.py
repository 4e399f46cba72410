"""What the report tells of one model: its card in short, its controls with their evidence, and what is open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from governance.core.card import Card, RegistryName, Retention
from governance.core.compliance import answers_to
from governance.core.control import STATES, Budget, Judgement
from governance.core.duration import format_duration, in_words
from governance.core.frameworks import FRAMEWORKS
from governance.engine.fleet_report import ModelReport
from governance.engine.portrait import Measured
from governance.exchange.report.parts import (
    Aside,
    Block,
    Cell,
    Code,
    Entries,
    Facts,
    Mark,
    Name,
    Note,
    Part,
    Plot,
    Section,
    Table,
    Tone,
    entries,
    since,
    stamp,
    state,
)

TIERS = {1: "critical", 2: "important", 3: "experimental"}
SEVERITY: dict[str, Tone] = {"critical": "bad", "warning": "unknown", "info": "quiet"}
_RECORDED = {
    "trained": "trained",
    "reviewed": "reviewed",
    "drilled": "rollback practised",
    "switch_drilled": "kill switch practised",
    "approved": "approved for production",
}
_HEAD = ("Found", "Control", "Why", "Entries")
_SHOWN = 12
"""How many records of what was done are shown, the newest first."""


def one_model(report: ModelReport) -> Section:
    """Return the section about a model, closed, with what it comes to beside its name."""
    card = report.card
    blocks: list[Block] = [
        Note(card.description or "What it predicts is not described."),
        Facts(tuple(_facts(report))),
        Section("Controls", tuple(_controls(report))),
        Section("Rules that fail now", (_failing(report),)),
        Section("Open incidents", (_incidents(report),)),
        Section("Waivers", tuple(_waivers(report))),
        Section("Error budgets", tuple(_budgets(report))),
        Section("Drills, reviews and other evidence", tuple(_done(report))),
        Section("Data, personal data and retention", tuple(_data(card))),
        Section("Cost", (_cost(report),)),
    ]
    tier = Aside(f"tier {card.tier}, {TIERS[card.tier]} · {card.owners.team}")
    return Section(card.model, tuple(blocks), f"m-{card.model}", fold=True, summary=(tier, *tallies(report)))


def tallies(report: ModelReport) -> tuple[Part, ...]:
    """Return how many controls are in each state, and what is open; a model with nothing met shows no green."""
    found: list[Part] = []
    for each in STATES[:3]:
        count = report.count(each)
        if count:
            found.append(Mark(state(each).tone, f"{count} {each}"))
    if report.known.incidents:
        worst = "critical" if any(each.severity == "critical" for each, _ in report.known.incidents) else "open"
        found.append(Mark("bad", _many(len(report.known.incidents), f"{worst} incident")))
    if report.known.waivers:
        found.append(Mark("unknown", _many(len(report.known.waivers), "waiver")))
    return tuple(found)


def own(reports: Iterable[ModelReport]) -> Iterator[Section]:
    """Yield what the engine tells of itself: it is governed by rules, and has no controls of a model."""
    for each in reports:
        blocks = (Section("Rules that fail now", (_failing(each),)), Section("Open incidents", (_incidents(each),)))
        yield Section(each.card.model, blocks, f"m-{each.card.model}", fold=True, summary=tallies(each))


def _facts(report: ModelReport) -> Iterator[tuple[str, Cell]]:
    card, owners, versions = report.card, report.card.owners, report.card.versions
    pairs: dict[str, str | None] = {
        "Accountable": owners.accountable or "nobody is named",
        "Team": owners.team,
        "Incidents reach": owners.escalation or owners.channel or "nobody is named",
        "May roll it back": ", ".join(card.rollback.authority) if card.rollback else None,
        "Regimes": ", ".join(card.regimes) or "none is named",
        "Serves": _serves(report),
        "Rolls back to": versions.rollback_to if versions else None,
        "Fallback": versions.fallback if versions else None,
        "Canary": f"{versions.canary.version}, {versions.canary.share:.0%}" if versions and versions.canary else None,
        "Predictions due": f"every {format_duration(card.cadence.every)}"
        + (f", {card.cadence.hours} {card.cadence.zone}" if card.cadence.hours else ""),
        "Rests on": ", ".join(card.data.depends_on) if card.data else None,
        "Labels": ", ".join(f"{name}: {value}" for name, value in card.labels.items()),
    }
    yield from ((name, value) for name, value in pairs.items() if value)
    yield "Kill switch", _switch(report)
    judged = report.known.cycle
    said: tuple[Part, ...] = ("by the engine ", since(judged.at, report.known.at)) if judged else ("never",)
    yield "Judged", (*said, " ", entries([judged]))


def _serves(report: ModelReport) -> str | None:
    versions = report.card.versions
    named = versions.serving if versions else None
    if isinstance(named, RegistryName):
        return f"{report.version or 'not known now'} ({named.serving} of {named.name} in {named.registry})"
    return named or report.version or None


def _switch(report: ModelReport) -> Cell:
    worst = report.switch.worst
    if worst is None:
        return ("live" if report.switch.seq else "live; it was never pulled",)
    return (
        Mark("bad", worst.mode),
        f" for {worst.scope}, by {worst.set_by}: {worst.reason} ",
        since(worst.set_at, report.known.at),
    )


def _controls(report: ModelReport) -> Iterator[Block]:
    judged = [each for each in (*report.judgements, *report.elsewhere) if each.state != "not applicable"]
    ordered = sorted(judged, key=lambda each: STATES.index(each.state))
    rows = tuple(_control(each) for each in ordered if each.state != "met")
    yield Table(_HEAD, rows, "Of what was judged, everything is met." if judged else "No control is about it.")
    good = tuple(_control(each) for each in ordered if each.state == "met")
    if good:
        yield Section("Met", (Table(_HEAD, good),), fold=True, summary=(Mark("good", str(len(good))),))
    for framework in FRAMEWORKS:
        away = answers_to(report.known, framework)
        if away:
            yield Note((Mark("quiet", "not applicable"), f" {framework.title}: {away}."))
    single = [each for each in report.judgements if each.state == "not applicable" and each not in _away(report)]
    if single:
        said = "; ".join(f"{each.control.id}: {each.findings[0].why}" for each in single)
        yield Note((Mark("quiet", "not applicable"), f" {said}."))


def _away(report: ModelReport) -> list[Judgement]:
    gone = {
        control.id for framework in FRAMEWORKS if answers_to(report.known, framework) for control in framework.controls
    }
    return [each for each in report.judgements if each.control.id in gone]


def _control(judgement: Judgement) -> tuple[Cell, ...]:
    """Return the row of a control: what made it so comes first, and what else was looked at does not hide it."""
    decisive = [each.why for each in judgement.findings if each.state == judgement.state]
    others = [f"{each.state}: {each.why}" for each in judgement.findings if each.state != judgement.state]
    why: tuple[Part, ...] = ("; ".join(decisive), *([Aside(" · ".join(["", *others]))] if others else []))
    return (
        (state(judgement.state),),
        (Name(judgement.control.name), " ", Aside(judgement.control.asks)),
        why,
        (Entries(judgement.entries),),
    )


def _failing(report: ModelReport) -> Table:
    found: dict[tuple[str, str], int] = {}
    for each in report.failing:
        key = (each.rule, each.severity or "")
        found[key] = found.get(key, 0) + 1
    rows = tuple(
        (
            (Mark(SEVERITY[severity], severity),),
            (Code(rule),),
            f"{report.known.summaries.get(rule, '')}{f' (and {count - 1} more)' if count > 1 else ''}",
            report.known.rules[rule].remedy,
        )
        for (rule, severity), count in found.items()
    )
    return Table(("Severity", "Rule", "What", "Remedy"), rows, "None.")


def _incidents(report: ModelReport) -> Table:
    at = report.known.at
    rows = tuple(
        (
            (Mark(SEVERITY[incident.severity], incident.severity),),
            f"INC-{incident.id}",
            incident.title,
            f"{incident.status}{f' by {incident.acknowledged_by}' if incident.acknowledged_by else ''}",
            (since(incident.opened_at, at),),
            (entries([entry]),),
        )
        for incident, entry in report.known.incidents
    )
    return Table(("Severity", "Incident", "What", "Status", "Opened", "Entries"), rows, "None.")


def _waivers(report: ModelReport) -> Iterator[Block]:
    at = report.known.at
    rows = tuple(
        (
            (Code(waiver.rule), _labels(waiver.labels)),
            waiver.because,
            f"{waiver.requested_by}, approved by {waiver.approved_by}",
            (_ends(waiver.ends), stamp(waiver.until), Aside(f" in {in_words(waiver.until - at)}")),
            (entries([entry]),),
        )
        for waiver, entry in report.known.waivers
    )
    yield Table(("Rule", "Because", "Asked by", "Ends", "Entries"), rows, "None is in force.")
    for each in report.requests:
        yield Note(f"Asked for by {each.requested_by}, not in force: {each.text}")


def _ends(before: tuple[str, ...]) -> str:
    return f"{' or '.join(each.replace('_', ' ') for each in before)}, at the latest " if before else ""


def _labels(labels: Iterable[tuple[str, str]]) -> str:
    said = ", ".join(f"{name}={value}" for name, value in labels)
    return f" {{{said}}}" if said else ""


def _budgets(report: ModelReport) -> Iterator[Block]:
    found = report.known.budgets
    rows = tuple((each.slo, _left(each), _objective(report, each), (since(each.time, report.known.at),))
                 if each.left is not None
                 else (each.slo, (Mark("unknown", "no evidence"), f" {each.reason}"), _objective(report, each), "")
                 for each in found)  # fmt: skip
    yield Table(("Objective", "Budget left", "What is good", "Of"), rows, "The card declares no objective.")
    yield from (Plot(each, report.known.at) for each in found if each.left is not None)


def _left(budget: Budget) -> Cell:
    left = budget.left or 0.0
    return (Mark("bad" if left <= 0 else "unknown" if left < 0.25 else "good", f"{left:.0%}"),)


def _objective(report: ModelReport, budget: Budget) -> Cell:
    spec = report.card.slos[budget.slo]
    what = spec.good or f"{spec.errors} of {spec.total} are bad"
    return (f"{budget.objective:.4g} over {format_duration(budget.window)}: ", Code(what))


def _done(report: ModelReport) -> Iterator[Block]:
    at, rollback = report.known.at, report.card.rollback
    rows = tuple(
        (
            _RECORDED[record.kind] + (f" by {record.team}" if record.team else ""),
            (since(record.at, at),),
            record.regime,
            record.version,
            record.actor,
            record.note,
            (entries([entry]) if entry is not None else "not sealed",),
        )
        for record, entry in report.known.records[:_SHOWN]
    )
    head = ("What", "When", "Regime", "Version", "Recorded by", "Note", "Entries")
    yield Table(head, rows, "Nothing was recorded: neither a training nor a review, a drill or an approval.")
    due = [f"the rollback is practised every {format_duration(rollback.drill_every)}"] if (
        rollback is not None and rollback.drill_every is not None) else []  # fmt: skip
    due += [
        f"{each.by} reviews it every {format_duration(each.every)}{f' for {each.regime}' if each.regime else ''}"
        for each in report.card.review
    ]
    retraining = report.card.retraining
    due += [f"it is trained every {format_duration(retraining.every)}"] if retraining and retraining.every else []
    yield Note(f"The card owes: {'; '.join(due)}." if due else "The card owes no drill, no review and no training.")


def _data(card: Card) -> Iterator[Block]:
    data = card.data
    if data is None:
        yield Note((Mark("unknown", "no evidence"), " the card declares no data."))
        return
    features = [(name, each.pii) for name, each in data.features.items()]
    outputs = [(f"{name} (output)", each.pii) for name, each in data.outputs.items()]
    personal = [f"{name}: {pii.replace('_', ' ')}" for name, pii in (*features, *outputs) if pii != "none"]
    kept = "; ".join(f"{kind} {_kept(each)}" for kind, each in data.retention.items())
    yield Facts(
        (
            ("Declared", f"{len(data.features)} features, {len(data.outputs)} outputs"),
            ("Personal data", "; ".join(personal) or "the card declares none"),
            ("Retention", kept or "not declared"),
            ("May query it", ", ".join(data.access) or "not declared"),
        )
    )


def _kept(retention: Retention) -> str:
    least = f", at least {format_duration(retention.at_least)}" if retention.at_least else ""
    where = f" in {retention.where}" if retention.where else ""
    return f"at most {format_duration(retention.at_most)}{least}{where}"


def _cost(report: ModelReport) -> Facts:
    cost = report.card.cost
    currency = cost.currency if cost else ""
    limits = [f"{cost.per_1k:g} {currency} for 1,000 predictions"] if cost and cost.per_1k is not None else []
    limits += [f"{cost.per_day:g} {currency} a day"] if cost and cost.per_day is not None else []
    rows: list[tuple[str, Cell]] = [("Envelope", "; ".join(limits) or "the card declares none")]
    names = {"cost_per_1k": "For 1,000 predictions", "spend": "Spent"}
    rows += [(names[each.metric.name], _money(report, each, currency)) for each in report.measured]
    return Facts(tuple(rows))


def _money(report: ModelReport, measured: Measured, currency: str) -> Cell:
    if measured.value is None:
        return (Mark("unknown", "no evidence"), f" {measured.reason}")
    over = format_duration(measured.metric.query.window)
    return (f"{measured.value:,.4g} {currency} over {over} ", since(measured.time, report.known.at))


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count > 1 else ''}"
