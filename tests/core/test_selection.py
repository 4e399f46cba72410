"""Which models an act on several is about, and what a pull of one that is restricted already sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governance.core.card import Card
from governance.core.lineage import lineage_of
from governance.core.selection import Selection, selected
from governance.core.switch import Scope, Setting, tightened
from governance.errors import InvalidDocument, NotFound

AT = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


def card(model: str, team: str = "fraud", tier: int = 2, on: tuple[str, ...] = (), **labels: str) -> Card:
    said = {"model": model, "tier": tier, "owners": {"team": team}, "labels": labels, "data": {"depends_on": list(on)}}
    return Card.model_validate(said)


CARDS = (
    card("a", on=("clicks",), region="eu"),
    card("b", tier=1, on=("a",)),
    card("c", "spam", on=("b", "orders"), region="us"),
    card("d", "spam", tier=3, region="eu"),
)


def chosen(*models: str, everything: bool = False, **where: str) -> tuple[str, ...]:
    return selected(CARDS, lineage_of(CARDS), Selection(models, tuple(where.items()), everything))


def test_models_are_chosen_by_name_by_what_their_cards_say_or_all_and_tier_1_is_first() -> None:
    assert chosen("d", "b", "d") == ("b", "d")
    assert chosen(everything=True) == ("b", "a", "c", "d")
    assert chosen(team="fraud") == ("b", "a")
    assert chosen(tier="3") == ("d",)
    assert chosen(region="eu") == ("a", "d")
    assert chosen(region="eu", team="spam") == ("d",)


def test_what_rests_on_a_model_or_on_data_is_chosen_also_through_others() -> None:
    assert chosen(depends_on="clicks") == ("b", "a", "c"), "a pipeline is no model, and three rest on it"
    assert chosen(depends_on="a") == ("b", "c"), "not itself"
    assert chosen(depends_on="orders") == ("c",)


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ("no model has team=frad; did you mean 'fraud'?", {"team": "frad"}),
        ("no model has tier=9; there are 1, 2, 3", {"tier": "9"}),
        ("no card has a label regoin; where may name depends_on, region, team, tier", {"regoin": "eu"}),
        ("no model has depends_on=click; did you mean 'clicks'?", {"depends_on": "click"}),
        ("no model fits region=us, team=fraud", {"region": "us", "team": "fraud"}),
    ],
)
def test_what_fits_nothing_is_refused_with_what_may_be_meant(said: str, where: dict[str, str]) -> None:
    with pytest.raises(NotFound) as refused:
        chosen(**where)
    assert str(refused.value) == said


def test_a_name_that_no_card_has_is_refused_whole_and_one_must_say_which() -> None:
    with pytest.raises(NotFound, match="no card declares 'x', 'aa'"):
        chosen("b", "x", "aa")
    for both in ({}, {"everything": True, "team": "fraud"}):
        with pytest.raises(InvalidDocument, match="one of the three"):
            chosen(**both)  # type: ignore[arg-type]


def setting(mode: str, share: float = 1.0, ends: timedelta | None = None) -> Setting:
    made: dict[str, Any] = {"mode": mode, "share": share, "expires_at": AT + ends if ends else None, "lasting": ends}
    return Setting(Scope(), reason="r", set_by="ana", set_at=AT, **made)


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        (None, setting("shadow"), setting("shadow")),
        (setting("shadow"), setting("fallback"), setting("fallback")),
        (setting("stopped"), setting("fallback"), None),
        (setting("fallback"), setting("fallback"), None),
        (setting("fallback"), setting("fallback", ends=HOUR), None),
        (setting("fallback", ends=HOUR), setting("fallback"), setting("fallback")),
        (setting("fallback", ends=HOUR), setting("fallback", ends=2 * HOUR), setting("fallback", ends=2 * HOUR)),
        (setting("throttle", 0.2), setting("throttle", 0.5), setting("throttle", 0.5)),
        (setting("throttle", 0.5), setting("throttle", 0.2), None),
        (setting("throttle", 0.5), setting("stopped", ends=HOUR), setting("stopped")),
    ],
)
def test_a_pull_of_several_only_tightens_and_ends_no_sooner(
    before: Setting | None, wanted: Setting, after: Setting | None
) -> None:
    assert tightened(before, wanted) == after
