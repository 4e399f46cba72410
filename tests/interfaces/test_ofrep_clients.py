"""Kill switches read with the OpenFeature clients of others, in fair weather and in foul."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from interfaces.javascript import Node
from interfaces.serving import Served, prepared
from interfaces.switches import MODELS, known, locked, switched
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import FlagEvaluationDetails

from governance.core.switch import Scope

HURRIED = "import governance.api.server as server; server.KEEP_ALIVE = 3.0"
"""A twenty-fifth of the time that an idle connection lives, so that a client that asks every 40 ms stands for one that
asks every second. Shorter, and a machine that stands still for a moment would be a client that does."""


class Python:
    """The client for Python."""

    def __init__(self, url: str) -> None:
        """Connect, with a timeout of a second instead of five."""
        self._url = url
        api.set_provider(OFREPProvider(url, timeout=1.0))
        self._client = api.get_client()

    def boolean(self, flag: str, *, otherwise: bool, **context: Any) -> Mapping[str, Any]:
        """Evaluate a boolean flag."""
        key = context.pop("targetingKey", None)
        return _plain(self._client.get_boolean_details(flag, otherwise, EvaluationContext(key, context)))

    def string(self, flag: str, otherwise: str) -> Mapping[str, Any]:
        """Evaluate a flag of text."""
        return _plain(self._client.get_string_details(flag, otherwise))

    def object(self, flag: str) -> Mapping[str, Any]:
        """Evaluate a flag that is an object."""
        return _plain(self._client.get_object_details(flag, {}))

    def many(self, flag: str, *, otherwise: bool, lanes: int, count: int, seconds: float) -> list[Any]:
        """Evaluate a flag at a pace, on so many connections; return the answers that are the default."""

        def lane(number: int) -> list[Any]:
            api.set_provider(OFREPProvider(self._url), f"lane-{number}")
            asks, wrong = api.get_client(f"lane-{number}"), []
            for _ in range(count):
                found = asks.get_boolean_details(flag, otherwise)
                if found.error_code is not None or found.value is otherwise:
                    wrong.append(_plain(found))
                time.sleep(seconds)
            return wrong

        with ThreadPoolExecutor(lanes) as pool:
            return [each for wrong in pool.map(lane, range(lanes)) for each in wrong]

    def close(self) -> None:
        """Forget it."""
        api.shutdown()


class JavaScript:
    """The client for JavaScript on servers, or (`web`) for browsers: it asks for all flags and hears of changes."""

    def __init__(self, kind: str, url: str, **options: Any) -> None:
        """Start a process for it."""
        self._url = url
        self._node = Node(kind, url, timeoutMs=1000, **options)

    def boolean(self, flag: str, *, otherwise: bool, **context: Any) -> Mapping[str, Any]:
        """Evaluate a boolean flag."""
        return _renamed(self._node.boolean(flag, otherwise=otherwise, **context))

    def string(self, flag: str, otherwise: str) -> Mapping[str, Any]:
        """Evaluate a flag of text."""
        return _renamed(self._node.do("evaluate", kind="string", flag=flag, otherwise=otherwise))

    def object(self, flag: str) -> Mapping[str, Any]:
        """Evaluate a flag that is an object."""
        return _renamed(self._node.do("evaluate", kind="object", flag=flag, otherwise={}))

    def many(self, flag: str, *, otherwise: bool, lanes: int, count: int, seconds: float) -> list[Any]:
        """Evaluate a flag at a pace, on so many connections; return the answers that are the default."""
        pace = {"url": self._url, "lanes": lanes, "count": count, "milliseconds": seconds * 1000}
        found = self._node.do("many", flag=flag, otherwise=otherwise, **pace)
        wrong: list[Any] = found["wrong"]
        return wrong

    def close(self) -> None:
        """End it."""
        self._node.close()


Make = Callable[..., Any]
MAKERS: dict[str, Make] = {
    "python": Python,
    "javascript": lambda url: JavaScript("server", url),
    "web": lambda url: JavaScript("web", url, context={"targetingKey": "u"}),
}
asking = pytest.mark.parametrize("name", ["python", "javascript"])
every = pytest.mark.parametrize("name", list(MAKERS))


@pytest.fixture
def client() -> Iterator[Make]:
    """Connect clients, which end with the test."""
    made: list[Any] = []

    def make(name: str, served: Served) -> Any:
        made.append(MAKERS[name](served.url))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(prepared(tmp_path_factory.mktemp("clients") / "own", MODELS))
    yield made
    made.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Served]:
    made = Served(prepared(tmp_path / "own", MODELS))
    yield made
    made.close()


@every
def test_a_healthy_engine(engine: Served, client: Make, name: str) -> None:
    known(engine, "fraud", switched(engine, "fraud", "fallback"))
    known(engine, "churn", switched(engine, "churn", "live"))
    asks = client(name, engine)
    live = asks.boolean("churn.serve", otherwise=False)
    assert (live["value"], live["variant"], live["reason"], live["error"]) == (True, "model", "STATIC", None)
    pulled = asks.boolean("fraud.serve", otherwise=True)
    assert (pulled["value"], pulled["variant"], pulled["error"]) == (False, "fallback", None)
    assert pulled["metadata"]["mode"] == "fallback"
    assert pulled["metadata"]["fallback"] == "rules"
    assert asks.string("fraud.mode", "unknown")["value"] == "fallback"
    switch = asks.object("fraud.switch")
    assert (switch["error"], switch["value"]["settings"][0]["mode"]) == (None, "fallback")


@every
def test_a_flag_that_is_not_known(engine: Served, client: Make, name: str) -> None:
    found = client(name, engine).boolean("lones.serve", otherwise=True)
    assert (found["value"], found["error"]) == (True, "FLAG_NOT_FOUND")


@asking
def test_a_throttle_and_a_scope_go_by_what_the_request_says(engine: Served, client: Make, name: str) -> None:
    known(engine, "fraud", switched(engine, "fraud", "throttle", share=0.5))
    known(engine, "churn", switched(engine, "churn", "stopped", scope=Scope("4", (("region", "eu"),))))
    asks = client(name, engine)
    found = [asks.boolean("fraud.serve", otherwise=True, targetingKey=f"user-{n}") for n in range(40)]
    assert {each["reason"] for each in found} == {"SPLIT"}
    assert {each["value"] for each in found} == {True, False}
    of = [asks.boolean("churn.serve", otherwise=True, version=v, region=r)["value"] for v in "34" for r in ("eu", "us")]
    assert of == [True, True, False, True]
    known(engine, "churn", switched(engine, "churn", "live", scope=Scope("4", (("region", "eu"),))))


@asking
def test_a_context_that_cannot_be_read(engine: Served, client: Make, name: str) -> None:
    found = client(name, engine).boolean("fraud.serve", otherwise=True, version=["4"])
    assert found["value"] is True
    if name == "python":  # the other tells only that the answer was no success
        assert found["error"] == "INVALID_CONTEXT"
        assert "`version` of the context must be text" in found["message"]


@asking
def test_a_hung_engine_costs_the_time_limit_and_then_gives_the_default(own: Served, client: Make, name: str) -> None:
    known(own, "fraud", switched(own, "fraud", "stopped"))
    asks = client(name, own)
    assert asks.boolean("fraud.serve", otherwise=True)["value"] is False
    own.process.send_signal(signal.SIGSTOP)
    found = asks.boolean("fraud.serve", otherwise=True)
    assert (found["value"], found["error"]) == (True, "GENERAL")  # which our own provider does not do
    own.process.send_signal(signal.SIGCONT)
    own.until(lambda: asks.boolean("fraud.serve", otherwise=True)["value"] is False)


@asking
def test_a_dead_engine_gives_the_default(own: Served, client: Make, name: str) -> None:
    known(own, "fraud", switched(own, "fraud", "stopped"))
    asks = client(name, own)
    assert asks.boolean("fraud.serve", otherwise=True)["value"] is False
    own.stop(signal.SIGKILL)
    found = asks.boolean("fraud.serve", otherwise=True)
    assert (found["value"], found["error"]) == (True, "GENERAL")


@asking
def test_an_engine_that_comes_back_with_another_state(own: Served, client: Make, name: str) -> None:
    asks = client(name, own)
    assert asks.boolean("fraud.serve", otherwise=False)["value"] is True
    own.stop()
    switched(own, "fraud", "stopped")
    again = Served(own.directory, port=own.port)
    try:
        found = asks.boolean("fraud.serve", otherwise=True)
        assert (found["value"], found["error"]) == (False, None)
    finally:
        again.close()


def test_a_client_for_browsers_hears_of_changes_and_keeps_what_it_knew(own: Served, client: Make) -> None:
    asks = client("web", own)
    assert asks.boolean("fraud.serve", otherwise=False)["value"] is True
    switched(own, "fraud", "stopped")
    own.until(lambda: asks.boolean("fraud.serve", otherwise=True)["value"] is False)  # it does not poll
    own.process.send_signal(signal.SIGSTOP)
    assert asks.boolean("fraud.serve", otherwise=True)["value"] is False
    own.process.send_signal(signal.SIGCONT)
    own.stop(signal.SIGKILL)
    assert asks.boolean("fraud.serve", otherwise=True)["value"] is False
    switched(own, "churn", "shadow")
    again = Served(own.directory, port=own.port)
    try:
        again.until(lambda: asks.string("churn.mode", "unknown")["value"] == "shadow")
        assert asks.boolean("fraud.serve", otherwise=True)["value"] is False
    finally:
        again.close()


@every
def test_a_database_that_is_down(own: Served, client: Make, name: str) -> None:
    known(own, "fraud", switched(own, "fraud", "stopped"))
    known(own, "churn", switched(own, "churn", "throttle", share=1.0))
    asks = client(name, own)
    with locked(own.directory):
        assert asks.boolean("fraud.serve", otherwise=True)["value"] is False
    database = own.directory / ".gov" / "governance.db"
    for each in database.parent.glob("governance.db*"):
        each.rename(each.with_name(f"aside-{each.name}"))
    database.write_bytes(b"this is no database" * 1000)
    own.until(lambda: "cannot be watched" in own.printed)
    asks = client(name, own)
    assert asks.boolean("fraud.serve", otherwise=True)["value"] is False
    assert asks.boolean("churn.serve", otherwise=True)["value"] is False
    assert asks.boolean("loans.serve", otherwise=False)["value"] is True


@asking
def test_calls_over_connections_that_are_kept_never_meet_one_that_closes(
    tmp_path: Path, client: Make, name: str
) -> None:
    hurried = Served(prepared(tmp_path / "own", MODELS), before=HURRIED)
    try:
        known(hurried, "fraud", switched(hurried, "fraud", "stopped"))
        asks = client(name, hurried)
        assert asks.many("fraud.serve", otherwise=True, lanes=8, count=120, seconds=0.04) == []
        assert asks.many("fraud.serve", otherwise=True, lanes=8, count=2, seconds=4.5) == []  # longer than it lives
    finally:
        hurried.close()


def _plain(found: FlagEvaluationDetails[Any]) -> dict[str, Any]:
    return {
        "value": found.value,
        "variant": found.variant,
        "reason": str(found.reason.value if hasattr(found.reason, "value") else found.reason),
        "error": found.error_code.value if found.error_code is not None else None,
        "message": found.error_message,
        "metadata": found.flag_metadata,
    }


def _renamed(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: found.get(name) for name in ("value", "variant", "reason")},
        "error": found.get("errorCode"),
        "message": found.get("errorMessage"),
        "metadata": found.get("flagMetadata"),
    }
