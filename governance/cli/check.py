"""The command `gov check`: every problem of every file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import Format, FormatOption, print_json

if TYPE_CHECKING:
    from governance.core.problem import Problem


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel="Author policies")(check)


def check(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or directories; by default the policies.")] = None,
    output: FormatOption = Format.text,
) -> int:
    """Check policies: every problem of every file, with its position. Offline."""
    from governance.bootstrap import policies
    from governance.loader.files import is_test, test_files, yaml_files
    from governance.settings import Settings

    usual = Settings().policies
    chosen = paths or [usual]
    tests = [each for each in test_files(chosen) if is_test(each)]
    problems = sorted(
        {*policies(chosen, context=[usual]).problems, *_of_tests(tests, chosen, usual)},
        key=lambda problem: problem.position,
    )
    files = sum(path.exists() for path in {*yaml_files(chosen), *tests})
    if output is Format.json:
        print_json({"files": files, "problems": [_problem(each) for each in problems]})
    else:
        for problem in problems:
            print(problem.render())
        print(f"{_counted(len(problems), 'problem')} in {_counted(files, 'file')}")
    if not files and not problems:
        where = ", ".join(str(path) for path in chosen)
        print(f"gov: nothing was checked: there is no YAML file in {where}", file=sys.stderr)
        return 1
    return 1 if problems else 0


def _of_tests(tests: list[Path], chosen: list[Path], usual: Path) -> list[Problem]:
    """Return what is wrong with policy tests; nothing of them is imported where there are none."""
    if not tests:
        return []
    from governance.testing.finding import checked

    return checked(tests, chosen, usual)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _problem(problem: Problem) -> dict[str, object]:
    at = problem.position
    return {
        "file": at.file,
        "line": at.line,
        "column": at.column,
        "length": at.length,
        "code": problem.code,
        "message": problem.message,
        "suggestion": problem.suggestion,
    }
