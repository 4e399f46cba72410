"""Versions of the policies as they are shown."""

from __future__ import annotations

from datetime import datetime

from governance.views.view import View


class VersionView(View):
    """One version of the policies: `version` is the digest of the effective policies, `documents` that of their texts.

    `state` is adopted, waiting or withdrawn; `running` marks the one that rules. `changes` says what differs from the
    version before it, the first hundred lines.
    """

    number: int
    version: str
    documents: str
    state: str
    running: bool
    at: datetime
    by: str
    how: str
    commit: str = ""
    models: int = 0
    rules: int = 0
    summary: str = ""
    changes: list[str] = []
    approval: str = ""
    approved_by: str = ""


class RunningView(View):
    """The version that rules, with the texts it was made from by name.

    `source` is where new versions come from (directory or apply); `notice` tells what must be known beside it.
    """

    version: VersionView
    source: str
    notice: str = ""
    texts: dict[str, str]


class AppliedView(View):
    """What became of policies that were applied: adopted, waiting for an approval, or unchanged."""

    outcome: str
    version: str
    approval: str = ""
    who_may: list[str] = []
    summary: str = ""
    changes: list[str] = []


class ProblemView(View):
    """One thing wrong with a file of policies, as `gov check` tells it.

    `text` is its line as it was read, the place being `length` characters from `column`; line and column count from 1.
    `meaning` and `advice` are from the page on its code: what it is, and what to do.
    """

    file: str
    line: int
    column: int
    length: int = 1
    code: str
    message: str
    suggestion: str = ""
    text: str = ""
    meaning: str = ""
    advice: str = ""


class CheckView(View):
    """What is wrong with the policies that the engine read last, and with their tests.

    While anything is wrong with the policies themselves, `version` goes on to rule, and `since` is when that was found.
    `count` is how many problems there are; `problems` are the first thousand. `in_tests` of them are in tests, which
    keep nothing from ruling; it is None where no tests were looked at: an engine without a directory, or that just
    began. `refused` says what became of a version that a second person did not approve, `pull_failure` why a checkout
    cannot be kept fresh.
    """

    version: str
    source: str
    since: datetime | None = None
    count: int = 0
    in_tests: int | None = None
    problems: list[ProblemView] = []
    refused: str = ""
    pull_failure: str = ""
