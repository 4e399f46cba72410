"""`gov test` as its users see it: what fails, where and why; what was covered; and reports that machines read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from governance.cli.main import run
from governance.core.notation import NotationError, name, points

ROOT = Path(__file__).parent.parent
HEAD = """\
kind: test
of: [m]
every: 10m
"""
CARD = """\
kind: card
model: m
tier: 2
owners: {team: lending}
metrics:
  x: {source: s, query: "x{model='$model'}", labels: [region]}
  y: {source: s, query: y}
rules:
  - rule: high
    when: metrics.x > 0.5 && metrics.y < 10.0
    for: 20m
    summary: "{labels.region} is {metrics.x}"
    then: {switch: fallback}
"""
ORG = """\
kind: org
people: {ana: {}, bo: {}}
teams: {lending: {members: [ana, bo]}}
sources: {s: {kind: prometheus, address: "http://localhost:9"}}
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a card and an organisation, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GOV_POLICIES", raising=False)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "m.yaml").write_text(CARD, encoding="utf-8")
    (tmp_path / "policies" / "org.yaml").write_text(ORG, encoding="utf-8")
    return tmp_path


def told(workspace: Path, tests: str, *arguments: str, head: str = HEAD) -> int:
    """Write the tests of the card and run them."""
    (workspace / "policies" / "m.test.yaml").write_text(f"{head}tests:\n{tests}", encoding="utf-8")
    return run(["test", *arguments])


FIRES = """\
  - test: it fires
    series:
      x{region="eu"}: 0.1 0.9x3
      x{region="us"}: 0.1x4
      y: 1x4
    expect:
      - {at: 10m, alert: high, state: pending}
      - {at: 30m, alert: high, labels: {region: eu}, state: firing, summary: eu is 0.9, effects: [notify]}
"""


def test_ours_pass_and_cover_what_we_ship(tmp_path: Path) -> None:
    """The tests of the shipped packs and cards, which make every rule fire and be quiet."""
    report = tmp_path / "report.xml"
    command = ["from governance.cli.main import main; main()", "test", "policies", "--junit", str(report)]
    done = subprocess.run(
        [sys.executable, "-c", *command, "--coverage-min", "99"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "never fired" not in done.stdout
    assert "never quiet" not in done.stdout
    assert re.search(r"^\d+ tests passed in 17 files", done.stdout.splitlines()[-1])
    assert {each.get("name") for each in ET.parse(report).getroot()} >= {"policies/packs/drift.test.yaml"}  # noqa: S314


def test_what_passes(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(workspace, FIRES) == 0
    assert capsys.readouterr().out.startswith("1 test passed in 1 file, ")


def test_a_failure_says_where_and_why(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(workspace, FIRES.replace("at: 10m, alert: high, state: pending", "at: 20m, alert: high")) == 1
    said = capsys.readouterr().out
    assert said.startswith(
        """\
✗ policies/m.test.yaml: it fires
policies/m.test.yaml:11:26: error[failed-expectation]: at 20m high {region=eu} is pending, expected firing
   11 |       - {at: 20m, alert: high}
      |                          ^^^^
        x{region="eu"}  0.9
        x{region="us"}  0.1
        y               1.0
        high {region=eu} → fail; it fails since 10m and would fire at 30m (for 20m)
          warning: metrics.x > 0.5 is true (metrics.x = 0.9)
          warning: metrics.y < 10.0 is true (metrics.y = 1)
        high {region=us} → pass
          warning: metrics.x > 0.5 is false (metrics.x = 0.1)
"""
    )
    assert "0 tests passed, 1 failed in 1 file" in said


def test_a_metric_that_waits_for_labels_says_so(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = (
        "kind: card\nmodel: m\nowners: {team: lending}\ntruth: {delay: 2h, complete_after: 4h}\n"
        "log: {source: s, table: t, columns: {time: at, request: id, score: p, label: truth}}\n"
        "rules: [{rule: ranks-badly, when: metrics.auc < 0.6}]\n"
    )
    (workspace / "policies" / "m.yaml").write_text(card, encoding="utf-8")
    org = ORG.replace('{kind: prometheus, address: "http://localhost:9"}', "{kind: parquet, path: data}")
    (workspace / "policies" / "org.yaml").write_text(org, encoding="utf-8")
    test = "  - test: it fires\n    series: {auc: 0.5x4}\n    expect: [{at: 1h, alert: ranks-badly, state: firing}]\n"
    assert told(workspace, test, head=HEAD.replace("10m", "1h")) == 1
    assert "auc  missing: its samples are known 2h later (truth.delay)\n" in capsys.readouterr().out


def test_a_rule_that_fires_unasked_fails_the_test(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quiet = "  - test: quiet\n    series: {'x{region=\"eu\"}': 0.9x3, y: 1x3}\n"
    assert told(workspace, quiet) == 1
    said = capsys.readouterr().out
    assert "policies/m.test.yaml:5:11: error[unexpected-alert]: high {region=eu} fires at 20m (warning), and" in said
    assert "expect it, or allow: [high]" in said
    assert told(workspace, quiet + "    allow: [high]\n") == 0


@pytest.mark.parametrize(
    ("tests", "problem"),
    [
        (FIRES.replace("      y: 1x4", "      yy: 1x4"), ":9:7: error[unknown-metric]: no model under test has"),
        (FIRES.replace("      y: 1x4", "      x: 1x4"), ":9:7: error[wrong-labels]: x has the labels region"),
        (FIRES.replace("1x4", "1+x4"), ":9:10: error[wrong-series]: '1+x4' is no sample"),
        (FIRES.replace("1x4", "1 2x 3"), ":9:12: error[wrong-series]: '2x' is no sample"),
        (FIRES.replace("1x4", "0x4"), ":9:10: error[wrong-series]: YAML reads 0x4 as the number 4"),
        (FIRES.replace("1x4", "1x100001"), ":9:10: error[wrong-series]: a series has at most 100,000 samples"),
        (FIRES.replace('x{region="us"}', "x{region=us}"), ":8:7: error[wrong-series]: here a label is not written as"),
        (FIRES.replace("at: 30m", "at: 50m"), ":12:14: error[after-the-end]: the test ends at 40m"),
        (FIRES.replace("at: 30m", "at: 25m"), ":12:14: error[off-the-grid]: the engine looks every 10m, not at 25m"),
        (FIRES.replace("alert: high, labels", "alert: hihg, labels"), ":12:26: error[unknown-rule]: no rule 'hihg'"),
        (FIRES.replace("alert: high, labels", "alert: drift/psi, labels"), ":12:26: error[unknown-rule]: 'drift/psi'"),
        (FIRES + "    allow: [low]\n", ":13:13: error[unknown-rule]: no rule under test is 'low'"),
        (FIRES + "    card: {tier: 9}\n", ":13:18: error[unknown-value]: must be one of 1, 2 or 3, not 9"),
        (FIRES + "    org: {people: 3}\n", ":13:19: error["),
        (FIRES + "    acts: [{at: 10m, as: ana}]\n", ":13:12: error["),
        (FIRES + "    acts: [{acknowledge: 1, as: ana}]\n", ":13:12: error[missing-field]: when is this done?"),
        (FIRES + "    before: [{at: 1h, record: trained}]\n", ":13:19: error[off-the-grid]: this is done before"),
        (FIRES + FIRES, ":13:11: error[second-test]: a test 'it fires' stands above already"),
        (FIRES.replace("effects: [notify]", "effects: [page]"), "error[unknown-value]"),
        (FIRES + "    start: 2026-01-05T00:03:00Z\n", ":13:12: error[off-the-grid]: a test that looks every"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_test(
    tests: str, problem: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told by `gov test` and by `gov check`, at its place, and nothing is played."""
    assert told(workspace, tests) == 1
    said = capsys.readouterr().out
    assert problem in said, said
    assert run(["check"]) == 1
    assert problem in capsys.readouterr().out


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        ("kind: test\nof: [n]\n", ":2:6: error[unknown-policy]: no card, pack or runbook is named 'n'"),
        ("kind: test\nof: [packs/drfit]\n", "did you mean 'packs/drift'?"),
        ("kind: test\nof: [packs/drift]\n", ":2:5: error[no-card]: packs and runbooks are tested on a card"),
    ],
)
def test_what_nobody_declares(head: str, problem: str, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(workspace, FIRES, head=head) == 1
    assert problem in capsys.readouterr().out


def test_a_card_that_does_not_load_is_told_as_such(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "policies" / "m.yaml").write_text(CARD.replace("tier: 2", "tier: high"), encoding="utf-8")
    assert told(workspace, FIRES) == 1
    said = capsys.readouterr().out
    assert said.startswith("policies/m.yaml:3:7: error[unknown-value]")
    assert "unknown-policy" not in said
    (workspace / "policies" / "m.yaml").write_text(CARD.replace("metrics.y <", "metrics.yy <"), encoding="utf-8")
    assert told(workspace, FIRES) == 1
    assert capsys.readouterr().out.startswith("policies/m.yaml:10:38: error[unknown-metric]: no metric 'yy'")


def test_a_run_of_nothing_is_no_success(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test"]) == 1
    assert "nothing was tested: no *.test.yaml in policies" in capsys.readouterr().err
    assert told(workspace, FIRES, "-k", "resolves") == 1
    assert "no test of 1 has 'resolves' in its name" in capsys.readouterr().err
    assert told(workspace, FIRES, "-k", "FIRES") == 0
    nothing = "  - test: of another rule\n    card: {rules: []}\n    series: {y: 1x3}\n"
    assert told(workspace, nothing) == 1
    assert "error[nothing-judged]" in capsys.readouterr().out
    assert run(["test", "--coverage-min", "101"]) == 2


def test_people_act_and_are_refused(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    acts = (
        FIRES.replace("0.9x3", "0.9x7").replace("0.1x4", "0.1x8").replace("1x4", "1x8")
        + """\
      - {at: 40m, incident: acknowledged, switch: fallback, entry: switch.pulled}
      - {at: 50m, switch: live}
      - {at: 60m, alert: high, state: inactive, entry: waiver.approved}
      - {at: 80m, alert: high, state: inactive}
    acts:
      - {at: 30m, acknowledge: 1, as: eve, refused: "these people may: ana, bo"}
      - {at: 40m, acknowledge: 1, as: ana}
      - {at: 40m, pull: fallback, as: ana}
      - {at: 50m, restore: live, as: bo}
      - {at: 50m, request: high, as: ana, because: A new region., for: 1d}
      - {at: 50m, approve: waiver, as: ana, refused: "a second person must approve it: bo"}
      - {at: 50m, approve: waiver, as: bo}
"""
    )
    assert told(workspace, acts) == 0, capsys.readouterr().out
    assert told(workspace, acts.replace(', refused: "a second person must approve it: bo"', "")) == 1
    said = capsys.readouterr().out
    assert "error[refused-act]: this was refused:" in said
    assert told(workspace, acts.replace("as: bo, because", "as: bo").replace("as: bo}", "as: bo, refused: never}")) == 1
    assert "error[refused-act]: this was not refused" in capsys.readouterr().out


def test_coverage_names_what_no_test_did(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(workspace, FIRES, "--coverage", "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["coverage"] == {
        "percent": 83.3,
        "rules": 1,
        "conditions": 2, "branches": 0,
        "gaps": [
            {
                "file": "policies/m.yaml", "line": 10, "column": 30, "rule": "high", "severity": "warning",
                "condition": "metrics.y < 10.0", "missing": "never false",
            }
        ],
    }  # fmt: skip
    assert [(each["test"], each["passed"], each["beats"]) for each in found["results"]] == [("it fires", True, 5)]
    assert told(workspace, FIRES, "--coverage-min", "90") == 1
    said = capsys.readouterr()
    assert "policies/m.yaml:10:30" in said.out
    assert said.err == "gov: coverage is 83.3 %, wanted are 90 %\n"
    more = "  - test: all is well\n    series: {'x{region=\"eu\"}': 0.9x3, y: 20x3}\n"
    assert told(workspace, FIRES + more, "--coverage-min", "100") == 0


def test_junit_is_what_consumers_read(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = FIRES.replace("it fires", 'it "fires" <&> ]]> \\u0007').replace("state: pending", "state: inactive")
    wrong = wrong.replace("test: it", 'test: "it').replace("u0007", 'u0007"').replace('"fires"', "'fires'")
    (workspace / "policies" / "broken.test.yaml").write_text("kind: test\nof: [nobody]\ntests: [{test: a}]\n")
    assert told(workspace, wrong + FIRES, "--junit", "out/report.xml") == 1
    root = ET.parse(workspace / "out" / "report.xml").getroot()  # noqa: S314 (our own)
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("errors")) == ("testsuites", "3", "1", "1")
    for suite in root:
        assert suite.tag == "testsuite"
        cases = list(suite)
        # surefire's schema: counts are required, and a case has at most one failure or error
        assert {"name", "tests", "errors", "skipped", "failures", "time"} <= set(suite.attrib)
        assert int(suite.attrib["tests"]) == len(cases)
        assert int(suite.attrib["failures"]) == sum(each.find("failure") is not None for each in cases)
        assert int(suite.attrib["errors"]) == sum(each.find("error") is not None for each in cases)
        for case in cases:
            assert case.tag == "testcase"
            assert set(case.attrib) == {"name", "classname", "time"}
            assert re.fullmatch(r"\d+\.\d{3}", case.attrib["time"])
            assert len(case) <= 1
            for each in case:
                assert set(each.attrib) == {"message", "type"}
    failed = next(each for each in root.iter("failure"))
    assert failed.get("type") == "failed-expectation"
    assert "at 10m high {region=eu} is pending" in str(failed.text)
    names = [each.attrib["name"] for each in root.iter("testcase")]
    assert names == ["loads", "it 'fires' <&> ]]> �", "it fires"]
    assert capsys.readouterr().out


LOG = """\
kind: card
model: m
tier: 2
owners: {team: lending}
log: {source: s, table: loans, columns: {time: at, request: id, score: p}}
data: {features: {income: {type: number, range: [0, 100]}}}
rules:
  - {rule: scores-high, when: metrics.score_mean > 0.5}
"""
ROWS = """\
  - test: what the log tells
    every: 1h
    log:
      - {rows: 240, every: 1m, values: {p: 0.4, income: 50}}
      - {at: 4h, rows: 600, every: 1m, values: {p: 0.9, income: 200}}
    expect:
      - {at: 4h, alert: scores-high, state: inactive}
      - {at: 7h, alert: scores-high, state: firing}
      - {at: 13h, alert: data-quality/out-of-range, labels: {feature: income}, state: firing}
"""


def test_rows_of_a_prediction_log(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "policies" / "m.yaml").write_text(LOG, encoding="utf-8")
    head = "kind: test\nof: [m, packs/data-quality]\n"
    assert told(workspace, ROWS, head=head) == 0, capsys.readouterr().out
    late = ROWS.replace("at: 7h", "at: 4h")
    assert told(workspace, late, head=head) == 1


def test_a_log_in_a_file_beside_the_test(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "policies" / "m.yaml").write_text(LOG, encoding="utf-8")
    rows = [f"2026-01-05 {hour:02}:{minute:02}:30,r{hour}-{minute},0.9" for hour in range(4) for minute in range(60)]
    (workspace / "policies" / "loans.csv").write_text("at,id,p\n" + "\n".join(rows) + "\n", encoding="utf-8")
    test = "  - test: a\n    every: 1h\n    log: {loans: loans.csv}\n    expect: [{at: 4h, alert: scores-high}]\n"
    assert told(workspace, test) == 0, capsys.readouterr().out
    assert told(workspace, test.replace("loans.csv", "nowhere.csv")) == 1
    assert "error[unreadable-log]: policies/nowhere.csv cannot be read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("1+2x3", (1.0, 3.0, 5.0, 7.0)),
        ("5-2x2 _ _x2", (5.0, 3.0, 1.0, None, None, None)),
        ("-1.5x1 1e3 .5 stale", (-1.5, -1.5, 1000.0, 0.5, "stale")),
        ("few down nan", ("few", "down", "nan")),
        ("", ()),
    ],
)
def test_notation(text: str, expanded: tuple[object, ...]) -> None:
    assert points(text) == expanded


@pytest.mark.parametrize("text", ["{{schema:1}}x3", "1+x", "x3", "1x-3", "1++2x3", "__", "1,2"])
def test_what_is_no_notation(text: str) -> None:
    with pytest.raises(NotationError):
        points(text)


def test_names() -> None:
    assert name('x{b="1", a="a \\"b\\""}').labels == (("a", 'a "b"'), ("b", "1"))
    with pytest.raises(NotationError, match="stands twice"):
        name('x{a="1", a="2"}')
