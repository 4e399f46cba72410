"""Find the documents that hold tests, each with the policies that it is of, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from governance.core.problem import Problem
from governance.core.story import Suite
from governance.core.story_checks import form_problems
from governance.loader import Loaded, load
from governance.policies import KINDS, beside
from governance.settings import Settings
from governance.testing.library import Library, library
from governance.testing.scene import scene, unknown_names


def checked(files: Sequence[Path], paths: Sequence[Path], usual: Path) -> list[Problem]:
    """Return what is wrong with the tests of some files, found at these paths; nothing is played."""
    problems: list[Problem] = []
    for suite, shelf in suites(files, paths, usual, problems):
        wrong = [*form_problems(suite), *unknown_names(suite, shelf)]
        if not wrong:
            wrong = [each for index in range(len(suite.document.tests)) for each in scene(suite, index, shelf)[1]]
        problems.extend(each for each in wrong if each.position.file == suite.source.file)
    return problems


def suites(
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
                if root not in shelves:
                    shelves[root] = library(root, Settings().runbooks)
                yield Loaded(each.document, each.source), shelves[root]
            else:
                message = "a file that is named .test.yaml holds tests"
                at = each.source.at(("kind",))
                problems.append(each.source.problem(at, "no-tests", message, "write kind: test, or rename it"))


def _root(path: Path, paths: Sequence[Path], usual: Path) -> Path:
    if any(path.resolve().is_relative_to(each.resolve()) for each in beside([usual], Settings().runbooks)):
        return usual  # runbooks are tested on the cards and with the people of the policies beside them
    for each in (usual, *(one for one in paths if one.is_dir())):
        if path.resolve().is_relative_to(each.resolve()):
            return each
    return path.parent
