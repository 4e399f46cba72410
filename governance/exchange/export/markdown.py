"""A model card in Markdown: what the model is, who answers for it, what it must keep to and how it does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from governance.core.card import Card, RegistryName, Retention
from governance.core.duration import format_duration
from governance.core.expression import displayed
from governance.core.measure import MEASURES
from governance.core.policy import EffectiveRule
from governance.engine.portrait import Measured, Portrait
from governance.views import RuleView

_MARKS = {"pass": "✓ pass", "fail": "✗ fail", "waived": "~ waived", "error": "! error"}
_MINUTE, _MANY = 60, 10_000
_PARAMETER = re.compile(r"parameters\.(\w+)")
_SPECIAL = str.maketrans({each: "\\" + each for each in "\\`*_[]<>|#"})


def markdown(portrait: Portrait) -> str:
    """Return the card as a Markdown page."""
    card = portrait.card
    sections = [
        (f"# {text(card.model)}", [text(card.description or "What it predicts is not described.")]),
        ("", _facts(portrait)),
        ("## What it must keep to", _rules(portrait)),
        ("## How good it is", _measured(portrait)),
        ("## Objectives", _slos(card)),
        ("## Data", _data(card)),
        ("## Waivers", [_waiver(each) for each in _waivers(portrait)]),
        ("## Evidence", _evidence(portrait)),
    ]
    body = [line for title, lines in sections if lines for line in ([title, ""] if title else []) + [*lines, ""]]
    command = code(f"gov export {card.model} --to markdown")
    ending = f"As of {stamp(portrait.at)}, under policy {portrait.version}. Written by {command}."
    return "\n".join([*body, "---", "", ending]) + "\n"


def text(value: object) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return " ".join(str(value).split()).translate(_SPECIAL)


def code(value: object) -> str:
    """Return a text as code, whatever backticks it holds; a bar would end the cell of a table."""
    shown = " ".join(str(value).split()).replace("|", "\\|")
    fence = "``" if "`" in shown else "`"
    pad = " " if "`" in shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def stamp(at: datetime) -> str:
    """Return an instant in UTC."""
    return f"{at:%Y-%m-%d %H:%M}Z"


def value(measured: Measured) -> str:
    """Return a number with its unit."""
    known = MEASURES.get(measured.metric.spec.measure or "")
    unit = measured.metric.spec.unit or (known.unit if known else "")
    if measured.value is None:
        return "–"
    if unit == "s" and measured.value >= _MINUTE:
        return format_duration(timedelta(minutes=round(measured.value / _MINUTE)))
    number = f"{measured.value:,.0f}" if abs(measured.value) >= _MANY else f"{measured.value:.4g}"
    return number if unit in {"", "currency"} else f"{number} {unit}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table, none of no rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *lines] if lines else []


def _facts(portrait: Portrait) -> list[str]:
    card, owners = portrait.card, portrait.card.owners
    versions = card.versions
    serving = versions.serving if versions else None
    shown = (
        f"{serving.serving} of {serving.name} in {serving.registry}" if isinstance(serving, RegistryName) else serving
    )
    canary = f"{versions.canary.version} ({versions.canary.share:.0%})" if versions and versions.canary else None
    pairs = {
        "Team": owners.team,
        "Accountable": owners.accountable,
        "Channel": owners.channel,
        "Tier": {1: "1, critical", 2: "2, important", 3: "3, experimental"}[card.tier],
        "Regimes": ", ".join(card.regimes),
        "Labels": ", ".join(f"{name}: {each}" for name, each in card.labels.items()),
        "Serving version": shown,
        "Rollback to": versions.rollback_to if versions else None,
        "Fallback": versions.fallback if versions else None,
        "Canary": canary,
        "Shadow": versions.shadow if versions else None,
        "Predictions due": f"every {format_duration(card.cadence.every)}"
        + (f", {card.cadence.hours} {card.cadence.zone}" if card.cadence.hours else ""),
    }
    return table(("", ""), [(name, text(each)) for name, each in pairs.items() if each])


def _rules(portrait: Portrait) -> list[str]:
    by_rule: dict[str, list[RuleView]] = {}
    for each in portrait.verdicts:
        by_rule.setdefault(each.rule, []).append(each)
    rows = []
    for rule in portrait.policy.rules:
        conditions = "; ".join(f"{severity}: {code(written.text)}" for severity, written in rule.rule.conditions)
        limits = _limits(rule.rule, portrait)
        rows.append((text(rule.rule.id), f"{conditions}{limits}", _outcome(by_rule.get(rule.rule.id, []))))
    intro = ["A rule is wrong when its condition holds.", ""] if rows else []
    return [*intro, *table(("Rule", "Condition", "Now"), rows)]


def _limits(rule: EffectiveRule, portrait: Portrait) -> str:
    """Return the values of the parameters that a rule's conditions name."""
    values = portrait.policy.policy.parameters.get(rule.pack, {})
    named = dict.fromkeys(name for _, written in rule.conditions for name in _PARAMETER.findall(written.text))
    shown = (f"{name} = {displayed(values[name])}" for name in named if name in values)
    return " " + text(f"(with {listed})") if (listed := ", ".join(shown)) else ""


def _outcome(views: Sequence[RuleView]) -> str:
    counts: dict[str, int] = {}
    for each in views:
        counts[each.outcome] = counts.get(each.outcome, 0) + 1
    worst = next((each.summary for each in views if each.outcome == "fail"), "")
    listed = ", ".join(
        f"{_MARKS.get(name, f'? {name}')}{f' ×{count}' if count > 1 else ''}" for name, count in counts.items()
    )
    return text(f"{listed}: {worst}" if worst else listed or "not judged")


def _measured(portrait: Portrait) -> list[str]:
    quality = [each for each in portrait.whole() if _needs_truth(each)]
    service = [each for each in portrait.whole() if not _needs_truth(each)]
    lines: list[str] = []
    for title, found in (("On labels", quality), ("In service", service)):
        rows = [(text(each.metric.name), _meaning(each), text(value(each)), _rested(each)) for each in found]
        shown = table((title, "Meaning", "Value", "Over"), rows)
        lines += [*([""] if lines and shown else []), *shown]
    sliced = [
        (
            text(each.metric.name),
            text(f"{each.labels['slice']} {each.labels['value']}"),
            text(value(each)),
            _rested(each),
        )
        for each in portrait.slices()
    ]
    shown = table(("By slice", "Slice", "Value", "Over"), sliced)
    return [*lines, *([""] if lines and shown else []), *shown]


def _needs_truth(measured: Measured) -> bool:
    return measured.metric.needs_truth


def _meaning(measured: Measured) -> str:
    known = MEASURES.get(measured.metric.spec.measure or "")
    return text(known.description if known else "")


def _rested(measured: Measured) -> str:
    rows = f", {measured.count:,} rows" if measured.count is not None else ""
    return f"{format_duration(measured.metric.query.window)}{rows}"


def _slos(card: Card) -> list[str]:
    rows = []
    for name, slo in card.slos.items():
        what = code(slo.good) if slo.good else f"{code(slo.errors)} of {code(slo.total)} bad"
        rows.append((text(name), f"{slo.objective:.6g}", format_duration(slo.window), what))
    return table(("Objective", "Share that must be good", "Window", "What is good"), rows)


def _data(card: Card) -> list[str]:
    data = card.data
    if data is None:
        return []
    rows: list[tuple[str, ...]] = [
        (
            text(name),
            each.type,
            text(each.unit or ""),
            f"{each.range[0]:g} to {each.range[1]:g}" if each.range else "",
            each.pii,
        )
        for name, each in data.features.items()
    ]
    rows += [(f"{text(name)} (output)", "", "", "", each.pii) for name, each in data.outputs.items()]
    lines = table(("Feature", "Type", "Unit", "Range", "Personal data"), rows)
    facts = [f"- {kind} are kept for {_kept(each)}" for kind, each in data.retention.items()]
    facts += [f"- who may query it: {text(', '.join(data.access))}"] if data.access else []
    facts += [f"- it depends on: {text(', '.join(data.depends_on))}"] if data.depends_on else []
    if card.truth is not None:
        delay, complete = (format_duration(each) for each in (card.truth.delay, card.truth.complete_after))
        facts.append(f"- the truth takes {delay}; all of it is there after {complete}")
    return [*lines, *([""] if lines and facts else []), *facts]


def _kept(retention: Retention) -> str:
    least = f", at least {format_duration(retention.at_least)}" if retention.at_least else ""
    return f"at most {format_duration(retention.at_most)}{least}"


def _waivers(portrait: Portrait) -> Iterator[tuple[str, str]]:
    for each in portrait.waivers:
        people = f"asked for by {each.requested_by}, approved by {each.approved_by}"
        said = f"until {each.until:%Y-%m-%d}, {people}: {each.because}"
        yield each.rule, said


def _waiver(pair: tuple[str, str]) -> str:
    return f"- {text(pair[0])} {text(pair[1])}"


def _evidence(portrait: Portrait) -> list[str]:
    found = portrait.evidence
    times = found.once
    times |= {f"reviewed by {team}": at for team, at in found.reviewed.items()}
    return [f"- {text(name)} on {at:%Y-%m-%d}" for name, at in times.items()]
