"""A request gets the same answer from a serving process as from the engine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_governance_openfeature.switch import Setting, Switch, Unreadable, bucket, decide, switch_of

from governance.core import switch as engine

NAMES = st.sampled_from(["", "1", "2", "3"])
LABELS = st.dictionaries(st.sampled_from(["site", "class"]), st.sampled_from(["a", "b"]))
KEYS = st.text(max_size=6)
AT = datetime(2026, 1, 1, tzinfo=UTC)


@st.composite
def settings(draw: st.DrawFn) -> engine.Setting:
    mode = draw(st.sampled_from(engine.MODES))
    share = draw(st.floats(0, 1)) if mode == "throttle" else 1.0
    scope = engine.Scope(draw(NAMES), tuple(sorted(draw(LABELS).items())))
    return engine.Setting(scope, mode, share, "because", "ann", AT, salt=draw(st.text(max_size=3)))


def written(each: engine.Setting) -> dict[str, Any]:
    scope = {"version": each.scope.version, "labels": dict(each.scope.labels)}
    return {"scope": scope, "mode": each.mode, "share": each.share, "salt": each.salt, "fallback": each.fallback}


@given(st.lists(settings(), max_size=5), NAMES, LABELS, KEYS)
def test_decides_as_the_engine_does(
    held: list[engine.Setting], version: str, labels: Mapping[str, str], key: str
) -> None:
    there = engine.effective(engine.Switch("m", settings=tuple(held)), version, labels)
    here = decide(switch_of("m", {"seq": 1, "settings": [written(each) for each in held]}), key, version, labels)
    assert here.mode == (there.mode if there is not None else "live")
    if there is None or there.mode != "live":
        assert here.serve is not engine.falls_back(there, key)


@given(st.text(), st.text())
def test_the_bucket_of_a_key_is_the_engines(salt: str, key: str) -> None:
    assert bucket(salt, key) == engine.bucket(salt, key)


def test_a_throttle_of_a_quarter_gives_a_quarter_the_fallback_and_a_lower_one_adds_nobody() -> None:
    keys = [f"passenger-{number}" for number in range(100_000)]
    quarter, tenth = (Switch("m", settings=(Setting("throttle", share, "m/7"),)) for share in (0.25, 0.1))
    away = {key for key in keys if not decide(quarter, key).serve}
    assert 24_000 < len(away) < 26_000
    assert {key for key in keys if not decide(tenth, key).serve} < away


def test_a_throttled_request_without_a_key_gets_the_fallback() -> None:
    decision = decide(Switch("m", settings=(Setting("throttle", 0.01, "s", fallback="baseline"),)))
    assert (decision.serve, decision.mode, decision.reason, decision.fallback) == (
        False,
        "throttle",
        "DEFAULT",
        "baseline",
    )


def test_a_request_that_names_no_version_is_of_the_one_that_serves() -> None:
    pulled = Setting("fallback", version="8")
    assert decide(Switch("m", settings=(pulled,), serving="7")).serve
    assert not decide(Switch("m", settings=(pulled,))).serve, "with no version known, it may be any"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "no object"),
        ({"settings": {}}, "no list"),
        ({"settings": [{"mode": "off"}]}, "'off'"),
        ({"settings": [{"mode": "throttle", "share": True}]}, "True"),
        ({"settings": [{"mode": "throttle", "share": 1.5}]}, "1.5"),
        ({"settings": [{"mode": "stopped", "scope": {"labels": {"site": 3}}}]}, "not all text"),
        ({"seq": -1}, "-1"),
    ],
)
def test_a_switch_that_makes_no_sense_is_not_guessed(value: object, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        switch_of("m", value)
