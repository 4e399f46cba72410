"""What `gov check` says of runbooks: every problem at its exact place, with what was meant."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from runbook_cases import CARD, CASES, ORG, RUNBOOKS, USES

from governance.core.problem import Problem
from governance.policies import policies, shipped

# What an organisation has to name so that every shipped runbook can run.
SHIPPED_ORG = ORG + "acts: {http: {kind: http}, mlflow: {kind: mlflow, address: 'http://localhost:5000'}}\n"


def name_of(case: str) -> str:
    return re.sub(r"[^a-z]+", "-", case)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Problem]]:
    """The problems of all cases, by the name of their file: one directory holds them, as loading costs most."""
    folder: Path = tmp_path_factory.mktemp("place")
    (folder / "policies").mkdir()
    (folder / "runbooks").mkdir()
    (folder / "policies" / "org.yaml").write_text(ORG)
    (folder / "policies" / "loans.yaml").write_text(CARD)
    fast = CARD.replace("loans", "fast") + "  latency: {source: s, query: latency}\n"
    (folder / "policies" / "fast.yaml").write_text(fast)
    for case, (said, _) in CASES.items():
        body = said if "steps:" in said else f"steps: {said}"
        text = f"kind: runbook\nrunbook: {name_of(case)}\ndescription: d\n{body}\n"
        (folder / "runbooks" / f"{name_of(case)}.yaml").write_text(text)
    for name, said in RUNBOOKS.items():
        text = f"kind: runbook\nrunbook: {name}\ndescription: d\nsteps: {said}\n"
        (folder / "runbooks" / f"{name}.yaml").write_text(text)
    for number, said in enumerate(USES):
        (folder / "policies" / f"use-{number}.yaml").write_text(CARD.replace("loans", f"m-{number}") + said + "\n")
    by_file: dict[str, list[Problem]] = {}
    for each in policies([folder / "policies"]).problems:
        by_file.setdefault(Path(each.position.file).stem, []).append(each)
    return by_file


def shown(problem: Problem) -> str:
    start = problem.position.column - 1
    marked = problem.source[start : start + problem.position.length]
    marked = marked if len(marked) < 200 else "MANY"
    return f"{marked} | {problem.code} | {problem.message} | {problem.suggestion}"


@pytest.mark.parametrize("case", CASES)
def test_each_problem_stands_at_its_place(found: dict[str, list[Problem]], case: str) -> None:
    assert [shown(each) for each in found.get(name_of(case), [])] == CASES[case][1]


@pytest.mark.parametrize("number", range(len(USES)), ids=list(USES))
def test_a_card_names_runbooks_that_are_for_its_model(found: dict[str, list[Problem]], number: int) -> None:
    expected = [each.replace("for M:", f"for m-{number}:") for each in list(USES.values())[number]]
    assert [shown(each) for each in found.get(f"use-{number}", [])] == expected


def test_the_runbooks_that_cards_name_have_no_problems_of_their_own(found: dict[str, list[Problem]]) -> None:
    assert not set(found) & set(RUNBOOKS)


def test_a_runbook_that_is_checked_alone_knows_the_metrics_of_the_cards_around_it(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "policies" / "org.yaml").write_text(ORG)
    (tmp_path / "policies" / "loans.yaml").write_text(CARD)
    path = tmp_path / "runbooks" / "own.yaml"
    path.write_text("kind: runbook\nrunbook: own\ndescription: d\nsteps: [{step: a, check: metrics.errors < 0.1}]\n")
    assert policies([path], context=[tmp_path / "policies"]).problems == ()
    path.write_text(path.read_text().replace("errors", "errros"))
    (problem,) = policies([path], context=[tmp_path / "policies"]).problems
    assert problem.suggestion == "did you mean 'errors'?"


def test_the_shipped_runbooks_have_no_problems(tmp_path: Path) -> None:
    """Those of an organisation that names the systems they act on; without, the card that names one is told."""
    (tmp_path / "policies").mkdir()
    shutil.copytree(shipped("runbooks"), tmp_path / "runbooks")
    (tmp_path / "policies" / "org.yaml").write_text(SHIPPED_ORG)
    (tmp_path / "policies" / "loans.yaml").write_text(CARD)
    assert [each.render() for each in policies([tmp_path / "policies"]).problems] == []
    (tmp_path / "policies" / "org.yaml").write_text(ORG)
    shutil.rmtree(tmp_path / "runbooks")
    assert policies([tmp_path / "policies"]).problems == (), "nobody names one"
    versions = CARD.replace("versions: {", "log: {source: s, table: t, columns: {time: at, version: v}}\nversions: {")
    (tmp_path / "policies" / "loans.yaml").write_text(
        f"{versions}rollback: {{when: metrics.errors > 0.5, then: {{runbook: roll-back}}}}\n"
    )
    (problem,) = policies([tmp_path / "policies"]).problems
    assert problem.position.file.endswith("loans.yaml")
    assert problem.message == "runbook 'roll-back' cannot run here: no system 'mlflow' to act on"
    assert "`acts` of org.yaml" in problem.suggestion
