"""Questions to a real MLflow server, and acts of runbooks on it; it is told everything over REST."""

import json
import os
import signal
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from contract.sources.programs import free_port, program, running

from governance import bootstrap
from governance.actions import mlflow
from governance.cli import main
from governance.core.metric import Query, labels
from governance.core.performance import Request
from governance.demo.story import ReplayClock
from governance.engine import queries
from governance.engine.cycle import run_cycle
from governance.settings import Settings
from governance.sources.mlflow import Mlflow, MlflowConfig
from governance.store import incidents

OWN = Path(__file__).parents[2] / ".venv-mlflow" / "bin" / "mlflow"
ENDED = datetime(2013, 3, 10, 12, tzinfo=UTC)


class Registry:
    """Writes to MLflow."""

    def __init__(self, address, process):
        self.address, self.process = address, process

    def post(self, path, **body):
        return self._sent("POST", path, body)

    def _sent(self, method, path, body):
        request = urllib.request.Request(  # noqa: S310 (an address of the test)
            f"{self.address}/api/2.0/mlflow/{path}",
            method=method,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (an address of the test)
            return json.load(answer)

    def run(self, ended=None, **metrics):
        began = int((ENDED - timedelta(hours=1)).timestamp() * 1000)
        run = self.post("runs/create", experiment_id="0", start_time=began)["run"]["info"]["run_id"]
        for key, value in metrics.items():
            self.post("runs/log-metric", run_id=run, key=key.replace("__", "/"), value=value, timestamp=began)
        if ended:
            self.post("runs/update", run_id=run, status="FINISHED", end_time=int(ended.timestamp() * 1000))
        return run

    def version(self, name, run):
        found = self.post("model-versions/create", name=name, source=f"runs:/{run}/model", run_id=run)
        created = int(found["model_version"]["creation_timestamp"])
        return found["model_version"]["version"], created / 1000

    def alias(self, name, alias, version):
        self.post("registered-models/alias", name=name, alias=alias, version=version)


@pytest.fixture(scope="session")
def registry(tmp_path_factory):
    wanted = os.environ.get("MLFLOW_PROGRAM") or str(OWN)
    mlflow = program(wanted, "make .venv-mlflow/.ready")
    path = tmp_path_factory.mktemp("mlflow")
    address = f"http://127.0.0.1:{free_port()}"
    command = [
        mlflow, "server", "--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--workers", "1",
        "--backend-store-uri", f"sqlite:///{path}/registry.db", "--artifacts-destination", str(path / "artifacts"),
    ]  # fmt: skip
    with running(command, ready=f"{address}/health", log=path / "log", seconds=120) as process:
        yield Registry(address, process)


@pytest.fixture(scope="session")
def told(registry):
    """A registry with two versions of a model, the first trained in 2013, the second of a run without an end."""
    registry.post("registered-models/create", name="flight-delay")
    registry.post("registered-models/create", name="untrained")
    first = registry.version("flight-delay", registry.run(ended=ENDED, auc=0.83, val__auc=0.81, broken="NaN"))
    second = registry.version("flight-delay", registry.run(auc=0.9))
    registry.alias("flight-delay", "champion", first[0])
    registry.alias("flight-delay", "challenger", second[0])
    return {"address": registry.address, "created": {"1": first[1], "2": second[1]}}


def ask(told, text, *, at=None, **more):
    now = datetime.now(UTC)
    source = Mlflow(MlflowConfig(address=told["address"], **more), now=lambda: now)
    query = Query("s", text=text)
    return source.sample([query], at=at or now)[query]


def found(answer):
    assert not answer.failure
    return {sample.labels: sample.value for sample in answer.samples}


@pytest.mark.parametrize("text", ["flight-delay@champion", "flight-delay/1"])
def test_trained_when_the_run_ended(told, text):
    assert found(ask(told, text)) == {labels(version="1"): ENDED.timestamp()}


def test_trained_when_registered_if_no_run_tells(told):
    assert found(ask(told, "flight-delay@challenger")) == {labels(version="2"): told["created"]["2"]}


def test_all_versions_over_several_pages(told):
    expected = {labels(version=each): created for each, created in told["created"].items()}
    assert found(ask(told, "flight-delay")) == expected
    assert "more than 1 versions, at most 1" in ask(told, "flight-delay", max_series=1).failure
    assert found(ask(told, "untrained")) == {}


@pytest.mark.parametrize(("metric", "value"), [("auc", 0.83), ("val/auc", 0.81)])
def test_a_logged_metric(told, metric, value):
    assert found(ask(told, f"flight-delay@champion/metrics/{metric}")) == {labels(version="1"): value}


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("flight-delay@nobody", "no alias 'nobody' of flight-delay"),
        ("loans@champion", "no alias 'champion' of loans"),
        ("flight-delay/99", "no version 99 of flight-delay"),
        ("flight-delay@champion/metrics/f1", "the run of version 1 has no metric 'f1'"),
        ("flight-delay@champion/metrics/broken", "broken is NaN"),
    ],
)
def test_what_is_not_there_is_no_data(told, text, detail):
    (sample,) = ask(told, text).samples
    assert (sample.value, sample.reason, sample.detail) == (None, "no_data", detail)


def test_the_past_knows_no_alias_and_no_later_version(told):
    before = datetime.fromtimestamp(told["created"]["1"], UTC) - timedelta(hours=1)
    assert "answers only for the present" in ask(told, "flight-delay@champion", at=before).failure
    assert found(ask(told, "flight-delay", at=before)) == {}
    (sample,) = ask(told, "flight-delay/1", at=before).samples
    assert (sample.value, sample.reason) == (None, "no_data")


@pytest.mark.parametrize("text", ["", "flight-delay@champion/latest", "flight-delay/champion", "it's", "a/b/c"])
def test_what_is_no_question_says_how_to_ask(told, text):
    assert "<name>@<alias>/metrics/<metric>" in ask(told, text).failure


POLICIES = {
    "org.yaml": """
kind: org
people: {ana: {}}
sources: {registry: {kind: mlflow, address: "ADDRESS", timeout: 2s}}
""",
    "risk.yaml": """
kind: card
model: risk
owners: {team: t, accountable: ana}
versions: {serving: {registry: registry, name: risk, serving: champion}, rollback_to: "1"}
metrics:
  auc: {source: registry, query: "$name@champion/metrics/auc", labels: [version]}
labels: {name: risk}
rules:
  - rule: rolled-back
    when: has(card.versions) && has(card.versions.serving) && card.versions.serving == '1'
  - {rule: old, when: "has(evidence.trained) && now - evidence.trained > duration('30d')"}
  - {rule: weak, when: max(metrics.auc) < 0.85, severity: critical}
""",
}


RULES = {"rolled-back", "old", "weak"}


def judged(engine, at):
    return {each.rule: each.outcome for each in queries.judged(engine, "risk", at) if "/" not in each.rule}


def firing(engine, at):
    run_cycle(engine, at)
    with engine.database.read() as connection:
        found = [each for incident in incidents.listed(connection, status="open") for each in incident.firing]
    return {each.key.rule for each in found if "/" not in each.key.rule}


def test_the_engine_follows_an_alias_and_keeps_what_it_said_while_the_registry_halts(registry, tmp_path):
    """The version that serves, when it was trained and how good it was, all of a real registry."""
    for name, text in POLICIES.items():
        (tmp_path / name).write_text(text.replace("ADDRESS", registry.address))
    registry.post("registered-models/create", name="risk")
    for ended, auc in ((ENDED, 0.8), (datetime.now(UTC) - timedelta(days=2), 0.9)):
        registry.version("risk", registry.run(ended=ended, auc=auc))
    registry.alias("risk", "champion", "2")
    begin = datetime.now(UTC)
    clock = ReplayClock(begin)
    engine = bootstrap.engine(Settings(home=tmp_path / ".gov", policies=tmp_path), clock=clock)
    assert judged(engine, begin) == dict.fromkeys(RULES, "pass")
    assert firing(engine, begin) == set()
    registry.alias("risk", "champion", "1")
    assert judged(engine, begin) == dict.fromkeys(RULES, "fail")
    assert firing(engine, begin + timedelta(hours=1)) == RULES
    os.killpg(registry.process.pid, signal.SIGSTOP)
    try:
        halted = judged(engine, begin + timedelta(hours=2))
        assert firing(engine, begin + timedelta(hours=2)) == {*RULES, "source-failing"}
    finally:
        os.killpg(registry.process.pid, signal.SIGCONT)
    assert halted == {"rolled-back": "fail", "old": "fail", "weak": "error"}
    registry.alias("risk", "champion", "2")
    assert firing(engine, begin + timedelta(hours=3)) == set()


def test_a_registered_model_becomes_a_card_that_follows_it(registry, tmp_path, monkeypatch, capsys):
    """What `gov import mlflow` drafts passes the check, and its metrics are answered by the registry."""
    monkeypatch.chdir(tmp_path)
    registry.post("registered-models/create", name="Loan Risk", description="Whether a loan is lost.")
    for auc in (0.7, 0.8, 0.9):
        registry.version("Loan Risk", registry.run(ended=ENDED, auc=auc, val__auc=auc))
    registry.alias("Loan Risk", "champion", "2")
    registry.alias("Loan Risk", "previous", "1")
    registry.alias("Loan Risk", "challenger", "3")
    assert main.run(["import", "mlflow", "Loan Risk", "--address", registry.address]) == 0
    assert capsys.readouterr().err == "gov: note: the alias 'challenger' (version 3) is not taken over\n"
    text = (tmp_path / "policies/loan-risk.yaml").read_text()
    assert 'serving: {registry: registry, name: Loan Risk, serving: champion}\n  rollback_to: "1"' in text
    assert main.run(["check"]) == 0, capsys.readouterr().out
    built = bootstrap.engine(Settings(home=tmp_path / ".gov", policies=tmp_path / "policies"))
    metrics = built.plan.by_model["loan-risk"].policy.metrics
    queries_ = {name: each.query for name, each in metrics.items() if each.spec.query}
    answers = built.collector.now(queries_.values(), built.sources, datetime.now(UTC))
    assert {name: found(answers[each]) for name, each in queries_.items()} == {
        "auc": {labels(version="2"): 0.8},
        "val_auc": {labels(version="2"): 0.8},
    }
    assert main.run(["import", "mlflow", "nobody", "--address", registry.address]) == 2
    assert main.run(["import", "mlflow", "Loan Risk", "--address", "http://127.0.0.1:9"]) in (1, 4)


def acted(address, how, operation, **with_):
    system = mlflow.Mlflow(mlflow.MlflowConfig(address=address))
    return getattr(system, how)(Request("RUN-1/roll-back/1", operation, with_, datetime.now(UTC)))


def alias_of(registry, name):
    now = datetime.now(UTC)
    query = Query("s", text=f"{name}@champion")
    answer = Mlflow(MlflowConfig(address=registry.address), now=lambda: now).sample([query], at=now)[query]
    return {dict(sample.labels).get("version") for sample in answer.samples}


def test_a_version_is_rolled_back_by_its_alias_and_the_registry_says_so(registry):
    registry.post("registered-models/create", name="spam")
    for _ in range(2):
        registry.version("spam", registry.run(ended=ENDED))
    registry.alias("spam", "champion", "2")
    back = {"name": "spam", "alias": "champion", "version": "1"}
    dry = acted(registry.address, "dry_run", "set_alias", **back)
    assert (dry.state, dry.detail) == ("done", "champion of spam would be version 1; it was 2")
    assert acted(registry.address, "read_back", "set_alias", **back).state == "failed"
    assert alias_of(registry, "spam") == {"2"}
    done = acted(registry.address, "perform", "set_alias", **back)
    assert (done.state, done.detail, done.outputs["before"]) == ("done", "champion of spam is version 1; it was 2", "2")
    assert alias_of(registry, "spam") == {"1"}
    again = acted(registry.address, "perform", "set_alias", **back)
    assert (again.state, again.detail, again.outputs["before"]) == ("done", "champion of spam is version 1 already", "")
    assert acted(registry.address, "read_back", "set_alias", **back).state == "done"
    first = {**back, "alias": "previous"}
    assert (
        acted(registry.address, "perform", "set_alias", **first).detail
        == "previous of spam is version 1; it named none"
    )
    for wrong, said in (("9", "the registry has no version 9 of spam"),):
        found = acted(registry.address, "perform", "set_alias", **{**back, "version": wrong})
        assert (found.state, found.again, found.detail) == ("failed", False, said)
    assert alias_of(registry, "spam") == {"1"}
    unknown = acted(registry.address, "dry_run", "set_alias", **{**back, "name": "nobody"})
    assert unknown.detail == "the registry has no version 1 of nobody"
    for tag in ({"version": "1"}, {}):
        asked = {"name": "spam", "key": "rolled-back", "value": "RUN-1", **tag}
        assert acted(registry.address, "read_back", "set_tag", **asked).state == "failed"
        assert acted(registry.address, "dry_run", "set_tag", **asked).state == "done"
        assert acted(registry.address, "perform", "set_tag", **asked).state == "done"
        assert acted(registry.address, "read_back", "set_tag", **asked).state == "done"
    lacking = acted(registry.address, "perform", "set_tag", name="nobody", key="a", value="b")
    assert (lacking.state, lacking.detail) == ("failed", "the registry has no registered model 'nobody'")


def test_a_registry_that_halts_is_unknown_and_then_found_to_have_done_it_or_not(registry):
    registry.post("registered-models/create", name="halts")
    for _ in range(2):
        registry.version("halts", registry.run(ended=ENDED))
    registry.alias("halts", "champion", "2")
    system = mlflow.Mlflow(mlflow.MlflowConfig(address=registry.address, timeout="300ms"))
    request = Request("RUN-1/a/1", "set_alias", {"name": "halts", "alias": "champion", "version": 1}, datetime.now(UTC))
    os.killpg(registry.process.pid, signal.SIGSTOP)
    try:
        halted, unread = system.perform(request), system.read_back(request)
    finally:
        os.killpg(registry.process.pid, signal.SIGCONT)
    assert (halted.state, halted.again) == ("failed", True)  # it had only been asked what is there
    assert unread is None
