"""What each field of a rule and of a pack means, in the words that an editor shows beside it."""

from __future__ import annotations

from collections.abc import Mapping

TRIGGER = {
    "when": "A condition in CEL; it is true when something is wrong.",
    "for": "How long it must hold before the alert fires.",
    "enforcement": "observe records, notify tells people and offers `then`, act does `then`.",
    "then": "What is proposed, or done with `enforcement: act`.",
}
"""What all that has a condition shares."""

RULES: Mapping[str, Mapping[str, str]] = {
    "Rule": {
        **TRIGGER,
        "rule": "The rule's name; pack/rule changes that rule for this model.",
        "applies_to": "A condition over the card: for which models it is.",
        "when": "A condition in CEL that is true when something is wrong; or one for each severity.",
        "severity": "How bad it is: critical pages at any hour, warning is told, info is recorded.",
        "keep_firing_for": "How long it must be well before the alert ends.",
        "for_each": "One instance for each item, such as {feature: card.data.features}.",
        "no_data": "What missing data means.",
        "overridable": "false: cards may tighten it, and loosen it only by a waiver.",
        "summary": "One sentence for people; values stand in braces: {metrics.psi}.",
        "remedy": "What to do about it.",
        "controls": "The controls that it is evidence for, such as eu-ai-act/15.",
    },
    "Then": {
        "runbook": "The runbook to run.",
        "switch": "How far to take the model out of service.",
        "share": "With throttle: the share of requests that the fallback answers.",
        "scope": "This version, the whole model, or these labels.",
        "expires": "When the switch is to be given back.",
    },
    "NoData": {
        "for": "How long data must be missing.",
        "then": "alert tells it, ok counts as fine, keep keeps the state.",
        "severity": "How bad missing data is.",
    },
    "Pack": {
        "pack": "The pack's name.",
        "description": "What it asks of models.",
        "applies_to": "A condition in CEL over the card: for which models it is.",
        "parameters": "Limits that a card may set, by name.",
        "defaults": "Values of a card that it may omit.",
        "metrics": "Metrics that it gives to every card that can have them.",
        "rules": "Rules for every card that it selects.",
    },
    "Parameter": {
        "default": "Its value where a card sets none.",
        "tighter": "Which way is stricter: lower or higher.",
    },
}
RULE_EXAMPLES: Mapping[str, Mapping[str, list[object]]] = {
    "Rule": {
        "when": ["metrics.psi > 0.25", {"warning": "metrics.auc < 0.7", "critical": "metrics.auc < 0.6"}],
        "for_each": [{"feature": "card.data.features"}],
        "summary": ["{labels.feature} has drifted: PSI {metrics.psi}"],
    },
    "Pack": {"applies_to": ["has(card.log) && card.tier == 1"]},
}
