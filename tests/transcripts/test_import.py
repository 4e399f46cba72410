"""`gov import`: what other tools know becomes a card that passes the check; what does not is told with its position."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from transcripts.shell import Shell

from governance.exchange.taken.promql import Comparison, comparison, labels

CORPUS = sorted((Path(__file__).parent / "imports").iterdir())
KINDS = {"serving.yml": "prometheus-rules", "kubernetes.yml": "prometheus-rules", "openslo.yaml": "openslo",
         "timeslices.yaml": "openslo", "loan-risk.md": "huggingface", "regression.md": "huggingface"}  # fmt: skip


def imported(shell: Shell, path: Path) -> tuple[dict[str, object], str, str]:
    done = shell(f"gov import {KINDS[path.name]} '{path}'")
    assert done.returncode == 0, done.stderr
    (card,) = (each for each in (shell.folder / "policies").glob("*.yaml") if each.name != "org.yaml")
    text = card.read_text(encoding="utf-8")
    return yaml.safe_load(text), text, done.stderr


@pytest.mark.parametrize("path", CORPUS, ids=[each.name for each in CORPUS])
def test_what_is_taken_over_passes_the_check(path: Path, shell: Shell) -> None:
    _, text, stderr = imported(shell, path)
    assert shell("gov check").stdout == "0 problems in 2 files\n"
    told = [line.removeprefix("gov: note: ") for line in stderr.splitlines()]
    lines = path.read_text(encoding="utf-8").splitlines()
    for each in told:
        assert f"#   {each}\n" in text, "what is told stands in the card too"
        file, line, _ = each.rsplit(path.name, 1)[-1].split(":", 2)
        assert file == ""
        assert 1 <= int(line) <= len(lines)
    again = shell(f"gov import {KINDS[path.name]} '{path}'")
    assert (again.returncode, "nothing is overwritten" in again.stderr) == (3, True)


def test_alerts_of_prometheus(shell: Shell) -> None:
    card, text, stderr = imported(shell, CORPUS[[each.name for each in CORPUS].index("serving.yml")])
    rules = {each["rule"]: each for each in card["rules"]}  # type: ignore[attr-defined]
    assert rules["high-error-rate"] == {
        "rule": "high-error-rate",
        "when": "metrics.high_error_rate > 0.05",
        "severity": "critical",
        "for": "10m",
        "keep_firing_for": "5m",
        "summary": "High errors on {labels.job}: {metrics.high_error_rate} of …",
        "remedy": "Look at … https://runbooks.example.org/errors",
    }
    assert rules["high-error-rate-warning"]["when"] == "metrics.high_error_rate > 0.01", (
        "the same question is asked once"
    )
    assert rules["p95-latency"]["when"] == "metrics.p95_latency > 0.5"
    assert rules["mirrored"]["when"] == "metrics.mirrored < 0.9"
    metrics = card["metrics"]
    assert metrics["high_error_rate"]["labels"] == ["job"]  # type: ignore[index]
    assert metrics["no_predictions"]["query"].endswith(") or vector(0)")  # type: ignore[index]
    assert metrics["disk_filling"]["query"].startswith("min(")  # type: ignore[index]
    line = 1 + next(at for at, each in enumerate(_lines("serving.yml")) if "sev1" in each)
    assert f"serving.yml:{line}: P95Latency: the severity 'sev1' is not known" in stderr
    assert "serving.yml:6: the recording rule job:errors:rate5m stays with Prometheus" in text


def _lines(name: str) -> list[str]:
    return (Path(__file__).parent / "imports" / name).read_text(encoding="utf-8").splitlines()


def test_objectives_of_openslo(shell: Shell) -> None:
    card, _, stderr = imported(shell, CORPUS[[each.name for each in CORPUS].index("openslo.yaml")])
    assert card["model"] == "loan-risk"
    assert card["slos"] == {
        "availability": {
            "objective": 0.999,
            "window": "30d",
            "errors": "metrics.availability_total - metrics.availability_good",
            "total": "metrics.availability_total",
        },
        "latency": {"objective": 0.99, "window": "28d", "good": "metrics.latency <= 0.2"},
    }
    assert card["metrics"]["availability_total"]["query"] == "sum(increase(http_requests_total[$window]))"  # type: ignore[index]
    assert "an objective lies between 0 and 1, not at 1.0" in stderr
    assert "no source of the kind 'datadog'" in stderr


def test_a_card_of_the_hub(shell: Shell) -> None:
    card, _, stderr = imported(shell, CORPUS[[each.name for each in CORPUS].index("regression.md")])
    assert (card["model"], card["log"]["predicts"]) == ("arrival-delay", "number")  # type: ignore[index]
    assert card["description"] == "Minutes by which a flight arrives late, from weather and schedule. See paper."
    assert "claimed" not in stderr


def test_an_organisation_is_left_alone_and_told_what_it_lacks(shell: Shell) -> None:
    shell.write("policies/org.yaml", "kind: org\nteams: {lending: {}}\n")
    shell.write("rules.yml", "groups: [{name: g, rules: [{alert: A, expr: avg(x) > 1}]}]\n")
    done = shell("gov import prometheus-rules rules.yml --model loan-risk")
    assert "org.yaml names no source prometheus; add below `sources:`" in done.stderr
    assert "error[unknown-source]" in shell("gov check").stdout
    assert "owners: {team: lending}" in shell("gov import prometheus-rules rules.yml -o -").stdout


def test_the_told_source_fits_below_those_of_a_drafted_organisation(shell: Shell, tmp_path: Path) -> None:
    assert shell("gov init --model loan-risk --team lending --person ana").returncode == 0
    shell.write("rules.yml", "groups: [{name: g, rules: [{alert: A, expr: avg(x) > 1}]}]\n")
    said = shell("gov import prometheus-rules rules.yml --model service").stderr
    line = next(each for each in said.splitlines() if each.startswith("  prometheus:"))
    org = tmp_path / "policies/org.yaml"
    org.write_text(org.read_text().replace("sources:\n", f"sources:\n{line}\n"))
    assert shell("gov check").stdout == "0 problems in 3 files\n"


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("prometheus-rules", "groups:\n  - name: a\n   rules: []\n", "in.txt:3:4: "),
        ("prometheus-rules", "a: [" * 5000, "nested too deeply"),
        ("prometheus-rules", "a: &a [x, x]\nb: &b [*a, *a]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(1, 12)),
            "repeats them by aliases"),
        ("prometheus-rules", "groups: []\n", "nothing could be taken over:\nin.txt:1: no `groups` with rules here"),
        ("openslo", "kind: SLO\n", "nothing could be taken over"),
        ("huggingface", "# no front matter\n", "in.txt:1:1: no front matter"),
        ("huggingface", "---\na: [\n---\n", "in.txt:"),
        ("openslo", "\x00", "in.txt"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_where(kind: str, text: str, said: str, shell: Shell) -> None:
    shell.write("in.txt", text)
    done = shell(f"gov import {kind} in.txt")
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert not (shell.folder / "policies").exists()
    assert shell(f"gov import {kind} absent.txt").returncode == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 1", Comparison("a", ">", 1.0)),
        ("(a) >= bool 2.5e3", Comparison("a", ">=", 2500.0)),
        ("0.9 > avg(a)", Comparison("avg(a)", "<", 0.9)),
        (
            'sum(rate(a{b="x > 1 and y"}[5m])) / 3 < -0.5',
            Comparison('sum(rate(a{b="x > 1 and y"}[5m])) / 3', "<", -0.5),
        ),
        ("a > 14.4 * 0.001", Comparison("a", ">", 14.4 * 0.001)),
        ("a > b", None),
        ("a > 1 and b > 2", None),
        ("a > 1 > 0", None),
        ("absent(a)", None),
        ("a > 1d", None),
    ],
)
def test_comparisons_in_promql(text: str, expected: Comparison | None) -> None:
    assert comparison(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum(a)", ()),
        ("sum by (job) (rate(a[5m]))", ("job",)),
        ("sum(rate(a[5m])) by (job, az)", ("az", "job")),
        ("sum by (job)(a) / sum by (job)(b)", ("job",)),
        ("sum by (job)(a) / sum(b)", None),
        ("histogram_quantile(0.9, sum by (le, job) (rate(a[5m])))", ("job",)),
        ("100 * (1 - avg(a))", ()),
        ("rate(a[5m])", None),
        ("sum without (pod) (a)", None),
        ("topk(3, a)", None),
        ("sum(a) / on (x) group_left sum(b)", None),
    ],
)
def test_labels_of_promql(text: str, expected: tuple[str, ...] | None) -> None:
    assert labels(text) == expected
