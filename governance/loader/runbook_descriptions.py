"""What each field of a runbook means, in the words that an editor shows beside it."""

from __future__ import annotations

from collections.abc import Mapping

_WITH = "What the act is asked, by name; CEL in braces."

RUNBOOKS: Mapping[str, Mapping[str, str]] = {
    "Runbook": {
        "runbook": "The runbook's name: lower case, digits and -.",
        "for": "For what it runs: one model.",
        "description": "What it is for, as whoever is woken at night has to read it.",
        "applies_to": "A condition in CEL over the card: for which models it can be started.",
        "parameters": "What whoever starts a run may say, by name.",
        "proves": "Which evidence a run that came to its end is for the card.",
        "every": "Start it on a schedule, so often for each model that it is for.",
        "dry_run": "What a schedule starts is a drill: acts are tried, not done, and nobody is waited for.",
        "steps": "What is done, in this order unless a step says where to go.",
    },
    "RunbookParameter": {
        "type": "string, number, bool or duration.",
        "default": "Its value where nobody says one; CEL in braces. Without it whoever starts a run has to.",
        "description": "What it means.",
    },
    "Step": {
        "step": "The step's name: lower case, digits and -.",
        "instruct": "What a person reads, does and ticks; CEL in braces.",
        "check": "A condition in CEL that has to hold: at once, or until `timeout`.",
        "approve": "Whose consent is needed to go on.",
        "act": "What is done, as system.operation: switch.pull, or one of `acts` of org.yaml.",
        "with": _WITH,
        "wait": "How long nothing is done.",
        "notify": "What people are told.",
        "text": "What it is about in plain words; of a consent the question. A text with CEL in braces.",
        "when": "A condition in CEL; unless it holds, the step is skipped.",
        "timeout": "How long it may take.",
        "on_timeout": "Where to go then: stop, continue or a later step; by default as `on_failure` says.",
        "on_failure": "Where to go when it fails: stop (unless said), continue or a later step.",
        "retry": "How often an act that failed is tried again.",
        "undo": "What takes the act back where the run is cancelled.",
        "then": "Where to go after it: a later step, an earlier one so often at most, or end.",
    },
    "Consent": {
        "role": "The role for the model that they hold: approver unless said.",
        "people": "How many people.",
        "not": "Who does not count: starter (unless said) or nobody.",
    },
    "Notice": {
        "message": "What they are told; CEL in braces.",
        "channel": "In which channel, such as #travel-ml; CEL in braces.",
        "notifier": "Through which of `notifiers` of org.yaml; else through whichever the model's people hear.",
    },
    "Goto": {"step": "The earlier step.", "at_most": "How often; after that the run goes on with the next step."},
    "Retry": {"times": "How often at most.", "backoff": "How long before the first time; twice as long each time."},
    "Undo": {"act": "What is done, as system.operation.", "with": _WITH},
}
"""By the class of a document and the name that authors write."""

RUNBOOK_EXAMPLES: Mapping[str, Mapping[str, list[object]]] = {
    "Runbook": {"applies_to": ["has(card.versions) && has(card.versions.rollback_to)"]},
    "RunbookParameter": {"default": ["{card.versions.rollback_to}", 0.02]},
    "Step": {
        "instruct": ["Is the feed complete? Newest row: {metrics.freshness} s old."],
        "check": ["max(metrics.null_rate) < 0.02"],
        "act": ["switch.pull", "mlflow.set_alias"],
        "with": [{"name": "{card.model}", "alias": "champion", "version": "{parameters.to}"}],
        "then": ["end", {"step": "look", "at_most": 3}],
    },
    "Notice": {"channel": ["#travel-ml", "{card.owners.channel}"]},
}
"""Examples that an editor offers."""
