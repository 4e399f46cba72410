"""Find the tests, check them, and play those that are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from governance.bootstrap import KINDS
from governance.core.authored import Authored
from governance.core.card import Card
from governance.core.problem import Problem
from governance.core.story import Suite
from governance.core.story_checks import form_problems
from governance.errors import InvalidDocument
from governance.loader import Loaded, load
from governance.loader.files import is_test, test_files
from governance.testing.coverage import Coverage
from governance.testing.library import Library, library
from governance.testing.play import Failure, Play, Played
from governance.testing.rows import prediction_log
from governance.testing.scene import Scene, packs_of, scene, unknown_names


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
    for suite, shelf in _suites(files, paths, usual, problems):
        wrong = [*form_problems(suite), *unknown_names(suite, shelf)]
        problems.extend(wrong)
        if wrong:
            continue
        if coverage is not None:
            packs: list[Authored] = [shelf.packs[name] for name in sorted(packs_of(suite.document, shelf))]  # type: ignore[type-arg]
            for pack in packs:
                coverage.declare_pack(pack)
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


def checked(paths: Sequence[Path], usual: Path) -> list[Problem]:
    """Return what is wrong with the tests of the files and below the directories; nothing is played."""
    problems: list[Problem] = []
    files = [each for each in test_files(paths) if is_test(each)]
    for suite, shelf in _suites(files, paths, usual, problems):
        wrong = [*form_problems(suite), *unknown_names(suite, shelf)]
        if not wrong:
            wrong = [each for index in range(len(suite.document.tests)) for each in scene(suite, index, shelf)[1]]
        problems.extend(each for each in wrong if each.position.file == suite.source.file)
    return problems


def _suites(
    files: Sequence[Path], paths: Sequence[Path], usual: Path, problems: list[Problem]
) -> Iterator[tuple[Loaded[Suite], Library]]:
    """Yield every test document with the policies that it is of."""
    shelves: dict[Path, Library] = {}
    for path in files:
        loaded = load([path], KINDS)
        problems.extend(loaded.problems)
        root = _root(path, paths, usual)
        for each in loaded.loaded:
            if isinstance(each.document, Suite):
                shelf = shelves.setdefault(root, library(root)) if root in shelves else library(root)
                shelves[root] = shelf
                yield Loaded(each.document, each.source), shelf
            else:
                message = "a file that is named .test.yaml holds tests"
                at = each.source.at(("kind",))
                problems.append(each.source.problem(at, "no-tests", message, "write kind: test, or rename it"))


def _root(path: Path, paths: Sequence[Path], usual: Path) -> Path:
    for each in (usual, *(one for one in paths if one.is_dir())):
        if path.resolve().is_relative_to(each.resolve()):
            return each
    return path.parent


def _played(one: Scene, shelf: Library, coverage: Coverage | None) -> Played:
    if coverage is not None:
        coverage.declare(one.plan)
    with TemporaryDirectory() as folder:
        try:
            return _play(one, shelf, coverage, Path(folder)).run()
        except InvalidDocument as error:
            problem = one.problem(("log",), "unreadable-log", str(error))
            return Played(one, (Failure(problem),), 0, 0.0)


def _play(one: Scene, shelf: Library, coverage: Coverage | None, folder: Path) -> Play:
    play = Play(one, shelf, coverage)
    if one.test.log is None:
        return play
    beside = Path(one.suite.source.file).parent
    card: Card = one.plan.policies[0].policy.card
    log = prediction_log(one.test, card, play.start, beside, folder)
    return Play(one, shelf, coverage, log=log)
