"""What `/gov pull` understands, and its modal for many models within Slack's limits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance.core.selection import Selection
from governance.errors import InvalidDocument
from governance.slack.batch_desk import wanted_of
from governance.slack.batch_modals import preview
from governance.views.batches import BatchForeseenView, ForeseenView


@pytest.mark.parametrize(
    ("said", "selection", "mode", "share", "expires", "incident"),
    [
        ("loans fallback", Selection(models=("loans",)), "fallback", 1.0, None, None),
        ("loans cards Stopped", Selection(models=("loans", "cards")), "stopped", 1.0, None, None),
        ("all shadow INC-7", Selection(everything=True), "shadow", 1.0, None, 7),
        (
            "tier=1 depends_on=clicks throttle 25% 4h",
            Selection(where=(("depends_on", "clicks"), ("tier", "1"))),
            "throttle",
            0.25,
            timedelta(hours=4),
            None,
        ),
    ],
)
def test_it_says_which_and_what(
    said: str, selection: Selection, mode: str, share: float, expires: timedelta | None, incident: int | None
) -> None:
    found = wanted_of(said.split())
    assert (found.order.selection, found.order.mode) == (selection, mode)
    assert (found.order.share, found.order.expires, found.incident) == (share, expires, incident)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("", "say which models and then what to set: throttle, shadow, fallback, stopped"),
        ("loans", "say which models"),
        ("fallback", "say which models"),
        ("loans live", "say which models"),
        ("loans team=ml fallback", "models by name, or conditions such as team=fraud"),
        ("team= fallback", "conditions such as"),
        ("loans fallback soon", "must be a duration such as 30m"),
    ],
)
def test_what_is_not_understood_says_how_to_say_it(said: str, wrong: str) -> None:
    with pytest.raises(InvalidDocument, match=wrong):
        wanted_of(said.split())


def test_a_thousand_models_fit_into_the_modal_which_counts_those_it_does_not_name() -> None:
    does = ["pull"] * 900 + ["refused"] * 60 + ["unchanged"] * 40
    items = [
        ForeseenView(
            model=f"model-{number:04}-{'x' * 60}", tier=1, team="ml", does=each, now="live", said="live → fallback"
        )
        for number, each in enumerate(does)
    ]
    found = BatchForeseenView(
        environment="production", which="all models", mode="fallback", confirm="fallback 900", digest="d", pull=900,
        unchanged=40, refused=60, dependants=[f"other-{each}" for each in range(50)], items=items,
    )  # fmt: skip
    modal = preview(found, {"words": ["all", "fallback"]}, preset="INC-1: x")  # it is validated as it is made
    text = str(modal["blocks"])
    assert "*900 to fallback* (40 unchanged, 60 refused)" in text
    assert "other-9 and 40 more" in text
    assert "who may: nobody" in text
    assert " more" in text.split("*Pulled: 900*")[1].split("*You may not pull", maxsplit=1)[0], (
        "those that are not named are counted"
    )
