"""Alerting rules of Prometheus as rules of a card.

Source: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
An alert there fires for each sample that its expression returns. A comparison with a number becomes a metric and a
condition over it; anything else is counted: `count(…) or vector(0)`, which is above 0 just when the alert would fire.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.core.duration import parse_duration
from governance.exchange.taken.foreign import Foreign, Note, Place, Taken, listing, mapping, texts
from governance.exchange.taken.names import free, kebab, snake
from governance.exchange.taken.promql import comparison, labels

SOURCE = "prometheus"
_SEVERITIES = {
    **dict.fromkeys(("critical", "page", "emergency", "error", "high", "p1", "fatal"), "critical"),
    **dict.fromkeys(("warning", "warn", "ticket", "medium", "low", "p2", "p3", "minor"), "warning"),
    **dict.fromkeys(("info", "none", "informational", "notice"), "info"),
}
_TEMPLATE = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_AGGREGATES = {">": "max", ">=": "max", "<": "min", "<=": "min"}


@dataclass(slots=True)
class _Card:
    """What was taken over so far."""

    metrics: dict[str, dict[str, object]] = field(default_factory=dict)
    rules: dict[str, dict[str, object]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def prometheus_rules(documents: list[Foreign]) -> Taken:
    """Return a card with a rule for each alert."""
    card = _Card()
    for document in documents:
        around: Place = ("spec",) if "groups" not in mapping(document.data) else ()
        groups = listing(mapping(mapping(document.data).get("spec", document.data)).get("groups"))
        if not groups:
            card.notes.append(Note(document.line(), "no `groups` with rules here"))
        for at, group in enumerate(groups):
            _group(card, document, (*around, "groups", at), mapping(group))
    values = {"metrics": card.metrics, "rules": list(card.rules.values())}
    sources: dict[str, dict[str, object]] = {SOURCE: {"kind": "prometheus", "address": "http://localhost:9090"}}
    return Taken(documents[0].file if documents else "", {**values}, sources, tuple(card.notes))


def _group(card: _Card, document: Foreign, place: Place, group: Mapping[str, Any]) -> None:
    for key in ("limit", "query_offset", "partial_response_strategy"):
        if key in group:
            card.notes.append(Note(document.line(*place, key), f"`{key}` of a group has no counterpart"))
    for at, rule in enumerate(listing(group.get("rules"))):
        where, found = (*place, "rules", at), mapping(rule)
        if "alert" in found and isinstance(found.get("expr"), str | int | float):
            _alert(card, document, where, found, group)
        elif "record" in found:
            said = f"the recording rule {texts(found['record'])} stays with Prometheus; queries may name it"
            card.notes.append(Note(document.line(*where), said))
        else:
            card.notes.append(Note(document.line(*where), "no alerting rule: it lacks `alert` or `expr`"))


def _alert(card: _Card, document: Foreign, place: Place, rule: Mapping[str, Any], group: Mapping[str, Any]) -> None:
    def note(text: str, *key: str) -> None:
        card.notes.append(Note(document.line(*place, *key), f"{texts(rule['alert'])}: {text}"))

    severity = _severity(rule, note)
    base = kebab(str(rule["alert"])) or "rule"
    name = base if base not in card.rules else free(f"{base}-{severity}", card.rules)
    expression = str(rule["expr"]).strip()
    metric, condition, split = _condition(card, expression, snake(name), str(group.get("interval", "")), note)
    found: dict[str, object] = {"rule": name, "when": condition, "severity": severity}
    for key in ("for", "keep_firing_for"):
        if (length := _duration(rule.get(key))) is not None:
            found[key] = length
        elif rule.get(key) not in (None, 0, "0", "0s", "0m"):
            note(f"`{key}: {texts(rule[key])}` is no duration", key)
    found |= _words(rule, metric, split, note)
    others = [each for each in mapping(rule.get("labels")) if each != "severity"]
    if others:
        note(f"labels {', '.join(others)} are not taken over: owners and escalation are the card's", "labels")
    card.rules[name] = found


def _condition(card: _Card, expression: str, name: str, interval: str, note: Any) -> tuple[str, str, tuple[str, ...]]:
    compared = comparison(expression)
    if compared is None or compared.operator not in _AGGREGATES:
        note("counted, as it is no comparison with a number: it holds when the expression returns a sample", "expr")
        metric = _metric(card, name, {"query": f"count({expression}) or vector(0)"}, interval)
        return metric, f"metrics.{metric} > 0", ()
    split = labels(compared.left)
    query: dict[str, object] = {"query": compared.left}
    if split is None:
        worst = _AGGREGATES[compared.operator]
        query = {"query": f"{worst}({compared.left})"}
        note(f"which labels its series have is not known here: the {worst} of all is judged; "
             "write sum by (…) and `labels: […]` to judge each", "expr")  # fmt: skip
    elif split:
        query["labels"] = list(split)
    if "@" in re.sub(r"\"[^\"]*\"|'[^']*'", "", expression):
        note("the modifier @ is refused here: every query is asked as of its time", "expr")
    metric = _metric(card, name, query, interval)
    return metric, f"metrics.{metric} {compared.operator} {_number(compared.limit)}", split or ()


def _metric(card: _Card, name: str, query: Mapping[str, object], interval: str) -> str:
    every = {"every": interval} if _duration(interval) is not None else {}
    wanted = {"source": SOURCE, **query, **every}
    known = next((each for each, spec in card.metrics.items() if spec == wanted), None)
    if known is not None:
        return known
    found = free(name, card.metrics, "_")
    card.metrics[found] = wanted
    return found


def _severity(rule: Mapping[str, Any], note: Any) -> str:
    said = mapping(rule.get("labels")).get("severity")
    if said is None:
        return "warning"
    found = _SEVERITIES.get(str(said).lower())
    if found is None:
        note(f"the severity {texts(said)!r} is not known: taken for warning", "labels", "severity")
    return found or "warning"


def _words(rule: Mapping[str, Any], metric: str, split: tuple[str, ...], note: Any) -> dict[str, str]:
    said = mapping(rule.get("annotations"))
    found = {}
    summary = said.get("summary") or said.get("message") or said.get("description")
    if summary:
        found["summary"] = _template(str(summary), metric, split, note)
    remedy = said.get("description") if said.get("summary") else None
    links = [str(said[each]) for each in ("runbook_url", "runbook", "dashboard_url", "dashboard") if each in said]
    plain = _TEMPLATE.sub("…", str(remedy)) if remedy else ""
    said_plainly = texts(plain) if re.search(r"\w", plain) else ""
    text = " ".join(part for part in (said_plainly, *map(texts, links)) if part)
    return {**found, **({"remedy": text} if text else {})}


def _template(text: str, metric: str, split: tuple[str, ...], note: Any) -> str:
    """Return an annotation as a summary: the value and the labels in braces, everything else as it is written."""
    pieces, last = [], 0
    for found in _TEMPLATE.finditer(text):
        pieces.append(_literal(text[last : found.start()]))
        last = found.end()
        inside = found[1]
        label = re.fullmatch(r"\$labels\.(\w+)|\.Labels\.(\w+)", inside)
        name = (label[1] or label[2]) if label else ""
        if re.fullmatch(r"(?:\$value|\.Value)(?:\s*\|.*)?|(?:printf\s.*|humanize\w*\s+)\$value", inside, re.DOTALL):
            pieces.append(f"{{metrics.{metric}}}")
        elif name and name in split:
            pieces.append(f"{{labels.{name}}}")
        else:
            note(f"{texts(found[0])} of its annotation is not known here", "annotations")
            pieces.append("…")
    return texts("".join([*pieces, _literal(text[last:])]))


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _duration(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        return value if parse_duration(value) else None
    except ValueError:
        return None


def _number(value: float) -> str:
    return f"{value:.1f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
