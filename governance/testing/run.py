"""Find the tests, check them, and play those that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from governance.core.authored import Authored
from governance.core.card import Card
from governance.core.problem import Problem
from governance.core.story_checks import form_problems
from governance.errors import GovernanceError, InvalidDocument
from governance.loader.files import test_files
from governance.testing.coverage import Coverage
from governance.testing.finding import suites
from governance.testing.library import Library
from governance.testing.play import Failure, Play, Played
from governance.testing.rows import prediction_log
from governance.testing.scene import Scene, packs_of, runbooks_of, scene, unknown_names


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a run: the tests that were played, what is wrong with files, and what was covered."""

    played: tuple[Played, ...]
    problems: tuple[Problem, ...]
    coverage: Coverage | None
    files: int
    deselected: int = 0

    @property
    def failed(self) -> tuple[Played, ...]:
        """The tests that failed."""
        return tuple(each for each in self.played if each.failures)


def run(paths: Sequence[Path], usual: Path, *, named: str = "", cover: bool = False) -> Report:
    """Play every test of the files and below the directories, and of the cards they are of.

    The policies of a test are the `usual` ones when its file lies among them, else those beside it.
    """
    played: list[Played] = []
    problems: list[Problem] = []
    coverage = Coverage() if cover else None
    files = test_files(paths)
    deselected = 0
    for suite, shelf in suites(files, paths, usual, problems):
        wrong = [*form_problems(suite), *unknown_names(suite, shelf)]
        problems.extend(wrong)
        if wrong:
            continue
        if coverage is not None:
            if suite.document.of:
                coverage.fixtures.add(suite.source.file)
            packs: list[Authored] = [shelf.packs[name] for name in sorted(packs_of(suite.document, shelf))]  # type: ignore[type-arg]
            for pack in packs:
                coverage.declare_pack(pack)
            for runbook in runbooks_of(suite.document, shelf).values():
                coverage.declare_runbook(runbook)
        for index, test in enumerate(suite.document.tests):
            if named and named.lower() not in f"{suite.source.file}: {test.test}".lower():
                deselected += 1
                continue
            one, wrong = scene(suite, index, shelf)
            problems.extend(wrong)
            if one is not None:
                played.append(_played(one, shelf, coverage))
    ordered = sorted(set(problems), key=lambda each: each.position)
    return Report(tuple(played), tuple(ordered), coverage, len(files), deselected)


def _played(one: Scene, shelf: Library, coverage: Coverage | None) -> Played:
    if coverage is not None:
        coverage.declare(one.plan)
    with TemporaryDirectory() as folder:
        try:
            return _play(one, shelf, coverage, Path(folder)).run()
        except InvalidDocument as error:
            problem = one.problem(("log",), "unreadable-log", str(error))
        except GovernanceError as error:
            problem = one.problem(("test",), "broken-off", f"the engine broke off: {error}")
    return Played(one, (Failure(problem),), 0, 0.0)


def _play(one: Scene, shelf: Library, coverage: Coverage | None, folder: Path) -> Play:
    watch = coverage.look if coverage is not None else None
    play = Play(one, shelf, watch)
    if one.test.log is None:
        return play
    beside = Path(one.suite.source.file).parent
    card: Card = one.plan.policies[0].policy.card
    log = prediction_log(one.test, card, play.start, beside, folder)
    return Play(one, shelf, watch, log=log)
