"""What each field of a document means, in the words that an editor shows beside it.

One table for all documents, so that their classes stay readable at a glance; a test holds it complete. What the larger
kinds of documents have stands in modules of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

from governance.loader.card_descriptions import CARD_EXAMPLES, CARDS
from governance.loader.organisation_descriptions import ORGANISATION_EXAMPLES, ORGANISATIONS
from governance.loader.rule_descriptions import RULE_EXAMPLES, RULES
from governance.loader.runbook_descriptions import RUNBOOK_EXAMPLES, RUNBOOKS
from governance.loader.story_descriptions import ON_MODEL, STORIES

DESCRIPTIONS: Mapping[str, Mapping[str, str]] = {
    **CARDS,
    **RULES,
    **ORGANISATIONS,
    "WaiverDocument": {
        **ON_MODEL,
        "rule": "The rule that is not enforced.",
        "because": "Why.",
        "requested_by": "Who asks; somebody else approves.",
        "until": "When it ends at the latest.",
        "ends_on": "What ends it earlier: new_version, retrained, unused_for 14d.",
    },
    "SilenceDocument": {
        **ON_MODEL,
        "because": "Why notifications are muted.",
        "by": "Who mutes them.",
        "from": "From when on.",
        "until": "When they are told again.",
        "rule": "Only of this rule.",
    },
    "MaintenanceDocument": {
        "because": "What is worked on.",
        "by": "Who says so.",
        "from": "From when on.",
        "until": "When people are told and paged again.",
        "models": "The models that are worked on; all where none is named.",
        "repeats": "How often the window comes again, and until when.",
    },
    "Repeats": {
        "every": "After so many days; a week unless said.",
        "until": "When it comes no more, within a year.",
        "zone": "By whose clocks it keeps its hours, such as Europe/Berlin.",
    },
    **STORIES,
    **RUNBOOKS,
}
"""By the class of a document and the name that authors write."""

EXAMPLES: Mapping[str, Mapping[str, list[object]]] = {
    **CARD_EXAMPLES,
    **RULE_EXAMPLES,
    **ORGANISATION_EXAMPLES,
    **RUNBOOK_EXAMPLES,
}
"""Examples that an editor offers."""
