"""The command for who proves a policy before merging it: test."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import Format, FormatOption, print_json, print_table

if TYPE_CHECKING:
    from governance.testing.coverage import Branch, Coverage, Covered
    from governance.testing.play import Failure, Played
    from governance.testing.run import Report

_PANEL = "Author policies"


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("test", rich_help_panel=_PANEL)(run_tests)


def run_tests(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Tests or directories; by default policies and runbooks.")
    ] = None,
    named: Annotated[str, typer.Option("-k", help="Run the tests whose file or name has this text in it.")] = "",
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Say which rules and conditions no test made true and false.")
    ] = False,
    coverage_min: Annotated[
        float | None, typer.Option(help="Fail below this percentage of outcomes.", min=0, max=100)
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the results as JUnit XML into this file.")] = None,
    output: FormatOption = Format.text,
) -> int:
    """Play the tests of policies (*.test.yaml): samples and people's acts over time, and what must then be seen."""
    from governance.policies import beside
    from governance.settings import Settings
    from governance.testing.run import run

    usual = Settings().policies
    asked = paths or [usual, *(each for each in beside([usual], Settings().runbooks) if _is_own(each))]
    report = run(asked, usual, named=named, cover=coverage or coverage_min is not None)
    if junit is not None:
        _write(junit, report)
    if output is Format.json:
        print_json(_document(report))
    else:
        _print(report, asked, named)
    return _code(report, coverage_min)


def _is_own(runbooks: Path) -> bool:
    """Tell whether there are runbooks of one's own, which are tested with the policies."""
    from governance.policies import is_shipped

    return runbooks.is_dir() and not is_shipped(runbooks)


def _code(report: Report, least: float | None) -> int:
    """Return 0 when all is as expected; a run that played nothing proves nothing."""
    if report.failed or report.problems or not report.played:
        return 1
    if least is not None and report.coverage is not None and report.coverage.percent < least:
        print(f"gov: coverage is {report.coverage.percent:g} %, wanted are {least:g} %", file=sys.stderr)
        return 1
    return 0


def _write(path: Path, report: Report) -> None:
    from governance.errors import Unavailable
    from governance.testing.junit import document

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document(report.played, report.problems), encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror or error}") from error


def _print(report: Report, paths: list[Path], named: str) -> None:
    for problem in report.problems:
        print(problem.render())
    for played in report.failed:
        print(f"✗ {played.scene.suite.source.file}: {played.scene.test.test}")
        for each in played.failures:
            print(each.render())
        print()
    if report.coverage is not None:
        _print_coverage(report.coverage)
    passed = len(report.played) - len(report.failed)
    said = [_counted(passed, "test") + " passed"]
    said += [f"{len(report.failed)} failed"] if report.failed else []
    said += [_counted(len(report.problems), "problem")] if report.problems else []
    said += [f"{report.deselected} not selected"] if report.deselected else []
    seconds = sum(each.seconds for each in report.played)
    print(f"{', '.join(said)} in {_counted(report.files, 'file')}, {seconds:.2f} s")
    if not report.played and not report.problems:
        where = ", ".join(str(path) for path in paths)
        why = f"no test of {report.deselected} has '{named}' in its name" if named else f"no *.test.yaml in {where}"
        print(f"gov: nothing was tested: {why}", file=sys.stderr)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _print_coverage(coverage: Coverage) -> None:
    gaps = list(coverage.gaps())
    if gaps:
        print_table(("where", "rule", "condition", "missing"), [_row(each) for each in gaps])
    conditions = len(coverage.conditions)
    ways = len(coverage.branches)
    steps = f", {_counted(ways, 'way')} out of steps" if ways else ""
    print(
        f"coverage {coverage.percent:g} %: {_counted(len(coverage.rules), 'rule')} and "
        f"{_counted(conditions, 'condition')}{steps}, {_counted(coverage.unseen, 'outcome')} never seen"
    )


def _row(covered: Covered | Branch) -> tuple[str, str, str, str]:
    severity = f" ({covered.severity})" if covered.severity else ""
    return str(covered.at), covered.rule + severity, covered.text, covered.missing


def _document(report: Report) -> dict[str, object]:
    from governance.cli import problem_formats

    found: dict[str, object] = {
        "tests": len(report.played),
        "failed": len(report.failed),
        "problems": [problem_formats.plain(each) for each in report.problems],
        "results": [_result(each) for each in report.played],
    }
    if report.coverage is not None:
        found["coverage"] = {
            "percent": report.coverage.percent,
            "rules": len(report.coverage.rules),
            "conditions": len(report.coverage.conditions),
            "branches": len(report.coverage.branches),
            "gaps": [
                {
                    "file": each.at.file,
                    "line": each.at.line,
                    "column": each.at.column,
                    "rule": each.rule,
                    "severity": each.severity,
                    "condition": each.text,
                    "missing": each.missing,
                }
                for each in report.coverage.gaps()
            ],
        }
    return found


def _result(played: Played) -> dict[str, object]:
    at = played.scene.problem(("test",), "", "").position
    return {
        "file": at.file,
        "line": at.line,
        "test": played.scene.test.test,
        "passed": not played.failures,
        "beats": played.beats,
        "seconds": round(played.seconds, 4),
        "failures": [_failure(each) for each in played.failures],
    }


def _failure(failure: Failure) -> dict[str, object]:
    from governance.cli import problem_formats

    return {**problem_formats.plain(failure.problem), "evidence": list(failure.lines)}
