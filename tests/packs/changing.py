"""Stories of versions that change: canaries beside what serves, and the parts of a language model."""

from __future__ import annotations

from typing import Any

from packs.story import CARD, COLUMNS, Story

CANARY = {"versions": {"serving": "2", "rollback_to": "1", "canary": {"version": "3", "share": "5%"}}}
TEXT: dict[str, Any] = {
    "versions": {"serving": "2", "prompt": "31", "provider": "model-2026-01", "fallback": "sorry"},
    "log": {**CARD["log"], "columns": {**COLUMNS, "latency": "s", "fallback": "f", "override": "o"}},
    "data": {"features": {"question": {"type": "text", "pii": "free_text"}}, "access": ["lending"]},
}


def _with(**versions: Any) -> dict[str, Any]:
    kept = {name: each for name, each in {**TEXT["versions"], **versions}.items() if each is not None}
    return {**TEXT, "versions": kept}


_QUESTION = {**TEXT, "data": {"features": {"question": {"type": "text"}}, "access": ["lending"]}}
STORIES = [
    Story("experiments/canary-gets-too-much", "a release nobody decided on", "warning",
          {"version_share": {"2": 0.7, "3": 0.3}}, CANARY, "The canary 3 makes 30 % of the predictions, meant are 5 %"),
    Story("experiments/canary-gets-too-much", "as meant", "", {"version_share": {"2": 0.95, "3": 0.05}}, CANARY),
    Story("experiments/canary-gets-nothing", "not deployed", "warning", {"version_share": {"2": 1.0}}, CANARY),
    Story("experiments/canary-gets-nothing", "a little", "", {"version_share": {"2": 0.99, "3": 0.01}}, CANARY),
    Story("experiments/canary-gets-nothing", "a shadow only", "", {"version_share": {"2": 1.0}},
          {"versions": {"serving": "2", "rollback_to": "1", "shadow": "3"}}),
    Story("experiments/canary-worse", "worse", "warning", {"auc_by_version": {"2": 0.75, "3": 0.7}}, CANARY,
          "ranks worse than what serves, by more than 0.02 AUC"),
    Story("experiments/canary-worse", "as good", "", {"auc_by_version": {"2": 0.75, "3": 0.74}}, CANARY),
    Story("experiments/canary-worse", "better", "", {"auc_by_version": {"2": 0.75, "3": 0.8}}, CANARY),
    Story("experiments/canary-worse", "an older one is worse", "",
          {"auc_by_version": {"1": 0.6, "2": 0.75, "3": 0.75}}, CANARY),
    Story("experiments/unnamed-version", "who deployed this?", "warning",
          {"version_share": {"2": 0.9, "3": 0.05, "4": 0.05}}, CANARY, "4 makes 5 % of the predictions"),
    Story("experiments/unnamed-version", "all are named", "",
          {"version_share": {"1": 0.02, "2": 0.93, "3": 0.05}}, CANARY),
    Story("experiments/unnamed-version", "a trace", "",
          {"version_share": {"2": 0.945, "3": 0.05, "4": 0.005}}, CANARY),
    Story("llm/part-unnamed", "no provider", "info", {}, _with(provider=None), "does not name its provider"),
    Story("llm/part-unnamed", "no prompt", "info", {}, _with(prompt=None), "does not name its prompt"),
    Story("llm/part-unnamed", "both", "", {}, TEXT),
    Story("llm/free-text-undeclared", "nothing personal?", "warning", {}, _QUESTION, "question is text"),
    Story("llm/free-text-undeclared", "declared", "", {}, TEXT),
    Story("llm/no-fallback", "none", "info", {}, _with(fallback=None)),
    Story("llm/no-fallback", "a sentence", "", {}, TEXT),
    Story("llm/no-envelope", "none", "info", {}, {**TEXT, "cost": None}),
    Story("llm/no-envelope", "by the day", "", {}, {**TEXT, "cost": {"per_day": 5}}),
    Story("llm/overridden", "somebody found a way in", "warning", {"override_rate": 0.2}, TEXT),
    Story("llm/overridden", "rarely", "", {"override_rate": 0.01}, TEXT),
    Story("llm/falls-back", "the provider is away", "warning", {"fallback_rate": 0.5}, TEXT),
    Story("llm/falls-back", "rarely", "", {"fallback_rate": 0.01}, TEXT),
    Story("llm/slow", "a minute", "warning", {"latency_p95": 60}, TEXT, "longer than 60 s"),
    Story("llm/slow", "a second", "", {"latency_p95": 1}, TEXT),
]  # fmt: skip
