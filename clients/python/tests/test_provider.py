"""The provider as a program sees it that uses OpenFeature."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from model_governance_openfeature import GovernanceProvider, Switches
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason
from switch_server import SwitchServer, live, setting, switch
from waiting import Open, until


@pytest.fixture
def client() -> Iterator[OpenFeatureClient]:
    yield api.get_client()
    api.clear_providers()
    api.clear_hooks()


def use(switches: Switches) -> None:
    """Let OpenFeature ask these switches."""
    api.set_provider_and_wait(GovernanceProvider(switches))


def test_a_request_is_decided_by_its_context(server: SwitchServer, opened: Open, client: OpenFeatureClient) -> None:
    server.set(m=switch(4, setting("fallback", version="8"), setting("stopped", gate="7", night="true")))
    use(opened(server.url))
    details = client.get_boolean_details("m.serve", True, EvaluationContext("k", {"version": 8, "gate": "1"}))
    assert (details.value, details.variant, details.reason) == (False, "fallback", Reason.TARGETING_MATCH)
    assert details.flag_metadata == {"seq": 4, "mode": "fallback", "fallback": "baseline", "reason": "drill"}
    other = EvaluationContext("k", {"version": "7", "gate": 7.0, "night": True, "crew": ["ann"]})
    assert client.get_string_value("m.mode", "live", other) == "stopped"
    assert client.get_boolean_value("m.serve", False, EvaluationContext("k", {"version": "7", "gate": "1"}))
    assert not client.get_boolean_value("m.serve", True)


def test_a_throttle_splits_by_the_targeting_key(server: SwitchServer, opened: Open, client: OpenFeatureClient) -> None:
    server.set(m=switch(1, setting("throttle", 0.25)))
    use(opened(server.url))
    found = [client.get_boolean_details("m.serve", True, EvaluationContext(f"k{number}")) for number in range(400)]
    assert {each.reason for each in found} == {Reason.SPLIT}
    assert 60 < sum(not each.value for each in found) < 140


def test_asking_from_a_coroutine_gives_the_same(server: SwitchServer, opened: Open, client: OpenFeatureClient) -> None:
    server.set(m=switch(1, setting("stopped")))
    use(opened(server.url))
    assert asyncio.run(client.get_boolean_value_async("m.serve", True)) is False


def test_other_flags_are_as_the_engine_answers_them(
    server: SwitchServer, opened: Open, client: OpenFeatureClient
) -> None:
    server.set(m=live(1))
    more = [{"key": "n", "value": 3, "variant": "three", "reason": "STATIC"}, {"key": "x", "value": 1.5}]
    answer = server.answer
    server.answer = lambda: {**answer(), "flags": [*answer()["flags"], *more]}  # type: ignore[method-assign]
    use(opened(server.url))
    assert client.get_integer_details("n", 0).variant == "three"
    assert client.get_float_value("n", 0.0) == 3.0
    assert client.get_float_value("x", 0.0) == 1.5
    found: Any = client.get_object_value("m.switch", {})
    assert found["settings"] == []
    mistaken = client.get_integer_details("x", 7)
    assert (mistaken.value, mistaken.error_code) == (7, ErrorCode.TYPE_MISMATCH)


def test_a_misspelt_flag_is_an_error_and_not_a_silent_default(
    server: SwitchServer, opened: Open, client: OpenFeatureClient
) -> None:
    server.set(m=live(1))
    use(opened(server.url))
    details = client.get_boolean_details("n.serve", True)
    assert (details.value, details.error_code) == (True, ErrorCode.FLAG_NOT_FOUND)
    assert "<model>.serve" in str(details.error_message)


def test_with_nothing_known_on_unknown_answers_and_not_the_callers_default(
    opened: Open, client: OpenFeatureClient
) -> None:
    use(opened("http://127.0.0.1:9", on_unknown="fallback", wait=0.2))
    details = client.get_boolean_details("m.serve", True)
    assert (details.value, details.reason, details.error_code) == (False, Reason.DEFAULT, None)
    assert client.get_object_details("m.switch", {}).error_code == ErrorCode.PROVIDER_NOT_READY


def test_programs_are_told_of_changes_and_of_silence(
    server: SwitchServer, opened: Open, client: OpenFeatureClient
) -> None:
    heard: list[tuple[str, EventDetails]] = []
    for event in (ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, ProviderEvent.PROVIDER_STALE):
        client.add_handler(event, lambda details, event=event: heard.append((event.value, details)))  # type: ignore[misc]
    server.set(m=live(1))
    use(opened(server.url, stale_after=1.0))
    server.set(m=switch(2, setting("stopped")))
    until(lambda: heard)
    assert heard[0][0] == "PROVIDER_CONFIGURATION_CHANGED"
    assert heard[0][1].flags_changed == ["m.mode", "m.serve", "m.switch"]
    server.close()
    until(lambda: heard[-1][0] == "PROVIDER_STALE")
    details = client.get_boolean_details("m.serve", True)
    assert (details.value, details.reason) == (False, Reason.STALE)
