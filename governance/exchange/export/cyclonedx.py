"""A bill of materials in CycloneDX 1.6: the model with its card, and the data that it rests on.

Source: https://cyclonedx.org/docs/1.6/json/ (a component of type machine-learning-model has a modelCard).
"""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from governance.core.card import Card, FeatureCard
from governance.core.duration import format_duration
from governance.engine.portrait import Measured, Portrait


def cyclonedx(portrait: Portrait) -> dict[str, Any]:
    """Return the document; its serial number is drawn from what it says, so that the same model gives the same."""
    data = _data(portrait.card)
    model = _model(portrait, data)
    components = [model, *data.values()]
    said = json.dumps(components, sort_keys=True).encode()
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=hashlib.sha256(said).digest()[:16], version=5)}",
        "version": 1,
        "metadata": {
            "timestamp": f"{portrait.at:%Y-%m-%dT%H:%M:%SZ}",
            "tools": {"components": [{"type": "application", "name": "gov", "version": version("model-governance")}]},
            "component": {"type": "application", "bom-ref": "service", "name": f"{portrait.card.model} in service"},
        },
        "components": components,
        "dependencies": [
            {"ref": "service", "dependsOn": [model["bom-ref"]]},
            {"ref": model["bom-ref"], "dependsOn": list(data)},
        ],
    }


def _model(portrait: Portrait, data: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    card = portrait.card
    found: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": f"model:{card.model}",
        "name": card.model,
        "manufacturer": {"name": card.owners.team},
    }
    if card.owners.accountable:
        found["authors"] = [_contact(portrait)]
    if portrait.serving:
        found["version"] = portrait.serving
    if card.description:
        found["description"] = card.description
    found["modelCard"] = {
        "modelParameters": _parameters(card, data),
        "quantitativeAnalysis": {"performanceMetrics": [_metric(each) for each in portrait.measured if _known(each)]},
        "considerations": _considerations(portrait),
        "properties": _properties(portrait),
    }
    return found


def _contact(portrait: Portrait) -> dict[str, str]:
    name = portrait.card.owners.accountable or ""
    person = portrait.organisation.people.get(name)
    email = person.email if person and person.email else name if "@" in name else ""
    return {"name": name, **({"email": email} if email else {})}


def _parameters(card: Card, data: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    features = card.data.features if card.data else {}
    labelled = card.log is not None and card.log.columns.label is not None
    task = "regression" if card.log is not None and card.log.predicts == "number" else "classification"
    return {
        **({"approach": {"type": "supervised"}} if labelled else {}),
        **({"task": task} if card.log is not None else {}),
        "datasets": [{"ref": each} for each in data],
        "inputs": [{"format": f"{name}: {_format(each)}"} for name, each in features.items()],
        "outputs": [{"format": each} for each in _outputs(card)],
    }


def _outputs(card: Card) -> list[str]:
    named = [each for each in (card.log.columns.score, card.log.columns.decision) if each] if card.log else []
    declared = [each for each in (card.data.outputs if card.data else {}) if each not in named]
    kind = f" ({card.log.predicts})" if card.log else ""
    return [f"{each}{kind if index == 0 and card.log and each == card.log.columns.score else ''}"
            for index, each in enumerate([*named, *declared])]  # fmt: skip


def _format(feature: FeatureCard) -> str:
    limits = f" from {feature.range[0]:g} to {feature.range[1]:g}" if feature.range else ""
    return f"{feature.type}{f' in {feature.unit}' if feature.unit else ''}{limits}"


def _metric(measured: Measured) -> dict[str, str]:
    labels = ", ".join(f"{name}={value}" for name, value in measured.labels.items())
    found = {"type": measured.metric.name, "value": f"{measured.value:.6g}"}
    return {**found, "slice": labels} if labels else found


def _known(measured: Measured) -> bool:
    return measured.value is not None and math.isfinite(measured.value)


def _considerations(portrait: Portrait) -> dict[str, Any]:
    card = portrait.card
    failing = dict.fromkeys(each.summary for each in portrait.verdicts if each.outcome == "fail" and each.summary)
    waived = (f"{each.rule} is waived until {each.until:%Y-%m-%d}: {each.because}" for each in portrait.waivers)
    found = {
        "users": list(card.data.access) if card.data else [],
        "useCases": [card.description] if card.description else [],
        "technicalLimitations": [*failing, *waived],
        "ethicalConsiderations": [
            {"name": f"{name} is {each.pii} personal data", "mitigationStrategy": _mitigation(card)}
            for name, each in (card.data.features.items() if card.data else ())
            if each.pii != "none"
        ],
    }
    return {name: value for name, value in found.items() if value}


def _mitigation(card: Card) -> str:
    kept = card.data.retention.get("features") if card.data else None
    access = f"only {', '.join(card.data.access)} may query it" if card.data and card.data.access else ""
    limit = f"kept for at most {format_duration(kept.at_most)}" if kept else ""
    return "; ".join(each for each in (limit, access) if each) or "none is declared"


def _data(card: Card) -> dict[str, dict[str, Any]]:
    """Return the data components by their reference: the log, its labels, the training-time rows, what is upstream."""
    tables: dict[str, str] = {}
    if card.log is not None:
        tables[card.log.table] = "predictions in service"
        tables |= {card.log.labels: "the truth of predictions"} if card.log.labels else {}
        tables |= {card.log.reference: "training-time rows"} if card.log.reference else {}
    tables |= dict.fromkeys(card.data.depends_on if card.data else (), "upstream")
    sensitive = sorted({each.pii for each in (card.data.features.values() if card.data else ()) if each.pii != "none"})
    owner = {"owners": [{"organization": {"name": card.owners.team}}]}
    return {
        f"data:{name}": {
            "type": "data",
            "bom-ref": f"data:{name}",
            "name": name,
            "description": what,
            "data": [{
                "type": "dataset",
                "name": name,
                **({"sensitiveData": sensitive} if sensitive and what != "upstream" else {}),
                **({"governance": owner} if what != "upstream" else {}),
            }],
        }
        for name, what in tables.items()
    }  # fmt: skip


def _properties(portrait: Portrait) -> list[dict[str, str]]:
    card = portrait.card
    pairs = {
        "gov:policy": portrait.version,
        "gov:tier": str(card.tier),
        "gov:regimes": ", ".join(card.regimes),
        "gov:rollback_to": (card.versions.rollback_to or "") if card.versions else "",
        "gov:fallback": (card.versions.fallback or "") if card.versions else "",
        "gov:trained": f"{portrait.evidence.trained:%Y-%m-%d}" if portrait.evidence.trained else "",
        **{
            f"gov:slo:{name}": f"{slo.objective:.6g} over {format_duration(slo.window)}"
            for name, slo in card.slos.items()
        },
        **{f"gov:reviewed:{team}": f"{at:%Y-%m-%d}" for team, at in portrait.evidence.reviewed.items()},
    }
    return [{"name": name, "value": value} for name, value in pairs.items() if value]
