"""`gov gate`: a candidate is judged by its own rows, next to the version that serves; missing data is no pass."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
from transcripts.lending import LOG, ORG
from transcripts.shell import Shell, written


def verdicts(view: dict[str, object], rules: str = "rules") -> dict[str, str]:
    found: dict[str, str] = {}
    for each in view[rules]:  # type: ignore[attr-defined]
        found[each["rule"]] = each["outcome"] if found.get(each["rule"]) != "fail" else "fail"
    return found


def test_a_worse_version_must_not_serve(lending: Shell) -> None:
    done = lending("gov gate loans@shadow --at 2026-01-09")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(
        "loans@2, next to 1 which serves\n"
        "  2: 2,883 rows of the prediction log, 2026-01-05 00:00Z to 2026-01-08 23:59Z, the newest 1 m ago\n"
        "  1: 5,760 rows of the prediction log, 2026-01-05 00:00Z to 2026-01-08 23:59Z, the newest 1 m ago\n"
    )
    assert "✗ critical: AUC is 0." in done.stdout
    assert "    1 which serves: pass, auc 1\n" in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].startswith("loans@2 must not serve: ")


def test_a_sound_version_may_serve(lending: Shell) -> None:
    done = lending("gov gate loans@1 --at 2026-01-09 --format json")
    view = json.loads(done.stdout)
    assert (done.returncode, view["outcome"], view["serving"]) == (0, "pass", "")
    judged = verdicts(view)
    assert set(judged.values()) == {"pass"}
    assert {"performance/auc", "performance/auc-by-slice", "data-quality/nulls", "drift/psi", "leans"} <= set(judged)
    left = {each["rule"]: each["reason"] for each in view["not_judged"]}
    assert not set(left) & set(judged)
    assert "metrics.predictions tells of the service" in left["data-quality/no-predictions"]
    assert "an error budget is the service's" in left["slo/fast-burn"]
    assert "looks back on a past" in left["creeps"]
    assert "does not name $version" in left["fails"]
    assert "about the card or the evidence" in left["ownership/nobody-accountable"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("gov gate loans@canary --at 2026-01-09", "missing data is no pass"),
        ("gov gate loans@4 --at 2026-01-09", "no rows of version '4' since 2025-12-10 00:00Z, so that nothing can be"),
        ("gov gate loans@2 --at 2026-01-09 --window 30s", "versions there: 1, 2, 3"),
        ("gov gate loans@2", "holds no rows of version '2'"),
    ],
)
def test_too_little_is_no_pass(command: str, said: str, lending: Shell) -> None:
    done = lending(command)
    assert (done.returncode, said in done.stderr) == (4, True), done.stderr
    if "canary" in command:
        assert "5 rows of the prediction log" in done.stdout
        assert done.stdout.rstrip().splitlines()[-1].startswith("loans@3 cannot be judged: ")


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("gov gate loans", 2, "name the version too: MODEL@VERSION"),
        ("gov gate laons@2", 2, "did you mean 'loans'?"),
        ("gov gate loans@2 --since 2026-01-01 --window 7d", 2, "not both"),
        ("gov gate loans@2 --window soon", 2, "must be a duration"),
        ("gov gate loans@2 --from absent.csv", 2, "no file or directory"),
    ],
)
def test_usage(command: str, code: int, said: str, lending: Shell) -> None:
    done = lending(command)
    assert (done.returncode, said in " ".join(done.stderr.split())) == (code, True), done.stderr


def test_an_offline_evaluation_is_judged_by_its_own_rows(lending: Shell) -> None:
    """Its truth stands beside each prediction, known at once; no column needs to say which version it is."""
    rows = f"select asked_at, request, score, no, income, region, risk > 0.5 as lost from ({LOG}) where version = '2'"
    written(lending.folder, rows, "evaluation.csv")
    done = lending("gov gate loans@5 --from evaluation.csv")
    assert done.returncode == 1, done.stderr
    assert "5: 2,883 rows of evaluation.csv" in done.stdout
    assert "no column tells versions apart, so that all are taken for this one" in done.stdout
    assert "✗ critical: AUC is 0." in done.stdout
    written(lending.folder, rows[:-3] + "'1'", "better.parquet")
    done = lending("gov gate loans@5 --from better.parquet")
    assert done.returncode == 0, done.stdout
    written(lending.folder, "select 1 as score", "wrong.parquet")
    done = lending("gov gate loans@5 --from wrong.parquet")
    assert "no column 'asked_at', which the card maps as time" in done.stderr
    written(lending.folder, rows.replace(" income,", "", 1), "lacking.parquet")
    done = lending("gov gate loans@5 --from lacking.parquet")
    assert "the log has no column 'income'" in done.stdout, "what a file lacks is no pass"


def test_the_result_for_continuous_integration(lending: Shell) -> None:
    done = lending("gov gate loans@2 --at 2026-01-09 --junit out/gate.xml")
    suite = ET.parse(lending.folder / "out/gate.xml").getroot()  # noqa: S314 (our own)
    assert (done.returncode, suite.get("name")) == (1, "gov gate loans@2")
    cases = {each.get("name"): [child.tag for child in each] for each in suite}
    assert cases["performance/auc"] == ["failure"]
    assert cases["leans"] == []
    assert cases["creeps"] == ["skipped"]
    assert int(suite.get("tests") or 0) == len(suite)


def test_a_log_that_does_not_tell_versions_apart(lending: Shell) -> None:
    card = lending.folder / "policies/loans.yaml"
    card.write_text(card.read_text().replace("version: version, ", ""))
    done = lending("gov gate loans@2 --at 2026-01-09")
    assert (done.returncode, "does not tell versions apart (log.columns.version)" in done.stderr) == (1, True)


def test_a_model_that_other_systems_tell_of(shell: Shell) -> None:
    """What names $version is asked for the candidate; nothing was pushed for it, which is no pass."""
    shell.write("policies/org.yaml", ORG)
    shell.write(
        "policies/chat.yaml",
        "kind: card\nmodel: chat\nowners: {team: t}\nversions: {serving: '1'}\n"
        "metrics: {bad: {source: pushed, query: bad-$version}}\nrules: [{rule: bad, when: metrics.bad > 1}]\n",
    )
    done = shell("gov gate chat@2")
    assert done.returncode == 4
    assert "? no_data" in done.stdout
