"""The command `gov check`: every problem of every file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import print_json

if TYPE_CHECKING:
    from governance.core.problem import Problem
    from governance.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel="Author policies")(check)


class CheckFormat(StrEnum):
    """How problems are written."""

    text = "text"
    json = "json"
    github = "github"
    sarif = "sarif"


_FORMAT = "text for people, json for programs, github for annotations of a pull request, sarif for code scanning."
CheckFormatOption = Annotated[CheckFormat, typer.Option("--format", help=_FORMAT)]


def check(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or directories; by default the policies.")] = None,
    output: CheckFormatOption = CheckFormat.text,
    explain: Annotated[str, typer.Option("--explain", metavar="CODE", help="Print the page on a problem.")] = "",
) -> int:
    """Check policies: every problem of every file, with its position. Offline."""
    if explain:
        return _explain(explain)
    from governance.loader.files import yaml_files
    from governance.policies import beside, is_shipped, tests_of
    from governance.settings import Settings

    settings = Settings()
    chosen = paths or [settings.policies]
    near = [each for each in beside(chosen, settings.runbooks) if each.is_dir() and not is_shipped(each)]
    tests = tests_of(chosen, settings.runbooks)
    problems = _found(tests, chosen, settings)
    files = sum(path.exists() for path in {*yaml_files([*chosen, *near]), *tests})
    print_problems(problems, output, {"files": files}, partial(_sum_up, problems, files))
    if not files and not problems:
        where = ", ".join(str(path) for path in chosen)
        print(f"gov: nothing was checked: there is no YAML file in {where}", file=sys.stderr)
        return 1
    return 1 if problems else 0


def _found(tests: list[Path], chosen: list[Path], settings: Settings) -> list[Problem]:
    from governance.policies import policies

    usual = settings.policies
    loaded = policies(chosen, context=[usual], runbooks=settings.runbooks)
    found = [*loaded.problems, *problems_of_tests(tests, chosen, usual)]
    return sorted(dict.fromkeys(found), key=lambda problem: problem.position)


def print_problems(
    problems: Sequence[Problem], output: CheckFormat, document: Mapping[str, object], sum_up: Callable[[], None]
) -> None:
    """Print problems; JSON has the rest of its document around them, lines for people end in a sum."""
    from governance.cli import problem_formats

    if output is CheckFormat.json:
        print_json({**document, "problems": [problem_formats.documented(each) for each in problems]})
    elif output is CheckFormat.sarif:
        print_json(problem_formats.sarif(problems))
    else:
        annotated = output is CheckFormat.github
        for problem in problems:
            print(problem_formats.annotation(problem) if annotated else problem.render())
        sum_up()


def _sum_up(problems: Sequence[Problem], files: int) -> None:
    print(f"{_counted(len(problems), 'problem')} in {_counted(files, 'file')}")
    if problems and sys.stdout.isatty():
        print(f"gov check --explain {problems[0].code} says more about the first.")


def _explain(code: str) -> int:
    from governance import problem_pages
    from governance.core.suggestion import closest

    page = problem_pages.page(code)
    if page is None:
        known = problem_pages.codes()
        raise typer.BadParameter(f"no problem has the code '{code}'; {closest(code, known) or ', '.join(known)}")
    print(page.rstrip())
    return 0


def of_directory(directory: Path, runbooks: Path) -> tuple[Problem, ...]:
    """Return what is wrong with the tests of a directory of policies, as `gov check` tells it to an engine."""
    from governance.policies import tests_of

    return tuple(dict.fromkeys(problems_of_tests(tests_of([directory], runbooks), [directory], directory)))


def problems_of_tests(tests: list[Path], chosen: list[Path], usual: Path) -> list[Problem]:
    """Return what is wrong with policy tests; nothing of them is imported where there are none."""
    if not tests:
        return []
    from governance.testing.finding import checked

    return checked(tests, chosen, usual)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
