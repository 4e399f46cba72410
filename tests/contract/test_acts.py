"""What every system to act on must do, whatever its other side is; the engine itself and real servers follow beside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contract.acts.airflow_case import AirflowCase
from contract.acts.case import SECRET, SOON, Case
from contract.acts.github_case import GithubCase
from contract.acts.http_case import HttpCase
from contract.acts.mlflow_case import MlflowCase
from contract.acts.slack_case import SlackCase
from contract.acts.world import world

from governance import plugins
from governance.core.performance import Outcome

CASES: tuple[type[Case], ...] = (AirflowCase, GithubCase, HttpCase, MlflowCase, SlackCase)
EVERY = [pytest.param(each, operation, id=f"{each.kind}.{operation}") for each in CASES for operation in each.asks]
ACTING = [each for each in EVERY if each.values[1] not in each.values[0].reading]


@pytest.fixture
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    monkeypatch.setenv("CASE_SECRET", SECRET)
    with world() as other_side:
        yield request.param(other_side)


def test_every_kind_is_tried() -> None:
    assert {each.kind for each in CASES} == set(plugins.kinds(plugins.ACTS))
    for each in CASES:
        loaded = plugins.kinds(plugins.ACTS)[each.kind].load()
        assert set(each.asks) == set(loaded.OPERATIONS), "each operation is asked something"


@pytest.mark.parametrize(
    ("case", "operation", "wrong", "said"),
    [pytest.param(each, *one, id=f"{each.kind}-{one[2]}") for each in CASES for one in each.nonsense],
    indirect=["case"],
)
def test_nonsense_is_refused_with_a_sentence_and_nothing_is_asked(case: Case, operation, wrong, said) -> None:
    for ask in (case.system.perform, case.system.dry_run):
        found = ask(case.request(operation, **wrong))
        assert (found.state, found.again) == ("failed", False)
        assert said in found.detail
    assert case.world.got == []


@pytest.mark.parametrize(("case", "operation"), EVERY, indirect=["case"])
def test_a_dry_run_changes_nothing_and_says_what_would_be_done(case: Case, operation: str) -> None:
    found = case.system.dry_run(case.request(operation))
    assert (found.state, case.effects) == ("done", 0), found
    assert found.detail


@pytest.mark.parametrize(("case", "operation"), EVERY, indirect=["case"])
def test_the_same_key_takes_effect_once_and_gives_the_same_outputs(case: Case, operation: str) -> None:
    first, again = (case.system.perform(case.request(operation)) for _ in range(2))
    assert (first.state, again.state) == ("done", "done"), (first, again)
    assert case.effects == (0 if operation in case.reading else 1)
    assert set(first.outputs) >= set(case.system.OUTPUTS[operation])
    assert case.system.perform(case.request(operation, under="RUN-12/roll-back/2")).state == "done"


@pytest.mark.parametrize(("case", "operation"), ACTING, indirect=["case"])
def test_what_was_done_can_be_read_back(case: Case, operation: str) -> None:
    case.system.perform(case.request(operation))
    found = case.system.read_back(case.request(operation))
    assert found is not None
    assert found.state == "done"
    assert "$key" not in found.detail, "who has to look for themselves is told where"


@pytest.mark.parametrize(("case", "operation"), ACTING, indirect=["case"])
def test_what_never_arrived_is_told_from_what_was_done_without_an_answer(case: Case, operation: str) -> None:
    request = case.request(operation)
    with case.world.broken("never"):
        assert case.system.perform(request).state == "unknown"
    found = case.system.read_back(request)
    assert found is None or found.state == "failed"
    assert (found is not None) == (operation in case.told_apart)
    with case.world.broken("lost"):
        assert case.system.perform(request).state == "unknown"
    assert case.effects == 1
    found = case.system.read_back(request)
    assert found is not None
    assert found.state == "done"
    assert case.system.perform(request).state == "done"
    assert case.effects == 1


@pytest.mark.parametrize(
    ("case", "operation", "fault"),
    [
        pytest.param(each, operation, fault, id=f"{each.kind}.{operation}-{fault}")
        for each in CASES
        for operation in each.asks
        for fault in each.faults
    ],
    indirect=["case"],
)
def test_hostile_answers_end_in_a_clear_outcome_without_a_credential(case: Case, operation: str, fault) -> None:
    if fault in ("silent", "drip"):
        case.system = case.built(SOON)
    request = case.request(operation)
    with case.world.broken(fault, everything=True):
        outcomes = [case.system.perform(request), case.system.dry_run(request), case.system.read_back(request)]
        known: list[Outcome] = [each for each in outcomes if each is not None]
        assert outcomes[2] is None, "who cannot look knows nothing"
    assert SECRET not in repr(known)
    assert all(each.detail.isprintable() and len(each.detail) < 600 for each in known)
    performed = outcomes[0]
    if fault == "busy":
        assert (performed.state, performed.again) == ("failed", True)
        assert performed.wait is not None
        assert performed.wait.total_seconds() == 7
    elif fault == "moved":
        assert (performed.state, performed.again) == ("failed", False)
        assert "redirects are not followed" in performed.detail
    else:
        assert performed.state in (("failed",) if operation in case.reading else ("unknown", "failed"))


@pytest.mark.parametrize(("case", "operation"), EVERY, indirect=["case"])
def test_where_nobody_listens_it_failed_and_may_be_tried_again(case: Case, operation: str) -> None:
    request = case.request(operation)
    case.world.leave()
    for found in (case.system.perform(request), case.system.dry_run(request)):
        assert (found.state, found.again) == ("failed", True), found
        assert "no connection" in found.detail
    assert case.system.read_back(request) is None, "who cannot look knows nothing"


@pytest.mark.parametrize(("case", "operation"), EVERY, indirect=["case"])
def test_without_its_credential_nothing_is_asked(case: Case, operation: str, monkeypatch) -> None:
    monkeypatch.delenv("CASE_SECRET")
    for ask in (case.system.perform, case.system.dry_run):
        found = ask(case.request(operation))
        assert (found.state, found.again) == ("failed", False)
        assert "CASE_SECRET is not set" in found.detail
    assert case.world.got == []
