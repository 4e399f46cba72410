"""Which requests a kill switch touches, and what counts as loosening."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.core.switch import (
    MODES,
    Mode,
    Scope,
    Setting,
    Switch,
    bucket,
    changed,
    effective,
    falls_back,
    loosens,
)

AT = datetime(2026, 1, 5, tzinfo=UTC)


def setting(mode: Mode = "fallback", share: float = 1.0, scope: Scope | None = None, **more: Any) -> Setting:
    said: dict[str, Any] = {"reason": "r", "set_by": "ana", "set_at": AT, **more}
    return Setting(scope or Scope(), mode, share if mode == "throttle" else 1.0, **said)


def test_a_quarter_is_a_quarter_of_100_000_keys() -> None:
    for salt in ("delay/1", "credit/77", ""):
        throttle = setting("throttle", 0.25, salt=salt)
        assert 24_000 <= sum(falls_back(throttle, f"customer-{number}") for number in range(100_000)) <= 26_000


def test_lowering_a_share_adds_nobody_and_raising_it_frees_nobody() -> None:
    switch, chosen = Switch("m"), []
    for seq, share in enumerate((0.8, 0.5, 0.25, 0.1, 0.01), 1):
        switch = changed(switch, Scope(), setting("throttle", share), seq=seq, at=AT)
        chosen.append({number for number in range(20_000) if falls_back(switch.settings[0], f"k{number}")})
    assert all(after < before for before, after in pairwise(chosen))


def test_two_models_choose_other_requests() -> None:
    one, two = ({number for number in range(10_000) if bucket(salt, f"k{number}") < 0.5} for salt in ("a/1", "b/1"))
    assert 2_000 < len(one & two) < 3_000


def test_the_bucket_is_the_documented_one() -> None:
    assert bucket("delay/1", "customer-7") == pytest.approx(0.7515530154772841, abs=1e-15)
    assert bucket("", "\ud83d") == bucket("", "\\ud83d"), "half an emoji is no error"


@pytest.mark.parametrize(
    ("mode", "key", "falls"),
    [
        ("shadow", "k", True),
        ("fallback", "k", True),
        ("stopped", "k", True),
        ("throttle", "", True),
    ],
)
def test_who_gets_the_fallback(mode: Mode, key: str, *, falls: bool) -> None:
    assert falls_back(setting(mode, 0.0001), key) is falls
    assert not falls_back(None, key)


EU = Scope(labels=(("region", "eu"),))


@pytest.mark.parametrize(
    ("scope", "version", "labels", "covered"),
    [
        (Scope(), "7", {}, True),
        (Scope("7"), "7", {}, True),
        (Scope("7"), "8", {}, False),
        (Scope("7"), "", {}, True),
        (EU, "7", {"region": "eu"}, True),
        (EU, "7", {"region": "us"}, False),
        (EU, "7", {}, True),
        (Scope("7", EU.labels), "7", {"region": "us"}, False),
    ],
)
def test_whom_a_scope_covers(scope: Scope, version: str, labels: dict[str, str], *, covered: bool) -> None:
    assert scope.covers(version, labels) is covered


def test_the_most_restrictive_setting_wins() -> None:
    wide, narrow = setting("shadow"), setting("throttle", 0.5, Scope("7"))
    for settings in ((wide, narrow), (narrow, wide)):
        assert effective(Switch("m", settings=settings), "7", {}) == wide
    assert effective(Switch("m", settings=(narrow,)), "8", {}) is None


SETTINGS = st.builds(
    setting,
    st.sampled_from(MODES[1:]),
    st.floats(0.01, 0.99),
    expires_at=st.none() | st.integers(1, 9).map(lambda hours: AT + timedelta(hours=hours)),
)


@given(SETTINGS, SETTINGS)
def test_of_two_settings_one_is_looser_or_both_say_the_same(one: Setting, two: Setting) -> None:
    assert not (loosens(one, two) and loosens(two, one))
    if (one.rank, one.expires_at) != (two.rank, two.expires_at):
        assert loosens(one, two) or loosens(two, one)
    assert loosens(one, None)
    assert not loosens(None, one)
