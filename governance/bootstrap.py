"""The composition root: from settings to a running engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from governance import plugins
from governance.core.authored import Authored
from governance.core.card import Card
from governance.core.checking import card_problems, organisation_problems, pack_problems
from governance.core.organisation import Organisation
from governance.core.pack import Pack
from governance.core.plan import EvaluationPlan, evaluation_plan
from governance.core.problem import Problem
from governance.engine.parts import Engine
from governance.errors import InvalidDocument
from governance.loader import Loaded, load
from governance.ports import Clock
from governance.store.database import Database

D = TypeVar("D", bound=BaseModel)
KINDS: dict[str, type[BaseModel]] = {"card": Card, "pack": Pack, "org": Organisation}


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Policies:
    """Everything that was loaded from a directory, compiled, with all its problems."""

    plan: EvaluationPlan
    organisation: Organisation
    problems: tuple[Problem, ...]
    files: int


def shipped(folder: str) -> Path:
    """Return the directory of what comes with the package: `policies` or `runbooks`."""
    installed = Path(str(files("governance"))) / "shipped" / folder
    return installed if installed.is_dir() else Path(__file__).parent.parent / folder


def policies(paths: Sequence[Path]) -> Policies:
    """Load, check and compile policies; packs that the paths do not bring come from the package."""
    loaded = load(paths, KINDS)
    found = list(loaded.loaded)
    own = {each.document.pack for each in found if isinstance(each.document, Pack)}
    standard = load([shipped("policies") / "packs"], KINDS)
    found.extend(each for each in standard.loaded if isinstance(each.document, Pack) and each.document.pack not in own)
    problems = [*loaded.problems, *_second_organisations(found)]
    organisation = next(iter(_of_kind(found, Organisation)), None)
    document = organisation.document if organisation is not None else Organisation()
    cards, packs = _of_kind(found, Card), _of_kind(found, Pack)
    if organisation is not None:
        problems.extend(organisation_problems(organisation))
    counts = Counter(each.document.model for each in cards)
    twins = {model for model, count in counts.items() if count > 1}
    for card in cards:
        problems.extend(card_problems(card, document, twins))
    for pack in packs:
        problems.extend(pack_problems(pack, document))
    plan = evaluation_plan(cards, packs)
    everything = sorted({*problems, *plan.problems}, key=lambda problem: problem.position)
    return Policies(plan, document, tuple(everything), len(loaded.loaded))


def engine(directory: Path, database: str, *, clock: Clock | None = None, base: Path | None = None) -> Engine:
    """Build an engine on a directory of policies and a database; relative paths of sources start at `base`, or here.

    :raises InvalidDocument: listing every problem of the policies.
    :raises Unavailable: when the database cannot be used.
    """
    loaded = policies([directory])
    if loaded.problems:
        raise InvalidDocument("\n".join(problem.render() for problem in loaded.problems))
    base = base if base is not None else Path.cwd()
    organisation = loaded.organisation
    built = Engine(
        plan=loaded.plan,
        organisation=organisation,
        sources={
            name: plugins.built(plugins.SOURCES, name, each, directory=base)
            for name, each in organisation.sources.items()
        },
        notifiers={
            name: plugins.built(plugins.ACTIONS, name, each, directory=base)
            for name, each in organisation.notifiers.items()
        },
        database=Database(database),
        clock=clock or SystemClock(),
    )
    built.database.create_tables()
    return built


def _of_kind(found: Sequence[Loaded[BaseModel]], kind: type[D]) -> list[Authored[D]]:
    return [Loaded(each.document, each.source) for each in found if isinstance(each.document, kind)]


def _second_organisations(found: Sequence[Loaded[BaseModel]]) -> list[Problem]:
    """One engine, one organisation: a second org document is a problem."""
    organisations = [each for each in found if isinstance(each.document, Organisation)]
    return [
        Problem(
            each.source.at(()),
            "second-organisation",
            f"the organisation is declared in {organisations[0].source.file} already",
        )
        for each in organisations[1:]
    ]
