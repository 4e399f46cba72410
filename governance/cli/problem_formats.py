"""Problems for programs: JSON, annotations of GitHub, and SARIF 2.1.0 for code scanning."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from governance import problem_pages
from governance.core.problem import Problem, printable

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def documented(problem: Problem) -> dict[str, object]:
    """Return a problem as JSON; `help` is its page in our documentation."""
    return {**plain(problem), "help": f"{problem_pages.FOLDER}/{problem.code}.md"}


def plain(problem: Problem) -> dict[str, object]:
    """Return a problem as JSON."""
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


def annotation(problem: Problem) -> str:
    """Return a problem as a workflow command of GitHub, which counts the last column in.

    Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message
    """
    at = problem.position
    places = {"file": at.file, "line": at.line, "endLine": at.line, "col": at.column}
    places |= {"endColumn": at.column + at.length - 1, "title": problem.code}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in places.items())
    return f"::error {properties}::{_data(_told(problem))}"


def sarif(problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the problems as a SARIF log; each rule carries its page, as the log must be read without our files."""
    codes = sorted({each.code for each in problems})
    driver = {"name": "gov", "version": version("model-governance"), "rules": [_rule(each) for each in codes]}
    results = [_result(each, codes.index(each.code)) for each in problems]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    page = problem_pages.page(code)
    if page is None:
        return {"id": code}
    meaning = problem_pages.meaning(page)
    return {
        "id": code,
        "shortDescription": {"text": meaning},
        "help": {"text": page, "markdown": page},
        "properties": {"page": f"{problem_pages.FOLDER}/{code}.md"},
    }


def _result(problem: Problem, rule: int) -> dict[str, Any]:
    at = problem.position
    region = {"startLine": at.line, "startColumn": at.column, "endLine": at.line, "endColumn": at.column + at.length}
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": "error",
        "message": {"text": _told(problem)},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(at.file), "region": region}}],
    }


def _artifact(file: str) -> dict[str, str]:
    """Return where a file is: below the root of the sources, or by its whole path."""
    if Path(file).is_absolute():
        return {"uri": Path(file).as_uri()}
    return {"uri": quote(file), "uriBaseId": "%SRCROOT%"}


def _told(problem: Problem) -> str:
    """Return the message with what was meant, as one sentence that commands no terminal."""
    return printable(f"{problem.message}; {problem.suggestion}" if problem.suggestion else problem.message)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
