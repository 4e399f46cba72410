"""Files that come late, twice, rewritten, broken or not at all."""

import math
import os
import subprocess
import sys
from datetime import timedelta

import duckdb
import pytest
from contract.test_prediction_log import DAY, FEATURES, HOUR, NOON, TYPES, all_answers, ask, card, value, world, write

from governance.core.metric import Feature, LogTable, Query
from governance.sources.prediction_log import PredictionLog
from governance.sources.prediction_log import counting as counting_module


def parts(rows, n):
    return [rows[index::n] for index in range(n)]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """Everything at once, with some requests logged twice."""
    path = tmp_path_factory.mktemp("scratch")
    rows, truth = world()
    rows = [*rows, *({**row, "ver": "v3"} for row in rows[::20])]
    write(path / "log.parquet", rows)
    write(path / "truth.parquet", truth)
    write(path / "training.parquet", world(seed=9)[0])
    return rows, truth, all_answers(PredictionLog(path), card(reference="training"))


@pytest.mark.parametrize("order", ["predictions first", "labels first", "in turn", "all again"])
def test_incremental_equals_from_scratch(scratch, tmp_path, order):
    rows, truth, expected = scratch
    writes = [("log", index, part) for index, part in enumerate(parts(rows, 3))]
    writes += [("truth", index, part) for index, part in enumerate(parts(truth, 3))]
    writes.sort(key=lambda each: {"labels first": each[0] == "log", "in turn": each[1]}.get(order, 0))
    write(tmp_path / "training.parquet", world(seed=9)[0])
    source, log = PredictionLog(tmp_path), card(reference="training")
    for table, index, part in writes:
        write(tmp_path / table / f"{index}.parquet", part)
        source.sample([Query("s", "predictions", log=log)], at=NOON)
    if order == "all again":
        write(tmp_path / "log" / "0.parquet", [*parts(rows, 3)[0], rows[0]])  # another size: another file
        source.sample([Query("s", "predictions", log=log)], at=NOON)
        write(tmp_path / "log" / "0.parquet", parts(rows, 3)[0])
    assert all_answers(source, log) == expected


def test_nothing_later_than_at_enters(scratch, tmp_path):
    rows, truth, _ = scratch
    at = NOON - 8 * HOUR
    early, log = tmp_path / "early", card()
    write(early / "log" / "1.parquet", [row for row in rows if row["ts"] <= at])
    write(early / "truth" / "1.parquet", [row for row in truth if row["known"] <= at])
    source = PredictionLog(early)
    expected = all_answers(source, log, at)
    write(early / "log" / "2.parquet", [row for row in rows if row["ts"] > at])
    write(early / "truth" / "2.parquet", [row for row in truth if row["known"] > at])
    assert all_answers(source, log, at) == expected
    assert all_answers(PredictionLog(early), log, at) == expected
    assert all_answers(source, log, NOON) != expected


def test_labels_in_the_same_table(scratch, tmp_path):
    rows, truth, expected = scratch
    known = {each["id"]: each for each in truth}
    write(tmp_path / "log.parquet", [{**row, **known[row["id"]]} for row in rows])
    write(tmp_path / "training.parquet", world(seed=9)[0])
    assert all_answers(PredictionLog(tmp_path), card(reference="training", in_labels=False)) == expected


def test_a_label_in_the_same_table_without_its_time_is_not_known(tmp_path):
    rows, truth = world(n=48)
    write(
        tmp_path / "log.parquet",
        [{**row, "truth": each["truth"], "known": None} for row, each in zip(rows, truth, strict=True)],
    )
    log = card(in_labels=False)
    assert value(PredictionLog(tmp_path), log, "accuracy") is None
    assert value(PredictionLog(tmp_path), card(in_labels=False, label_time=None), "accuracy") is not None


def test_late_labels_count_when_they_come_and_no_label_counts_twice(tmp_path):
    rows, truth = world(n=48)
    write(tmp_path / "log.parquet", rows)
    source, log = PredictionLog(tmp_path), card()
    assert value(source, log, "accuracy") is None
    write(tmp_path / "truth" / "1.parquet", truth[:10])
    assert ask(source, log, "accuracy").samples[0].count == 10
    write(tmp_path / "truth" / "2.parquet", truth[:20])
    assert ask(source, log, "accuracy").samples[0].count == 20


def test_a_rewritten_file_is_not_counted_twice(tmp_path):
    rows, _ = world(n=100)
    source, log = PredictionLog(tmp_path), card()
    write(tmp_path / "log" / "1.parquet", rows[:40])
    assert value(source, log, "predictions") == 40
    write(tmp_path / "log" / "1.parquet", rows[:60])
    write(tmp_path / "log" / "2.parquet", rows[60:])
    assert value(source, log, "predictions") == 100


def test_a_vanished_file_keeps_its_counts_but_is_not_the_oldest(tmp_path):
    rows, _ = world(n=100)
    source, log = PredictionLog(tmp_path), card()
    write(tmp_path / "log" / "1.parquet", rows[:50])
    write(tmp_path / "log" / "2.parquet", rows[50:])
    assert value(source, log, "oldest_row") == (NOON - rows[0]["ts"]).total_seconds()
    (tmp_path / "log" / "1.parquet").unlink()
    assert value(source, log, "predictions") == 100
    assert value(source, log, "oldest_row") == (NOON - rows[50]["ts"]).total_seconds()


def test_a_corrupt_file_fails_its_log_only_until_it_is_mended(tmp_path):
    rows, truth = world(n=100)
    write(tmp_path / "log" / "1.parquet", rows[:50])
    write(tmp_path / "other.parquet", rows)
    write(tmp_path / "truth.parquet", truth)
    source, log, other = PredictionLog(tmp_path), card(), card(table="other")
    assert value(source, log, "predictions") == 50
    (tmp_path / "log" / "2.parquet").write_bytes(b"PAR1 nonsense PAR1")
    write(tmp_path / "log" / "3.parquet", rows[50:90])
    questions = [Query("s", "predictions", log=each, window=DAY) for each in (log, other)]
    answers = source.sample(questions, at=NOON)
    assert "2.parquet" in answers[questions[0]].failure
    assert "\n" not in answers[questions[0]].failure
    assert answers[questions[1]].samples[0].value == 100
    write(tmp_path / "log" / "2.parquet", rows[90:])
    assert value(source, log, "predictions") == 100
    assert all_answers(source, log) == all_answers(PredictionLog(tmp_path), card())


def test_nothing_is_half_counted_after_an_error(tmp_path):
    rows, truth = world(n=100)
    write(tmp_path / "log" / "1.parquet", rows)
    source, log = PredictionLog(tmp_path), card()
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "1.parquet").write_bytes(b"nonsense")  # read after the predictions were counted
    for _ in range(2):
        assert "1.parquet" in ask(source, log, "predictions").failure
    write(tmp_path / "truth" / "1.parquet", truth)
    assert value(source, log, "predictions") == 100


@pytest.mark.parametrize(
    "expression", ["nonsense(c)", "c) as x, (c", "sum(eur)", "missing_column", "c -- note", "'", "((c"]
)
def test_a_bad_slice_expression_is_a_sentence_or_harmless_and_fails_no_more_than_slices(tmp_path, expression):
    rows, truth = world(n=60)
    write(tmp_path / "log.parquet", rows)
    write(tmp_path / "truth.parquet", truth)
    source, log = PredictionLog(tmp_path), card(slices=(("bad", expression), ("c", "c")))
    by_slice, whole = (Query("s", "accuracy", log=log, window=DAY, by=by) for by in ("slice", ""))
    answers = source.sample([by_slice, whole], at=NOON)
    assert bool(answers[by_slice].failure) == (expression not in {"c -- note", "c) as x, (c"})
    assert bool(answers[by_slice].samples) != bool(answers[by_slice].failure)
    assert answers[whole].samples[0].value is not None
    assert value(source, log, "predictions") == 60


def test_a_slice_reads_no_other_file(tmp_path):
    rows, _ = world(n=10)
    write(tmp_path / "logs" / "log.parquet", rows)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    expression = f"(select count(*) from read_csv('{tmp_path / 'secret.csv'}'))"
    source, log = PredictionLog(tmp_path / "logs"), card(slices=(("x", expression),))
    assert "disabled" in ask(source, log, "auc", by="slice").failure
    assert "disabled" in ask(source, card(), "predictions", where=f"{expression} > 0").failure


def test_a_missing_directory_and_a_log_that_never_had_a_file_are_failures(tmp_path):
    assert "no directory" in ask(PredictionLog(tmp_path / "nowhere"), card(), "predictions").failure
    (tmp_path / "lgo").mkdir()
    source = PredictionLog(tmp_path)
    said = f"log: no Parquet files for this table in {tmp_path}; tables there: lgo; did you mean 'lgo'?"
    assert ask(source, card(), "predictions").failure == said
    rows, _ = world(n=10)
    write(tmp_path / "log" / "a.parquet", rows)
    assert value(source, card(), "predictions") == 10  # and is well when the first file is there
    (tmp_path / "log" / "a.parquet").unlink()
    assert value(source, card(), "predictions") == 10  # retention may take the files away


def test_a_path_with_wildcards_is_taken_literally(tmp_path):
    rows, _ = world(n=10)
    write(tmp_path / "a[1]" / "log.parquet", rows)
    assert value(PredictionLog(tmp_path / "a[1]"), card(), "predictions") == 10


def test_columns_that_later_files_lack_are_null_and_features_that_none_has_are_an_error(tmp_path):
    rows, truth = world(n=100)
    write(tmp_path / "truth.parquet", truth)
    source, log = PredictionLog(tmp_path), card()
    less = [{key: row[key] for key in row if key not in {"c", "eur", "x"}} for row in rows[50:]]
    write(tmp_path / "log" / "1.parquet", rows[:50])
    assert value(source, log, "predictions") == 50
    write(tmp_path / "log" / "2.parquet", less)
    assert all_answers(source, log) == all_answers(PredictionLog(tmp_path), log)
    nulls = {sample.labels[0][1]: sample.value for sample in ask(source, log, "null_rate", by="feature").samples}
    assert nulls["c"] > 0.5
    assert ask(source, log, "spend").samples[0].count == 50
    unknown = LogTable("s", "log", (("time", "ts"),), (*FEATURES, Feature("unseen", "number")))
    answer = {sample.labels[0][1]: sample for sample in ask(source, unknown, "null_rate", by="feature").samples}
    assert (answer["unseen"].value, answer["unseen"].reason) == (None, "error")
    assert "the log has no column 'unseen'; columns there: c, " in answer["unseen"].detail
    assert answer["x"].value is not None
    assert "no column 'unseen'" in ask(source, unknown, "quantile", of="unseen").failure
    types = {"ts": TYPES["ts"], "Unseen": "double"}
    write(tmp_path / "log" / "3.parquet", [{"ts": rows[0]["ts"], "Unseen": 1.0}], types)
    answer = {sample.labels[0][1]: sample for sample in ask(source, unknown, "null_rate", by="feature").samples}
    assert answer["unseen"].value == pytest.approx(100 / 101)  # a file has it now, whatever its case
    assert "nope" in ask(source, card(cost="nope"), "spend").failure


def test_a_misspelt_feature_is_told_from_one_that_is_always_null(tmp_path):
    write(tmp_path / "log.parquet", [{"ts": NOON - HOUR, "income": None}], {"ts": "timestamptz", "income": "double"})
    log = LogTable("s", "log", (("time", "ts"),), (Feature("income", "number"), Feature("incme", "number")))
    real, misspelt = ask(PredictionLog(tmp_path), log, "null_rate", by="feature").samples
    assert (real.value, real.count) == (1, 1)
    assert (misspelt.value, misspelt.reason) == (None, "error")
    assert misspelt.detail == "the log has no column 'incme'; did you mean 'income'?"


def test_a_table_of_labels_that_never_had_a_file_is_an_error_once_labels_are_due(tmp_path):
    rows, truth = world(n=50)
    write(tmp_path / "log.parquet", rows)
    write(tmp_path / "trth.parquet", truth)
    source, log = PredictionLog(tmp_path), card()
    said = f"truth: no Parquet files for this table in {tmp_path}; tables there: log, trth; did you mean 'trth'?"
    for asked, reason in (
        (Query("s", "auc", log=log, window=DAY), "error"),
        (Query("s", "auc", log=log, window=DAY, by="slice"), "error"),
        (Query("s", "auc", log=log, window=DAY, offset=400 * DAY), "no_data"),  # nothing is as old as that
        (Query("s", "label_lag", log=log, window=DAY), "no_data"),
    ):
        (sample,) = source.sample([asked], at=NOON)[asked].samples
        assert (sample.value, sample.reason, sample.detail) == (None, reason, said)
    assert value(source, log, "predictions") is not None
    (tmp_path / "trth.parquet").rename(tmp_path / "truth.parquet")
    assert value(source, log, "auc") is not None


def test_a_reference_that_never_had_a_file_is_an_error_of_what_is_compared_with_it(tmp_path):
    rows, _ = world(n=50)
    write(tmp_path / "log.parquet", rows)
    write(tmp_path / "training.parquet", rows)
    source, log = PredictionLog(tmp_path), card(reference="trainng")
    for measure, by in (("psi", "feature"), ("score_psi", ""), ("new_categories", "feature")):
        (sample,) = ask(source, log, measure, by=by).samples
        assert (sample.value, sample.reason) == (None, "error")
        assert sample.detail.startswith("trainng: no Parquet files for this table")
        assert sample.detail.endswith("did you mean 'training'?")
    assert ask(source, log, "null_rate", by="feature").samples[0].value is not None


def test_a_reference_without_a_feature_compares_the_others(tmp_path):
    rows, _ = world(n=100)
    write(tmp_path / "log.parquet", rows)
    write(tmp_path / "training.parquet", [{"x": row["x"]} for row in rows])
    answer = ask(PredictionLog(tmp_path), card(reference="training"), "psi", by="feature")
    assert [(sample.value, sample.reason) for sample in answer.samples] == [(pytest.approx(0), None), (None, "no_data")]


def test_odd_column_names(tmp_path):
    rows, truth = world(n=60)
    odd = {"ts": 'ti"me', "id": "request id", "p": "select", "x": "it's", "c": "order", "yes": "hour", "ver": "ümläut"}
    renamed = [{odd.get(key, key): row[key] for key in row} for row in rows]
    types = TYPES | {new: TYPES[old] for old, new in odd.items()}
    write(tmp_path / "log.parquet", renamed, types)
    write(tmp_path / "truth.parquet", [{odd.get(key, key): each[key] for key in each} for each in truth], types)
    log = card(
        time='ti"me',
        request="request id",
        score="select",
        decision="hour",
        version="ümläut",
        slices=(("it's", '"order"'),),
    )
    log = LogTable(
        log.source,
        log.table,
        log.columns,
        (Feature("it's", "number"), Feature("order", "category")),
        log.slices,
        log.labels,
    )
    source = PredictionLog(tmp_path)
    assert {sample.labels[0][1] for sample in ask(source, log, "null_rate", by="feature").samples} == {"it's", "order"}
    assert {dict(sample.labels)["slice"] for sample in ask(source, log, "auc", by="slice").samples} == {"it's"}
    assert value(source, log, "accuracy") is not None


def test_extreme_numbers(tmp_path):
    extremes = [math.nan, math.inf, -math.inf, 1.7e308, -1.7e308, 5e-324, 0.0, None]
    rows, truth = world(n=80)
    for index, row in enumerate(rows):
        row.update(dict.fromkeys(("x", "p", "secs", "eur"), extremes[index % 8]))
        truth[index]["truth"] = extremes[(index + 1) % 8]
    write(tmp_path / "log.parquet", rows)
    write(tmp_path / "truth.parquet", truth)
    source = PredictionLog(tmp_path)
    nulls, _ = ask(source, card(), "null_rate", by="feature").samples
    assert nulls.value == 0.25  # NaN and null
    assert ask(source, card(), "out_of_range", by="feature").samples[0].value == 0.5
    assert value(source, card(), "latency_p99") == math.inf
    assert ask(source, card(), "score_mean").samples[0].count == 40
    assert not any(failure for failure, _ in all_answers(source, card()).values())


def test_rows_on_the_hour_belong_to_the_hour_that_ends(tmp_path):
    row = world(n=1)[0][0]
    times = [NOON - HOUR, NOON - HOUR + timedelta(microseconds=1), NOON, NOON + timedelta(microseconds=1)]
    write(tmp_path / "log.parquet", [{**row, "ts": each} for each in times])
    assert value(PredictionLog(tmp_path), card(), "predictions", window=HOUR) == 2


def test_times_with_a_zone_are_instants_wherever_the_engine_runs(tmp_path):
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select timestamptz '2024-03-10 13:30:00+02' as ts, 1.0 as x) to '{tmp_path / 'log.parquet'}'"
        )
    code = (
        "import sys; from pathlib import Path; from datetime import *; from governance.core.metric import *; "
        "from governance.sources.prediction_log import PredictionLog; "
        "q = Query('s', 'predictions', log=LogTable('s', 'log', (('time', 'ts'),))); "
        "at = datetime(2024, 3, 10, 12, tzinfo=UTC); "
        "print(PredictionLog(Path(sys.argv[1])).sample([q], at=at)[q].samples[0].value)"
    )
    environment = os.environ | {"TZ": "America/New_York", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == "1.0"


@pytest.mark.parametrize("name", [".log.parquet", "_temporary/log.parquet"])
def test_half_written_files_are_left_alone(tmp_path, name):
    rows, _ = world(n=40, start=NOON - DAY)
    write(tmp_path / "log" / "a.parquet", rows)
    (tmp_path / "log" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "log" / name).write_bytes(b"PAR1 and no more yet")
    assert ask(PredictionLog(tmp_path), card(), "predictions", window=2 * DAY).samples[0].value == 40


def test_the_rarest_of_too_many_categories_are_counted_together(tmp_path, monkeypatch):
    monkeypatch.setattr(counting_module, "MOST_CATEGORIES", 20)
    rows, _ = world(n=400, start=NOON - DAY)
    for index, row in enumerate(rows):
        row["ts"], row["c"] = NOON - timedelta(minutes=5), f"c{index if index % 2 else index % 10}"
    write(tmp_path / "log.parquet", rows)
    write(tmp_path / "training.parquet", [{"c": f"c{index}"} for index in range(0, 10, 2)])
    source, log = PredictionLog(tmp_path), card(reference="training")
    found = {
        each: ask(source, log, each, by="feature").samples[-1]
        for each in ("cardinality", "null_rate", "new_categories")
    }
    assert found["cardinality"].value == 21
    assert found["null_rate"].value == 0
    assert found["null_rate"].count == 400
    assert found["new_categories"].value == 15 / 400
