"""What the expressions of a run see: metrics as rules do, and its own card, parameters, labels, incident and steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from governance.core.compiled import CompiledPolicy
from governance.core.incident import Incident
from governance.core.metric import Answer, Query, Sample
from governance.core.past import Past
from governance.core.run import Run, Visit
from governance.core.run_bindings import seen_card
from governance.core.run_programs import programs
from governance.core.run_sight import Sight
from governance.core.run_start import parameters, why_not
from governance.core.runbook import Runbook
from governance.errors import InvalidDocument
from governance.policies import policies

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
ORG = "kind: org\nsources: {s: {kind: push}}\n"
CARD = """\
kind: card
model: loans
owners: {team: t, channel: "#loans"}
versions: {serving: "2", rollback_to: "1"}
cadence: {every: 1h}
metrics:
  errors: {source: s, query: errors, every: 1h}
  psi: {source: s, query: psi, labels: [feature], min_samples: 10, every: 1h}
slos: {fast: {objective: 99%, good: metrics.errors < 0.1}}
"""


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> CompiledPolicy:
    """The policy of a model with a plain and a labelled metric."""
    folder: Path = tmp_path_factory.mktemp("policies")
    (folder / "org.yaml").write_text(ORG)
    (folder / "loans.yaml").write_text(CARD)
    loaded = policies([folder])
    assert loaded.problems == ()
    return loaded.plan.by_model["loans"]


def runbook(*steps: Mapping[str, Any], **fields: Any) -> Runbook:
    named = [{"step": f"s{number}", **each} for number, each in enumerate(steps)]
    return Runbook.model_validate({"runbook": "b", "description": "d", "steps": named, **fields})


def run_of(book: Runbook, policy: CompiledPolicy, **fields: Any) -> Run:
    card = seen_card(policy.policy.card)
    return Run("RUN-12", book, "loans", card, fields.pop("parameters", {}), "ana", AT, "It is wrong", **fields)


def answers(policy: CompiledPolicy, **values: Any) -> dict[Query, Answer]:
    """Return answers: a number, or numbers by feature; None is a sample without a value."""
    found = {}
    for name, value in values.items():
        query = policy.policy.metrics[name].query
        rows = value if isinstance(value, dict) else {"": value}
        samples = [
            Sample(each, AT, (("feature", key),) if key else (), count=100 if key else None)
            for key, each in rows.items()
        ]
        found[query] = Answer(samples=tuple(samples))
    return found


def sight(policy: CompiledPolicy, book: Runbook, known: Mapping[Query, Answer] | None = None, **fields: Any) -> Sight:
    more = {name: fields.pop(name) for name in ("incident", "evidence", "past") if name in fields}
    outputs = {"mlflow.set_alias": {"previous": "string"}}
    return Sight(programs(book, policy, outputs), run_of(book, policy, **fields), known or {}, AT, **more)


@pytest.mark.parametrize(
    ("check", "known", "holds", "said"),
    [
        ("metrics.errors < 0.1", {"errors": 0.05}, True, "metrics.errors 0.05 < 0.1 is true"),
        ("metrics.errors < 0.1", {"errors": 0.31}, False, "metrics.errors 0.31 < 0.1 is false"),
        ("metrics.errors < 0.1", {"errors": None}, None, "metrics.errors: no rows in the window"),
        ("metrics.errors < 0.1", {}, None, "metrics.errors: was not asked"),
        ("card.tier == 2 || metrics.errors < 0.1", {}, True, "card.tier 2 == 2 is true"),
        ("card.tier == 1 && metrics.errors < 0.1", {}, False, "card.tier 2 == 1 is false"),
        ("max(metrics.psi) < 0.2", {"psi": {"a": 0.1, "b": 0.3}}, False, "max(metrics.psi) 0.3 < 0.2 is false"),
        ("metrics.psi < 0.2", {"psi": {"a": 0.1, "b": 0.3}}, False, "feature=b: metrics.psi 0.3 < 0.2 is false"),
        ("metrics.psi < 0.4", {"psi": {"a": 0.1}}, True, "feature=a: metrics.psi 0.1 < 0.4 is true"),
        ("metrics.psi < 0.4", {"psi": {"a": 0.1, "b": None}}, None, "feature=b: metrics.psi: no rows in the window"),
        ("metrics.psi < 0.4", {"psi": {}}, None, "no data"),
        ("labels.feature == 'a'", {}, None, "no field 'feature'"),
        ("incident.severity == 'critical'", {}, None, "no field 'severity'"),
        ("run.started_by == 'ana' && now >= run.started_at", {}, True, "run.started_by 'ana' == 'ana' is true"),
        ("has(evidence.trained)", {}, False, "has(evidence.trained) is false"),
    ],
)
def test_a_check_is_judged_as_rules_are(
    policy: CompiledPolicy, check: str, known: dict[str, Any], holds: bool | None, said: str
) -> None:
    found = sight(policy, runbook({"check": check}), answers(policy, **known)).judge("s0", "check")
    assert found is not None
    assert (found.holds, said in found.said) == (holds, True), found.said


def test_a_check_over_a_labelled_metric_is_about_the_finding_of_the_run(policy: CompiledPolicy) -> None:
    book = runbook({"check": "metrics.psi < 0.2"})
    known = answers(policy, psi={"a": 0.1, "b": 0.3})
    assert sight(policy, book, known, labels=(("feature", "a"),)).judge("s0", "check").holds is True  # type: ignore[union-attr]
    assert sight(policy, book, known, labels=(("feature", "b"),)).judge("s0", "check").holds is False  # type: ignore[union-attr]


def test_it_looks_back_and_says_what_it_needs(policy: CompiledPolicy) -> None:
    book = runbook({"check": "avg_over_time(metrics.errors, '3h') < 0.1"}, {"instruct": "Read."})
    compiled = programs(book, policy, {})
    query = policy.policy.metrics["errors"].query
    assert compiled.needs("s0", "check").queries == (query,)
    assert compiled.needs("s0").past[query] >= timedelta(hours=3)
    assert compiled.needs("s1").queries == ()
    samples = tuple(Sample(0.2, AT - timedelta(hours=each)) for each in (3, 2, 1, 0))
    known = {query: Answer(samples=samples[-1:])}
    found = Sight(compiled, run_of(book, policy), known, AT, past={query: Past(samples, AT - timedelta(days=9))}).judge(
        "s0", "check"
    )
    assert found is not None
    assert found.holds is False


def test_what_does_not_compile_any_more_is_missing_and_says_why(policy: CompiledPolicy) -> None:
    book = runbook({"check": "metrics.gone < 0.1"}, {"instruct": "{metrics.gone} and {parameters.x}"})
    seen = sight(policy, book)
    found = seen.judge("s0", "check")
    assert found is not None
    assert (found.holds, found.said) == (None, "it cannot be judged: no metric 'gone'")
    assert seen.text("s1") == "{metrics.gone} and {parameters.x}"


TEXTS = {
    "{card.model} serves {card.versions.serving}": "loans serves 2",
    "errors {metrics.errors}": "errors 0.123",
    "psi {metrics.psi}": "psi b 0.3, a 0.1",
    "worst {max(metrics.psi)}": "worst 0.3",
    "INC-{incident.id}: {incident.title}": "INC-no data: It is wrong",
    "{{braces}} {parameters.limit} {parameters.wait}": "{braces} 1,500 7d",
    "for {labels.feature}": "for no data",
    "{steps.s0.previous} {steps['s0'].state} by {steps.s0.by}": "1 done by bo",
}


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_written_for_people(policy: CompiledPolicy, text: str) -> None:
    book = runbook(
        {"act": "mlflow.set_alias"},
        {"instruct": text},
        parameters={"limit": {"type": "number"}, "wait": {"type": "duration"}},
    )
    done = Visit("s0", 1, "done", AT, by="bo", outputs={"previous": "1"})
    here = Visit("s1", 1, "active", AT)
    values = {"limit": 1500.0, "wait": "7d"}
    seen = sight(
        policy, book, answers(policy, errors=0.12345, psi={"a": 0.1, "b": 0.3}), parameters=values, visits=(done, here)
    )
    assert seen.text("s1") == TEXTS[text]


def test_the_incident_of_a_run_is_seen(policy: CompiledPolicy) -> None:
    from governance.core.alert import AlertKey
    from governance.core.incident import Finding

    finding = Finding(AlertKey("loans", "high"), "warning", "warning", AT, "Errors are high", {})
    incident = Incident(1234, "g", "loans", "triggered", "warning", AT, AT, (finding,))
    book = runbook({"instruct": "INC-{incident.id} {incident.severity} {incident.title}"})
    assert sight(policy, book, incident=incident).text("s0") == "INC-1234 warning Errors are high"


def test_what_an_act_is_asked_keeps_the_kind_of_its_values_and_is_exact(policy: CompiledPolicy) -> None:
    asked = {
        "name": "{card.model}",
        "limit": "{parameters.limit}",
        "text": "limit={parameters.limit} for {parameters.wait}",
        "share": 0.25,
        "deep": {"list": ["{metrics.errors}", 3, True]},
    }
    book = runbook(
        {"act": "http.request", "with": asked, "undo": {"act": "http.request", "with": {"name": "{run.id}"}}},
        parameters={"limit": {"type": "number"}, "wait": {"type": "duration"}},
    )
    seen = sight(
        policy, book, answers(policy, errors=0.12345), parameters={"limit": 1234.5, "wait": timedelta(hours=36)}
    )
    assert seen.asked("s0") == (
        {
            "name": "loans",
            "limit": 1234.5,
            "text": "limit=1234.5 for 1d12h",
            "share": 0.25,
            "deep": {"list": [0.12345, 3, True]},
        },
        "",
    )
    assert seen.asked("s0", undo=True) == ({"name": "RUN-12"}, "")


def test_an_act_without_a_value_says_which_and_why(policy: CompiledPolicy) -> None:
    asked = {"limit": "{metrics.errors}", "title": "about INC-{incident.id}"}
    _, trouble = sight(policy, runbook({"act": "http.request", "with": asked})).asked("s0")
    assert trouble == "limit: {metrics.errors}: no data; title: {incident.id}: no field 'id'"


def test_a_notice_is_written_out(policy: CompiledPolicy) -> None:
    book = runbook({"notify": {"message": "{card.model} is back", "channel": "{card.owners.channel}"}})
    notice, trouble = sight(policy, book).notice("s0")
    assert (notice.message, notice.channel, notice.notifier, trouble) == ("loans is back", "#loans", None, "")


PARAMETERS = {
    "to": {"default": "{card.versions.rollback_to}"},
    "limit": {"type": "number", "default": 0.2},
    "wait": {"type": "duration", "default": "7d"},
    "loud": {"type": "bool", "default": False},
}


def test_parameters_are_as_they_are_declared(policy: CompiledPolicy) -> None:
    book = runbook({"instruct": "Look."}, parameters=PARAMETERS)
    card = policy.policy.card
    assert parameters(book, {}, card, AT) == {"to": "1", "limit": 0.2, "wait": timedelta(days=7), "loud": False}
    given = {"to": "7d", "limit": "3", "wait": "90m", "loud": "true"}
    assert parameters(book, given, card, AT) == {
        "to": "7d", "limit": 3.0, "wait": timedelta(minutes=90), "loud": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tto": "1"}, "parameters.tto: no parameter 'tto'; did you mean 'to'?"),
        ({"limit": "many"}, "parameters.limit: must be a number, not 'many'"),
        ({"loud": "yes"}, "parameters.loud: must be true or false, not 'yes'"),
        ({"wait": "soon"}, "parameters.wait: "),
        ({}, "parameters.who: it has no default; give it"),
        ({"who": "x"}, "parameters.canary: its default has no value here: {card.versions.canary.version}: "),
    ],
)
def test_wrong_parameters_are_refused_with_what_is_wrong(
    policy: CompiledPolicy, given: dict[str, object], said: str
) -> None:
    more = {"who": {}, "canary": {"default": "{card.versions.canary.version}"}}
    book = runbook({"instruct": "Look."}, parameters={**PARAMETERS, **more})
    with pytest.raises(InvalidDocument) as refused:
        parameters(book, given, policy.policy.card, AT)
    assert said in str(refused.value)


def test_it_is_told_why_a_runbook_is_not_for_a_model(policy: CompiledPolicy) -> None:
    card = policy.policy.card
    assert why_not(runbook({"instruct": "Look."}), card) == ""
    assert why_not(runbook({"instruct": "Look."}, applies_to="has(card.versions)"), card) == ""
    other = runbook({"instruct": "Look."}, applies_to="has(card.versions) &&\n has(card.versions.canary)")
    assert why_not(other, card) == "'b' is not for this model: its card has no versions.canary"
    other = runbook({"instruct": "Look."}, applies_to="card.tier == 2 && has(card.log) && has(card.log.columns)")
    plain = {"model": "m", "owners": {"team": "t"}, "tier": 1}
    said = "'b' is not for this model: its card has no log.columns, card.tier 1 == 2 is false"
    assert why_not(other, plain) == said


def test_what_was_compiled_is_remembered(policy: CompiledPolicy) -> None:
    book = runbook({"check": "metrics.errors < 0.123"})
    again = Runbook.model_validate_json(book.model_dump_json())
    assert programs(book, policy, {}).expressions is programs(again, policy, {}).expressions
    other = replace(policy, policy=replace(policy.policy, metrics={}))
    assert programs(book, other, {}).expressions is not programs(book, policy, {}).expressions
