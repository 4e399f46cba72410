"""What every source of metrics must do, whatever it asks; each kind brings its case in sources/<kind>_case.py."""

import math
import time
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
from contract.sources.case import LIMIT, SERIES, Fault

from governance.core.cell import column
from governance.core.measurement import Metric
from governance.core.policy import EffectiveMetric
from governance.core.problem import Position
from governance.ports import PastSource

CASES = [
    each
    for path in sorted((Path(__file__).parent / "sources").glob("*_case.py"))
    for each in import_module(f"contract.sources.{path.stem}").CASES
]
FAULTS = get_args(Fault)


@pytest.fixture(params=CASES, ids=lambda case: case.__name__.removesuffix("Case").lower())
def case(request, tmp_path, monkeypatch):
    _skip(request.param, request.node.originalname.removeprefix("test_"))
    monkeypatch.setenv("CASE_SECRET", request.param.secret)
    made = request.param(tmp_path)
    yield made
    made.close()


def _skip(case, point):
    if point in case.not_applicable:
        pytest.skip(f"{case.kind}: {case.not_applicable[point]}")


def ask(case, query):
    return case.source.sample([query], at=case.at)[query]


def judged(case, query, answer, labels=()):
    """Return what the engine makes of an answer to a metric that declares these labels."""
    spec = Metric(source="s", query="q", labels=labels, stale_after="2h")
    metric = EffectiveMetric(
        name="m", model="m", spec=spec, query=query, labels=labels, needs_truth=False, origin=Position("m.yaml", 1, 1)
    )
    return column(metric, answer, case.at)


def values(case, question):
    answer = ask(case, question.query)
    assert not answer.failure
    found = judged(case, question.query, answer, question.labels)
    assert found.failure is None
    return {key: cell.value for key, cell in found.cells.items()}


def any_question(case):
    return case.labelled() if "plain" in case.not_applicable else case.plain()


def no_value(case, query):
    answer = ask(case, query)
    assert all(sample.value is None for sample in answer.samples)
    return answer


def test_plain(case):
    question = case.plain()
    assert values(case, question) == pytest.approx(question.expected)


def test_labelled(case):
    question = case.labelled()
    assert values(case, question) == pytest.approx(question.expected)


def test_undeclared_labels_are_an_error_of_the_metric(case):
    question = case.labelled()
    found = judged(case, question.query, ask(case, question.query), labels=())
    assert found.failure.reason == "error"
    assert f"answered with labels {question.labels[0]}" in found.failure.detail


def test_samples_speak_for_an_aware_instant_that_has_come(case):
    samples = ask(case, case.labelled().query).samples
    assert samples
    assert all(sample.time.tzinfo and sample.time <= case.at for sample in samples)


def test_nothing_known_later(case):
    no_value(case, case.later())


def test_the_past_is_what_each_instant_was_told(case):
    question, step = any_question(case), timedelta(minutes=1)
    instants = [case.at - n * step for n in (2, 1, 0)]
    found = past(case, question.query, instants)
    assert not found.failure
    assert {each.labels: each.value for each in found.samples if each.time == case.at} == pytest.approx(
        question.expected
    )
    assert all(sample.time <= case.at for sample in found.samples)
    assert len(found.samples) == len(instants) * len(question.expected)


def test_nothing_known_later_is_in_the_past(case):
    found = past(case, case.later(), [case.at - timedelta(minutes=1), case.at])
    assert all(sample.value is None for sample in found.samples)


def past(case, query, instants):
    if not isinstance(case.source, PastSource):
        pytest.skip(f"{case.kind} answers only for the present")
    return case.source.past([query], start=instants[0], end=instants[-1], step=timedelta(minutes=1))[query]


def test_unknown_thing(case):
    no_value(case, case.unknown())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)
def test_not_finite(case, value):
    query = case.not_finite(value)
    answer = no_value(case, query)
    assert all(sample.reason for sample in answer.samples)
    assert len(answer.samples) == 1 or answer.failure


def test_too_many_series(case):
    answer = ask(case, case.too_many())
    assert not answer.samples
    assert f"at most {SERIES}" in answer.failure


def test_a_wrong_question_harms_no_other(case):
    good, bad = any_question(case), case.wrong()
    answers = case.source.sample([bad, good.query, bad], at=case.at)
    assert answers[bad].failure
    assert not answers[bad].samples
    assert case.secret not in answers[bad].failure
    assert {sample.labels: sample.value for sample in answers[good.query].samples} == pytest.approx(good.expected)


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(case, fault):
    """A broken system is a failure in words, within the limit and without our credentials; then all is well again."""
    _skip(case, fault)
    question = any_question(case)
    with case.broken(fault):
        begun = time.monotonic()
        answer = ask(case, question.query)
        took = time.monotonic() - begun
    assert took < LIMIT + 3
    assert not answer.samples
    assert answer.failure
    assert answer.failure.isprintable()
    assert case.secret not in answer.failure
    assert values(case, question) == pytest.approx(question.expected)


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_after_success(case, fault):
    """What breaks between two questions is noticed: the first answer is not given again."""
    _skip(case, fault)
    question = any_question(case)
    values(case, question)
    with case.broken(fault):
        assert ask(case, question.query).failure
    assert values(case, question) == pytest.approx(question.expected)


def test_a_dead_system_is_not_waited_for_again_and_again(case):
    _skip(case, "silent")
    query = any_question(case).query
    many = [replace(query, parameters=(("n", str(number)),)) for number in range(40)]
    with case.broken("silent"):
        begun = time.monotonic()
        answers = case.source.sample(many, at=case.at)
        took = time.monotonic() - begun
    assert took < 2 * LIMIT + 0.5
    assert all(answers[query].failure for query in many)


def test_no_questions(case):
    assert case.source.sample([], at=case.at) == {}
