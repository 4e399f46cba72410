"""What is meant by words typed into the palette, among ten thousand models, without asking for each of them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest

from governance.views import FleetRow, FleetView, IncidentView, WhoamiView
from governance.views.notifications import DeliveryView
from governance.views.runs import RunbookView
from tui.acts import labels_of
from tui.known import Snapshot
from tui.offers import Offer, score
from tui.starting import MODELS, starts
from tui.unheard import by_incident

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
RUNBOOKS = [
    RunbookView(runbook="rollback-scorer", description="Serve the version before."),
    RunbookView(runbook="feed-late", description="Wait for the feed of fraud labels."),
]


@cache
def fleet() -> Snapshot:
    """Ten thousand models, one of which has an incident."""
    rows = [
        FleetRow(
            model=name, tier=2, team="ml", severity="none", mode="live", incidents=[4] if name == "fraud-v3" else []
        )
        for index in range(5000)
        for name in (f"fraud-v{index}", f"churn-v{index}")
    ]
    incident = IncidentView.model_construct(id=4, model="fraud-v3", title="It errs")
    who = WhoamiView(actor="ana", kind="person", roles=[], scopes=[], environment="test", read_only=False)
    return Snapshot(who, FleetView.model_construct(items=rows), {4: incident}, (), NOW)


@pytest.mark.parametrize(
    ("typed", "first", "count"),
    [
        ("start rollback-scorer on fraud-v3", ("rollback-scorer", "fraud-v3", 4), MODELS),
        ("rollback churn-v4999", ("rollback-scorer", "churn-v4999", 0), 1),
        ("roll inc-4", ("rollback-scorer", "fraud-v3", 4), 1),
        ("rollback-scorer", ("rollback-scorer", "fraud-v3", 4), 1),  # the only one in trouble
        ("late fraud", ("feed-late", "fraud-v3", 4), MODELS),  # a word of what it is described by names a model too
        ("start fraud-v17", ("rollback-scorer", "fraud-v17", 0), 2 * MODELS),
    ],
)
def test_a_runbook_and_a_model_are_found_by_parts_of_both(typed: str, first: tuple[str, str, int], count: int) -> None:
    found = starts(fleet(), RUNBOOKS, typed.split(), None)
    assert (found[0].runbook, found[0].model, found[0].incident.id if found[0].incident else 0) == first
    assert len(found) == count
    assert len({each.model for each in found}) <= MODELS, "the engine is asked about few models"


@pytest.mark.parametrize("typed", ["fraud-v3", "f", "rollback nobody-has-it", "start rollback churn-v1 inc-4"])
def test_what_names_no_runbook_or_no_model_asks_for_nothing(typed: str) -> None:
    assert starts(fleet(), RUNBOOKS[:1], typed.split(), None) == []


def test_the_model_under_the_cursor_is_meant_where_none_is_named() -> None:
    here = fleet().row("churn-v12")
    (found,) = starts(fleet(), RUNBOOKS, ["rollback"], here)
    assert (found.runbook, found.model) == ("rollback-scorer", "churn-v12")


def test_what_has_all_words_stands_in_the_order_of_how_well() -> None:
    def rank(text: str, words: str, **more: object) -> float:
        return score(Offer(text, "about a scorer", lambda: None, **more), words.split())  # type: ignore[arg-type]

    assert rank("loans", "loans") > rank("loans-eu", "loans") > rank("eu loans of all kinds", "loans") > 0
    assert rank("reloans", "loans") < rank("my loans", "loans")
    assert rank("loans", "loans scorer") > 0, "what it is about counts too"
    assert rank("loans", "loans other") == 0
    assert 0 < rank("loans", "loans", off="it is away") < rank("loans", "loans")


def test_what_tells_of_no_incident_is_tried_again_by_its_notifier_alone() -> None:
    told = [DeliveryView.model_construct(incident=number, notifier="hook") for number in (4, 0, 4, 7)]
    assert {number: len(each) for number, each in by_incident(told).items()} == {4: 2, 7: 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("country=DE", {"country": "DE"}),
        ("country=DE, site=a", {"country": "DE", "site": "a"}),
        ("country", None),
        ("=DE", None),
        ("country=", None),
        ("", None),
    ],
)
def test_labels_are_read_as_they_are_typed(text: str, said: dict[str, str] | None) -> None:
    assert labels_of(text) == said
