"""The front matter of a Hugging Face model card, followed by the card in Markdown.

Keys as documented at https://huggingface.co/docs/hub/model-cards; `model-index` holds the metrics for each task and
data set, as in https://github.com/huggingface/hub-docs/blob/main/modelcard.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from governance.engine.portrait import Measured, Portrait
from governance.exchange.export.markdown import markdown
from governance.loader.writing import block

METRICS: Mapping[str, tuple[str, str]] = {
    "accuracy": ("accuracy", "Accuracy"),
    "precision": ("precision", "Precision"),
    "recall": ("recall", "Recall"),
    "auc": ("roc_auc", "AUC"),
    "log_loss": ("log_loss", "Log loss"),
    "mae": ("mae", "MAE"),
    "rmse": ("rmse", "RMSE"),
}
"""Measures that have a name there, and how they are shown."""


def front_matter(portrait: Portrait) -> dict[str, object]:
    """Return what the front matter says; a key of which nothing is known is left out."""
    card = portrait.card
    task = _task(portrait)
    found: dict[str, object] = {}
    for name in ("license", "language", "library_name", "base_model"):
        if name in card.labels:
            found[name] = card.labels[name]
    found["tags"] = ["model-card", *(f"{name}:{value}" for name, value in card.labels.items() if name not in found)]
    measured = [each for each in portrait.whole() if each.metric.spec.measure in METRICS and _sound(each, task)]
    if card.log is not None:
        found["pipeline_tag"] = task
        found["datasets"] = [each for each in (card.log.reference,) if each]
        found["metrics"] = [METRICS[each.metric.spec.measure or ""][0] for each in measured]
    if measured:
        found["model-index"] = [{"name": card.model, "results": [_result(portrait, task, measured)]}]
    return {name: value for name, value in found.items() if value}


def hugging_face(portrait: Portrait) -> str:
    """Return README.md: the front matter, then the card."""
    return "\n".join(["---", *block(front_matter(portrait)), "---", "", markdown(portrait)])


def _task(portrait: Portrait) -> str:
    log = portrait.card.log
    return "tabular-regression" if log is not None and log.predicts == "number" else "tabular-classification"


def _sound(measured: Measured, task: str) -> bool:
    numbers = measured.metric.spec.measure in {"mae", "rmse"}
    return measured.value is not None and math.isfinite(measured.value) and numbers == (task == "tabular-regression")


def _result(portrait: Portrait, task: str, measured: list[Measured]) -> dict[str, object]:
    card = portrait.card
    table = card.log.table if card.log else card.model
    return {
        "task": {"type": task},
        "dataset": {"type": table, "name": f"predictions in service up to {portrait.at:%Y-%m-%d %H:%M}Z"},
        "metrics": [
            {"type": METRICS[each.metric.spec.measure or ""][0], "name": METRICS[each.metric.spec.measure or ""][1],
             "value": round(each.value or 0.0, 6)}
            for each in measured
        ],
    }  # fmt: skip
