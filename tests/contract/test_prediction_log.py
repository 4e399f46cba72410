"""Every measure over real Parquet files against the same number computed directly from the rows."""

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from governance.core.metric import Against, Feature, LogTable, Query, labels
from governance.sources.prediction_log import PredictionLog

NOON = datetime(2024, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ROLES = {
    "time": "ts", "request": "id", "version": "ver", "score": "p", "decision": "yes", "latency": "secs", "cost": "eur",
    "error": "failed", "fallback": "fell", "override": "over", "feature_time": "fts", "label": "truth",
    "label_time": "known",
}  # fmt: skip
TYPES = {
    "ts": "timestamp", "id": "varchar", "ver": "varchar", "p": "double", "yes": "boolean", "secs": "double",
    "eur": "double", "failed": "boolean", "fell": "boolean", "over": "boolean", "fts": "timestamp", "x": "double",
    "c": "varchar", "truth": "double", "known": "timestamp",
}  # fmt: skip
FEATURES = (Feature("x", "number", low=0.0, high=100.0), Feature("c", "category"))


def write(path, rows, types=TYPES):
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(rows[0])
    with duckdb.connect() as connection:
        quoted = [name.replace('"', '""') for name in names]
        columns = ", ".join(f'"{each}" {types[name]}' for each, name in zip(quoted, names, strict=True))
        connection.execute(f"create table t ({columns})")
        values = [[_naive(row[name]) for name in names] for row in rows]
        connection.executemany(f"insert into t values ({', '.join('?' * len(names))})", values)
        connection.execute(f"copy t to '{path}' (format parquet)")


def _naive(value):
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def world(seed=1, n=240, shift=0.0, start=NOON - DAY):
    """Return predictions of a day and their truth, one to five hours later."""
    rng = random.Random(seed)  # noqa: S311
    rows, truth = [], []
    for index in range(n):
        at = start + DAY * (index + 0.5) / n
        p = rng.random()
        rows.append({
            "ts": at, "id": f"{seed}-{index}", "ver": rng.choice(["v1", "v2"]), "p": None if index % 29 == 0 else p,
            "yes": p > 0.5, "secs": rng.lognormvariate(-3, 1), "eur": rng.random() / 100,
            "failed": rng.random() < 0.1, "fell": rng.random() < 0.2, "over": rng.random() < 0.05,
            "fts": at - timedelta(minutes=rng.randrange(120)),
            "x": rng.choice([None, math.nan, -3.0, 140.0]) if index % 17 == 0 else rng.gauss(50 + shift, 10),
            "c": rng.choice(["a", "b", "c", None]),
        })  # fmt: skip
        known = at + HOUR * rng.uniform(1, 5)
        truth.append({"id": f"{seed}-{index}", "truth": float(rng.random() < p), "known": known})
    return rows, truth


def card(*, table="log", in_labels=True, reference=None, slices=(("ver2", "ver = 'v2'"), ("c", "c")), **roles):
    columns = {**ROLES, **roles}
    return LogTable(
        source="s",
        table=table,
        columns=tuple(sorted((role, name) for role, name in columns.items() if name)),
        features=FEATURES,
        slices=slices,
        labels="truth" if in_labels else None,
        reference=reference,
    )


def ask(source, log, measure, *, at=NOON, window=DAY, **more):
    query = Query("s", measure, log=log, window=window, **more)
    return source.sample([query], at=at)[query]


def value(source, log, measure, **more):
    answer = ask(source, log, measure, **more)
    assert not answer.failure
    (sample,) = answer.samples
    return sample.value


def all_answers(source, log, at=NOON, where=""):
    from governance.core.measure import MEASURES

    queries = [
        Query("s", name, log=log, window=DAY, by=by, of="x" if name == "quantile" else "", where=where)
        for name, measure in MEASURES.items()
        for by in measure.by
    ]
    answers = source.sample(queries, at=at)
    return {
        (query.measure, query.by): (answer.failure, [(s.labels, _rounded(s.value), s.reason) for s in answer.samples])
        for query, answer in answers.items()
    }


def _rounded(number):
    return None if number is None else float(f"{number:.9g}")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("logs")
    rows, truth = world()
    write(path / "log" / "a.parquet", rows)
    write(path / "truth" / "a.parquet", truth)
    write(path / "training.parquet", world(seed=9, n=400)[0])
    return PredictionLog(path), card(reference="training"), rows, truth


def mean(values):
    found = list(values)
    return sum(found) / len(found)


TRAFFIC = {
    "predictions": len,
    "errors": lambda rows: mean(row["failed"] for row in rows),
    "fallback_rate": lambda rows: mean(row["fell"] for row in rows),
    "override_rate": lambda rows: mean(row["over"] for row in rows),
    "decision_rate": lambda rows: mean(row["yes"] for row in rows),
    "stale_share": lambda rows: mean(row["ts"] - row["fts"] > HOUR for row in rows),
    "score_mean": lambda rows: mean(row["p"] for row in rows if row["p"] is not None),
    "cost_per_1k": lambda rows: 1000 * mean(row["eur"] for row in rows),
    "spend": lambda rows: sum(row["eur"] for row in rows),
}


@pytest.mark.parametrize("measure", TRAFFIC)
@pytest.mark.parametrize("window", [HOUR, 6 * HOUR, DAY])
def test_traffic(made, measure, window):
    source, log, rows, _ = made
    inside = [row for row in rows if NOON - window < row["ts"] <= NOON]
    assert value(source, log, measure, window=window) == pytest.approx(TRAFFIC[measure](inside))


@pytest.mark.parametrize("measure", [each for each in TRAFFIC if each != "predictions"])
def test_traffic_of_each_version(made, measure):
    source, log, rows, _ = made
    found = {sample.labels: sample.value for sample in ask(source, log, measure, by="version").samples}
    exact = {
        labels(version=each): TRAFFIC[measure]([row for row in rows if row["ver"] == each]) for each in ("v1", "v2")
    }
    assert found == pytest.approx(exact)


@pytest.mark.parametrize(("measure", "q"), [("latency_p50", 0.5), ("latency_p95", 0.95), ("latency_p99", 0.99)])
def test_latency(made, measure, q):
    source, log, rows, _ = made
    exact = sorted(row["secs"] for row in rows)[int(q * (len(rows) - 1))]
    assert value(source, log, measure) == pytest.approx(exact, rel=0.0051)
    assert value(source, log, "quantile", of="latency", q=q) == pytest.approx(exact, rel=0.0051)


def test_quantiles_of_features_and_score(made):
    source, log, rows, _ = made
    xs = sorted(row["x"] for row in rows if row["x"] is not None and not math.isnan(row["x"]))
    assert value(source, log, "quantile", of="x", q=0.25) == pytest.approx(xs[int(0.25 * (len(xs) - 1))], rel=0.0051)
    assert "no number 'c'" in ask(source, log, "quantile", of="c", q=0.25).failure


def test_versions(made):
    source, log, rows, _ = made
    found = {sample.labels: sample.value for sample in ask(source, log, "version_share", by="version").samples}
    assert found == {
        labels(version=each): pytest.approx(mean(row["ver"] == each for row in rows)) for each in ("v1", "v2")
    }


def test_ages_are_counted_at_the_end_of_the_window(made):
    source, log, rows, truth = made
    at = NOON - 3 * HOUR
    before = [row for row in rows if row["ts"] <= at]
    newest = max(row["ts"] for row in before)
    assert value(source, log, "freshness", at=at + timedelta(minutes=50)) == (at - newest).total_seconds()
    assert value(source, log, "oldest_row", at=at) == (at - rows[0]["ts"]).total_seconds()
    known = {each["id"] for each in truth if each["known"] <= at}
    labelled = max(row["ts"] for row in rows if row["id"] in known)
    assert value(source, log, "label_lag", at=at) == (at - labelled).total_seconds()


def test_features(made):
    source, log, rows, _ = made

    def by_feature(measure):
        return {sample.labels[0][1]: sample.value for sample in ask(source, log, measure, by="feature").samples}

    xs = [row["x"] for row in rows]
    missing = [x is None or math.isnan(x) for x in xs]
    nulls = {"x": mean(missing), "c": mean(row["c"] is None for row in rows)}
    assert by_feature("null_rate") == pytest.approx(nulls)
    outside = mean(x is not None and not math.isnan(x) and not 0 <= x <= 100 for x in xs)
    assert by_feature("out_of_range") == pytest.approx({"x": outside})  # c has no range to be out of
    assert by_feature("cardinality")["c"] == 3
    assert by_feature("constant") == {"x": 0, "c": 0}
    assert by_feature("new_categories") == {"c": 0}  # numbers have no categories
    assert set(by_feature("ks")) == {"x"}
    numbers = [x for x in xs if x is not None and not math.isnan(x)]
    assert by_feature("mean") == {"x": pytest.approx(mean(numbers), rel=0.006)}  # c is no number
    assert all(0 <= found < 0.25 for found in by_feature("psi").values())


def test_defaults_are_counted(made):
    source, log, rows, _ = made
    features = (replace(FEATURES[0], default=140.0), replace(FEATURES[1], default="a"), Feature("p", "number"))
    samples = ask(source, replace(log, features=features), "default_rate", by="feature").samples
    found = {sample.labels[0][1]: sample.value for sample in samples}
    assert found == {"x": mean(row["x"] == 140.0 for row in rows), "c": mean(row["c"] == "a" for row in rows)}


def outcomes_of(rows, truth, at):
    known = {each["id"]: each["truth"] for each in truth if each["known"] <= at}
    return [(row["p"], row["yes"], known[row["id"]], row) for row in rows if row["id"] in known]


def quality_of(measure, joined):
    scored = [(p, label) for p, _, label, _ in joined if p is not None]
    pairs = [(p > n) + (p == n) / 2 for p, yes in scored if yes for n, no in scored if not no]
    return {
        "label_rate": lambda: mean(label for _, _, label, _ in joined),
        "accuracy": lambda: mean(yes == bool(label) for _, yes, label, _ in joined),
        "precision": lambda: mean(label for _, yes, label, _ in joined if yes),
        "recall": lambda: mean(yes for _, yes, label, _ in joined if label),
        "false_positive_rate": lambda: mean(yes for _, yes, label, _ in joined if not label),
        "false_negative_rate": lambda: mean(not yes for _, yes, label, _ in joined if label),
        "auc": lambda: mean(pairs),
        "log_loss": lambda: mean(-math.log(p if label else 1 - p) for p, label in scored),
        "calibration_error": lambda: abs(mean(p - label for p, label in scored)),
        "bias": lambda: mean(p - label for p, label in scored),
        "mae": lambda: mean(abs(p - label) for p, label in scored),
        "rmse": lambda: math.sqrt(mean((p - label) ** 2 for p, label in scored)),
        "wape": lambda: sum(abs(p - label) for p, label in scored) / sum(label for _, label in scored),
    }[measure]()


QUALITY = ["label_rate", "accuracy", "precision", "recall", "false_positive_rate", "false_negative_rate", "auc",
           "log_loss", "calibration_error", "bias", "mae", "rmse", "wape"]  # fmt: skip


@pytest.mark.parametrize("measure", QUALITY)
def test_quality(made, measure):
    source, log, rows, truth = made
    joined = outcomes_of(rows, truth, NOON)
    assert value(source, log, measure) == pytest.approx(quality_of(measure, joined), rel=2e-3)
    for by, key, of in (("slice", "c", lambda row: row["c"] or "null"), ("version", "version", lambda row: row["ver"])):
        samples = ask(source, log, measure, by=by).samples
        found = {dict(s.labels).get("value", dict(s.labels).get("version")): s.value for s in samples if _about(s, key)}
        expected = {name: [j for j in joined if of(j[3]) == name] for name in {of(j[3]) for j in joined}}
        exact = {name: quality_of(measure, part) for name, part in expected.items()}
        assert found == pytest.approx(exact, rel=6e-3)


def _about(sample, key):
    return dict(sample.labels).get("slice", "version") == key


def test_rare_events_are_ranked(tmp_path):
    rows, truth = world()
    for row in rows:
        row["p"] = None if row["p"] is None else row["p"] / 1000
    write(tmp_path / "log.parquet", rows)
    write(tmp_path / "truth.parquet", truth)
    exact = quality_of("auc", outcomes_of(rows, truth, NOON))
    assert value(PredictionLog(tmp_path), card(), "auc") == pytest.approx(exact, abs=0.005)


def test_comparison_with_the_preceding_window(made, tmp_path):
    write(tmp_path / "log" / "1.parquet", world(seed=1, start=NOON - 2 * DAY)[0])
    write(tmp_path / "log" / "2.parquet", world(seed=2, shift=30.0)[0])
    answer = ask(PredictionLog(tmp_path), card(), "psi", by="feature", against=Against(window=DAY))
    found = {sample.labels[0][1]: sample.value for sample in answer.samples}
    assert found["x"] > 1 > found["c"]
    assert [s.reason for s in ask(PredictionLog(tmp_path), card(), "psi", by="feature").samples] == ["no_data"] * 2


WHERE = "ver = 'v2' and c is not null  -- the second version, where it was called"


@pytest.mark.parametrize("in_labels", [True, False], ids=["labels apart", "labels in the log"])
def test_a_part_of_a_log_is_answered_as_if_there_were_nothing_else(tmp_path, in_labels):
    def chosen(rows):
        return [row for row in rows if row["ver"] == "v2" and row["c"] is not None]

    rows, truth = world()
    training = world(seed=9, n=400)[0]
    if not in_labels:
        known = {each["id"]: each for each in truth}
        rows = [{**row, **known[row["id"]]} for row in rows]
    for name, kept in (("whole", rows), ("part", chosen(rows))):
        write(tmp_path / name / "log.parquet", kept)
        write(tmp_path / name / "truth.parquet", truth)
    write(tmp_path / "whole" / "training.parquet", training)
    write(tmp_path / "part" / "training.parquet", chosen(training))
    log = card(reference="training", in_labels=in_labels)
    source, part = PredictionLog(tmp_path / "whole"), PredictionLog(tmp_path / "part")
    before = all_answers(source, log)
    found = all_answers(source, log, where=WHERE)
    assert found == all_answers(part, log)
    assert all_answers(source, log) == before != found


def test_a_part_of_a_log_needs_no_column_in_the_reference_unless_it_is_compared_with(tmp_path):
    write(tmp_path / "log.parquet", world()[0])
    write(tmp_path / "training.parquet", [{"x": row["x"], "c": row["c"]} for row in world(seed=9)[0]])
    source, log = PredictionLog(tmp_path), card(reference="training", in_labels=False, label=None, label_time=None)
    assert value(source, log, "predictions", where="ver = 'v2'") > 50
    failure = ask(source, log, "psi", by="feature", where="ver = 'v2'").failure
    assert 'column "ver" not found' in failure
    assert ask(source, log, "psi", by="feature").samples[0].value is not None


def test_new_rows_enter_every_part(tmp_path):
    rows = world()[0]
    write(tmp_path / "log" / "1.parquet", rows[:100])
    source, log = PredictionLog(tmp_path), card(in_labels=False, label=None, label_time=None)
    asked = {where: value(source, log, "predictions", where=where) for where in ("", "ver = 'v1'", "ver = 'v2'")}
    write(tmp_path / "log" / "2.parquet", rows[100:])
    again = {where: value(source, log, "predictions", where=where) for where in asked}
    assert asked[""] == asked["ver = 'v1'"] + asked["ver = 'v2'"] == 100
    assert again[""] == again["ver = 'v1'"] + again["ver = 'v2'"] == len(rows)


@pytest.mark.parametrize("by_feature", [False, True], ids=["of the metric", "of a feature"])
def test_comparison_with_what_another_version_saw_before(tmp_path, by_feature):
    early, late = world(seed=1, start=NOON - 2 * DAY)[0], world(seed=2, shift=30.0)[0]
    write(tmp_path / "log.parquet", [*early, *late])
    write(tmp_path / "v1.parquet", [row for row in early if row["ver"] == "v1"])
    source, plain = PredictionLog(tmp_path), {"in_labels": False, "label": None, "label_time": None}
    other, expected = Against(version="v1"), ask(source, card(reference="v1", **plain), "psi", by="feature")
    log = card(**plain)
    if by_feature:
        features = tuple(replace(each, against=other) for each in FEATURES)
        found = ask(source, replace(log, features=features), "psi", by="feature")
    else:
        found = ask(source, log, "psi", by="feature", against=other)
        score = value(source, log, "score_psi", against=other)
        assert score == value(source, card(reference="v1", **plain), "score_psi")
    assert found.samples == expected.samples
    assert found.samples[0].value > 1
    never = ask(source, log, "psi", by="feature", against=Against(version="v9"))
    assert {(each.value, each.reason) for each in never.samples} == {(None, "no_data")}
    assert "no 'version' column" in ask(source, card(version=None, **plain), "psi", by="feature", against=other).failure


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (Query("s", "nonsense"), "no measure 'nonsense'"),
        (Query("s", "errors", where="a = 1"), 'column "a" not found'),
        (Query("s", "errors", where="ver = "), "syntax error"),
        (Query("s", "errors", where="true) or (count(*) > 1"), "aggregate"),
        (Query("s", "errors", by="feature"), "cannot be split"),
        (Query("s", "quantile"), "no number ''"),
    ],
)
def test_what_cannot_be_answered_says_why(made, query, sentence):
    source, log, _, _ = made
    asked = replace(query, log=log)
    assert sentence in source.sample([asked], at=NOON)[asked].failure
    assert source.sample([Query("s", text="select 1")], at=NOON)[Query("s", text="select 1")].failure


def test_a_role_the_card_does_not_map_is_a_failure(made):
    source = made[0]
    assert "no 'cost' column" in ask(source, card(cost=None), "spend").failure
    assert "'label_time'" in ask(source, card(label_time=None), "predictions").failure
