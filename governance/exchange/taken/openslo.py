"""Objectives in OpenSLO v1 as SLOs of a card.

Source: https://github.com/OpenSLO/OpenSLO (the specification of version openslo/v1)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from governance.exchange.taken.foreign import Foreign, Note, Place, Taken, listing, mapping, texts
from governance.exchange.taken.names import free, kebab, snake

_OPERATORS = {"lte": "<=", "lt": "<", "gte": ">=", "gt": ">"}
_WINDOW = re.compile(r"(\d+)([mhdwMQY])")
_DAYS = {"m": 1 / 1440, "h": 1 / 24, "d": 1, "w": 7, "M": 30, "Q": 90, "Y": 365}
_RANGE = re.compile(r"\{\{-?\s*\.?[wW]indow\s*-?\}\}|\$__(?:range|interval|rate_interval)\b|\$\{window\}")
_SELECTOR = re.compile(r"[A-Za-z_:][\w:]*(?:\{[^{}]*\})?")


@dataclass(slots=True)
class _Card:
    """What was taken over so far."""

    metrics: dict[str, dict[str, object]] = field(default_factory=dict)
    slos: dict[str, dict[str, object]] = field(default_factory=dict)
    sources: dict[str, dict[str, object]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    service: str = ""
    description: str = ""


def openslo(documents: list[Foreign]) -> Taken:
    """Return a card with an SLO for each objective."""
    card = _Card()
    indicators = {
        str(mapping(mapping(each.data).get("metadata")).get("name")): each
        for each in documents
        if mapping(each.data).get("kind") == "SLI"
    }
    for document in documents:
        _document(card, document, indicators)
    values: dict[str, object] = {"model": kebab(card.service), "description": card.description}
    found = {name: value for name, value in values.items() if value}
    file = documents[0].file if documents else ""
    return Taken(file, {**found, "metrics": card.metrics, "slos": card.slos}, card.sources, tuple(card.notes))


def _document(card: _Card, document: Foreign, indicators: Mapping[str, Foreign]) -> None:
    data = mapping(document.data)
    kind, version = texts(data.get("kind")), texts(data.get("apiVersion"))
    if not version.startswith("openslo/v1"):
        card.notes.append(
            Note(document.line("apiVersion"), f"apiVersion {version!r} is not openslo/v1: read as far as it is alike")
        )
    if kind == "SLO":
        _slo(card, document, indicators)
    elif kind == "Service":
        card.description = card.description or texts(mapping(data.get("spec")).get("description"))
    elif kind in ("AlertPolicy", "AlertCondition", "AlertNotificationTarget"):
        said = f"{kind} is not taken over: the pack slo alerts on burn rates, org.yaml says who is told"
        card.notes.append(Note(document.line("kind"), said))
    elif kind not in ("SLI", "DataSource"):
        card.notes.append(Note(document.line("kind"), f"kind {kind!r} is not known"))


def _slo(card: _Card, document: Foreign, indicators: Mapping[str, Foreign]) -> None:
    spec = mapping(mapping(document.data).get("spec"))
    meta = mapping(mapping(document.data).get("metadata"))
    name = snake(str(meta.get("name") or meta.get("displayName") or "slo"))
    card.service = card.service or texts(spec.get("service"))
    place: Place = ("spec", "indicator")
    source, indicator = document, mapping(mapping(spec.get("indicator")).get("spec", spec.get("indicator")))
    if "spec" in mapping(spec.get("indicator")):
        place = (*place, "spec")
    reference = spec.get("indicatorRef")
    if reference is not None and str(reference) in indicators:
        source, place = indicators[str(reference)], ("spec",)
        indicator = mapping(mapping(source.data).get("spec"))
    if not indicator:
        what = f"the SLI '{texts(reference)}' is not in these files" if reference else "it has no indicator"
        card.notes.append(Note(document.line("spec", "indicatorRef"), f"{name}: {what}"))
        return
    window = _window(card, document, spec, name)
    if "alertPolicies" in spec:
        said = f"{name}: alertPolicies are not taken over: the pack slo alerts on burn rates"
        card.notes.append(Note(document.line("spec", "alertPolicies"), said))
    if spec.get("budgetingMethod") == "RatioTimeslices":
        said = f"{name}: RatioTimeslices are not known here: counted as Timeslices"
        card.notes.append(Note(document.line("spec", "budgetingMethod"), said))
    for at, objective in enumerate(listing(spec.get("objectives"))):
        where: Place = ("spec", "objectives", at)
        measured = _measured(card, source, place, indicator, name, mapping(objective))
        target = _target(mapping(objective))
        if measured is None:
            continue
        if target is None or not 0 < target < 1:
            said = f"{name}: an objective lies between 0 and 1, not at {texts(mapping(objective).get('target'))}"
            card.notes.append(Note(document.line(*where), said))
            continue
        key = free(name, card.slos, "_")
        card.slos[key] = {"objective": target, "window": window, **measured}
        if not card.description:
            card.description = texts(spec.get("description"))


def _window(card: _Card, document: Foreign, spec: Mapping[str, Any], name: str) -> str:
    windows = listing(spec.get("timeWindow"))
    said = mapping(windows[0]) if windows else {}
    line = document.line("spec", "timeWindow")
    found = _WINDOW.fullmatch(str(said.get("duration", "")))
    if found is None:
        card.notes.append(Note(line, f"{name}: no time window is given, 28d is taken"))
        return "28d"
    if said.get("isRolling") is False or "calendar" in said or found[2] in "MQY":
        card.notes.append(Note(line, f"{name}: windows roll here, none follows a calendar"))
    days = timedelta(days=int(found[1]) * _DAYS[found[2]])
    if not timedelta(days=1) <= days <= timedelta(days=90):
        card.notes.append(Note(line, f"{name}: a window of {found[0]} is outside 1d to 90d, the nearest is taken"))
    return f"{min(max(days.days, 1), 90)}d"


def _target(objective: Mapping[str, Any]) -> float | None:
    for key, scale in (("target", 1), ("targetPercent", 100)):
        value = objective.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return round(float(value) / scale, 12)
    return None


def _measured(
    card: _Card, document: Foreign, place: Place, indicator: Mapping[str, Any], name: str, objective: Mapping[str, Any]
) -> dict[str, object] | None:
    ratio, threshold = mapping(indicator.get("ratioMetric")), mapping(indicator.get("thresholdMetric"))
    if ratio:
        return _ratio(card, document, (*place, "ratioMetric"), ratio, name)
    if threshold:
        operator = _OPERATORS.get(str(objective.get("op", "")).lower())
        value = objective.get("value")
        if operator is None or not isinstance(value, int | float):
            card.notes.append(
                Note(document.line(*place), f"{name}: a threshold needs `op` and `value` in its objective")
            )
            return None
        metric = _metric(card, document, (*place, "thresholdMetric"), threshold, name, counter=False)
        return {"good": f"metrics.{metric} {operator} {float(value)!r}"}
    card.notes.append(Note(document.line(*place), f"{name}: neither ratioMetric nor thresholdMetric"))
    return None


def _ratio(
    card: _Card, document: Foreign, place: Place, ratio: Mapping[str, Any], name: str
) -> dict[str, object] | None:
    counter = ratio.get("counter") is True
    total, good, bad = (mapping(ratio.get(each)) for each in ("total", "good", "bad"))
    if not total or not (good or bad):
        said = f"{name}: a ratio needs `total`, and `good` or `bad`" + (
            "; `raw` is not known here" if "raw" in ratio else ""
        )
        card.notes.append(Note(document.line(*place), said))
        return None
    whole = _metric(card, document, (*place, "total"), total, f"{name}_total", counter=counter)
    if bad:
        wrong = _metric(card, document, (*place, "bad"), bad, f"{name}_bad", counter=counter)
        return {"errors": f"metrics.{wrong}", "total": f"metrics.{whole}"}
    right = _metric(card, document, (*place, "good"), good, f"{name}_good", counter=counter)
    return {"errors": f"metrics.{whole} - metrics.{right}", "total": f"metrics.{whole}"}


def _metric(
    card: _Card, document: Foreign, place: Place, metric: Mapping[str, Any], name: str, *, counter: bool
) -> str:
    asked = mapping(metric.get("metricSource"))
    kind = texts(asked.get("type")).lower() or "prometheus"
    query = _query(mapping(asked.get("spec")) or asked)
    line = document.line(*place, "metricSource")
    source = snake(texts(asked.get("metricSourceRef")) or kind)
    known = "prometheus" if kind in ("prometheus", "thanos", "mimir", "cortex") else "sql" if kind in _SQL else ""
    if not known:
        card.notes.append(
            Note(line, f"{name}: there is no source of the kind {kind!r}; the query is kept, name a source")
        )
        known = "prometheus"
    if not query:
        card.notes.append(Note(line, f"{name}: no query is given"))
        query = "vector(0)"
    query = _RANGE.sub("$window", query)
    if counter and known == "prometheus" and _SELECTOR.fullmatch(query):
        query = f"sum(increase({query}[$window]))"
    card.sources[source] = _address(known)
    found = free(name, card.metrics, "_")
    wanted: dict[str, object] = {"source": source, "query": query}
    same = next((each for each, spec in card.metrics.items() if spec == wanted), None)
    if same is not None:
        return same
    card.metrics[found] = wanted
    return found


_SQL = ("bigquery", "redshift", "postgresql", "postgres", "snowflake", "athena", "sql", "mysql")


def _address(kind: str) -> dict[str, object]:
    if kind == "sql":
        return {"kind": "sql", "address_env": "WAREHOUSE_URL"}
    return {"kind": "prometheus", "address": "http://localhost:9090"}


def _query(spec: Mapping[str, Any]) -> str:
    for key in ("query", "promql", "expr", "sql"):
        if isinstance(spec.get(key), str):
            return str(spec[key]).strip()
    return ""
