"""The composition root: from settings to a running engine."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from governance import plugins
from governance.core.authored import Authored, problem_at
from governance.core.card import Card
from governance.core.checking import ENGINE, card_problems, organisation_problems, pack_problems
from governance.core.compiled import EvaluationPlan
from governance.core.organisation import Organisation, Plugin
from governance.core.pack import Pack
from governance.core.plan import evaluation_plan
from governance.core.problem import Problem
from governance.core.story import Suite
from governance.errors import InvalidDocument, Unavailable
from governance.loader import Loaded, load
from governance.ports import Clock, ReadsPushed
from governance.settings import Settings

if TYPE_CHECKING:
    from governance.engine.parts import Engine
    from governance.store.database import Database

# Checking policies needs neither the engine nor the database: they are imported by who builds them, as SQLAlchemy alone
# would double the time that `gov check` takes to start.

D = TypeVar("D", bound=BaseModel)
KINDS: dict[str, type[BaseModel]] = {"card": Card, "pack": Pack, "org": Organisation, "test": Suite}


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Policies:
    """Everything that was loaded from a directory, compiled, with all its problems.

    `organised` tells whether an org document was loaded; `organisation` is an empty one otherwise. `written` is the
    organisation as it was written.
    """

    plan: EvaluationPlan
    organisation: Organisation
    organised: bool
    problems: tuple[Problem, ...]
    written: Authored[Organisation] | None = None


def shipped(folder: str) -> Path:
    """Return the directory of what comes with the package: `policies` or `runbooks`."""
    installed = Path(str(files("governance"))) / "shipped" / folder
    return installed if installed.is_dir() else Path(__file__).parent.parent / folder


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep Python from looking for garbage: what loading makes is kept, and looking for it costs a third more."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_collector_paused()
def policies(paths: Sequence[Path], context: Sequence[Path] = ()) -> Policies:
    """Load, check and compile policies; packs that the paths do not bring come from the package.

    Where the paths bring no organisation, the one in `context` stands for it.
    """
    loaded = load(paths, KINDS)
    found = [*loaded.loaded, *loaded.salvaged]
    if not _of_kind(found, Organisation):
        around = load([path for path in context if path.exists()], KINDS)
        found.extend(each for each in around.loaded if isinstance(each.document, Organisation))
    own = {each.document.pack for each in found if isinstance(each.document, Pack)}
    standard = load([shipped("policies") / "packs"], KINDS)
    found.extend(each for each in standard.loaded if isinstance(each.document, Pack) and each.document.pack not in own)
    itself = _engine_card(found)
    problems = [*loaded.problems, *_second_organisations(found)]
    organisation = next(iter(_of_kind(found, Organisation)), None)
    document = organisation.document if organisation is not None else Organisation()
    cards, packs = _of_kind(found, Card), _of_kind(found, Pack)
    if organisation is not None:
        problems.extend([*organisation_problems(organisation), *_plugin_problems(organisation)])
    counts = Counter(each.document.model for each in cards)
    twins = {model for model, count in counts.items() if count > 1}
    known = document.model_copy(update={"sources": {**document.sources, ENGINE: Plugin(kind="engine")}})
    for card in cards:
        problems.extend(card_problems(card, known, twins))
    for pack in packs:
        problems.extend(pack_problems(pack, known))
    plan = evaluation_plan([*cards, *itself], packs)
    everything = sorted({*problems, *plan.problems}, key=lambda problem: problem.position)
    organised = bool(_of_kind(loaded.loaded, Organisation))
    return Policies(plan, document, organised, tuple(everything), organisation)


def engine(settings: Settings, *, clock: Clock | None = None, base: Path | None = None) -> Engine:
    """Build an engine that may write; relative paths of sources start at `base`, or here.

    :raises InvalidDocument: listing every problem of the policies.
    :raises Unavailable: when the database cannot be used.
    """
    from governance.store.database import Database
    from governance.store.heads_file import refuse_lost

    built = _built(_sound(policies([settings.policies])), Database(settings.database), clock, base)
    refuse_lost(settings.database_file)
    built.database.create_tables()
    return built


def evaluator(settings: Settings) -> Engine:
    """Build an engine that judges and writes nothing, not even an empty database.

    :raises InvalidDocument: listing every problem of the policies.
    """
    from governance.store.database import Database

    loaded = _sound(policies([settings.policies]))
    if settings.database_file.exists():
        database = Database(settings.database, read_only=True)
        database.check_layout()
        return _built(loaded, database)
    built = _built(loaded, Database("sqlite://"))
    built.database.create_tables()
    return built


def operator(settings: Settings, *, begin: bool = False) -> Engine:
    """Build an engine for people's acts on what exists; a mistake in a policy must not keep anybody from answering.

    With `begin` a database that is not there yet is begun: tokens are made before the engine first serves.

    :raises Unavailable: when there is no database, so that nothing can be said of incidents.
    :raises InvalidDocument: when it cannot be told who may act, as the organisation does not load.
    """
    from governance.store.database import Database
    from governance.store.heads_file import refuse_lost

    refuse_lost(settings.database_file)
    if not settings.database_file.exists() and not begin:
        raise Unavailable(
            f"no database at {settings.database_file}: gov serve makes it; "
            "or say with -C or GOV_HOME where the engine works"
        )
    loaded = policies([settings.policies])
    if loaded.problems and not loaded.organised:
        _sound(loaded)
    if loaded.problems:
        print(f"gov: warning: the policies have {len(loaded.problems)} problems, see gov check", file=sys.stderr)
    built = _built(loaded, Database(settings.database))
    built.database.create_tables()
    return built


def has_tokens(settings: Settings) -> bool:
    """Tell whether callers can prove who they are: by a token made before, or by the organisation's single sign-on.

    :raises InvalidDocument: listing every problem of the policies.
    """
    from governance.store import tokens
    from governance.store.database import Database

    if _sound(policies([settings.policies])).organisation.identity.oidc is not None:
        return True
    if not settings.database_file.exists():
        return False
    database = Database(settings.database)
    database.create_tables()
    try:
        with database.read() as connection:
            return tokens.exist(connection)
    finally:
        database.close()


def _sound(loaded: Policies) -> Policies:
    if loaded.problems:
        raise InvalidDocument("\n".join(problem.render() for problem in loaded.problems))
    return loaded


def _built(loaded: Policies, database: Database, clock: Clock | None = None, base: Path | None = None) -> Engine:
    from governance.engine.own import OwnMetrics
    from governance.engine.parts import Engine
    from governance.engine.pushing import StoredSamples

    directory = base if base is not None else Path.cwd()
    organisation = loaded.organisation

    def all_of(group: str, found: Mapping[str, Plugin]) -> dict[str, Any]:
        return {name: plugins.built(group, name, each, directory=directory) for name, each in found.items()}

    sources = {ENGINE: OwnMetrics(database), **all_of(plugins.SOURCES, organisation.sources)}
    for name, source in sources.items():
        if isinstance(source, ReadsPushed):
            source.read_from(name, StoredSamples(database))
    return Engine(
        plan=loaded.plan,
        organisation=organisation,
        sources=sources,
        notifiers=all_of(plugins.ACTIONS, organisation.notifiers),
        database=database,
        clock=clock or SystemClock(),
    )


def _plugin_problems(organisation: Authored[Organisation]) -> list[Problem]:
    """Check the kind and the settings of every source and notifier; whether it answers is no matter of the file."""
    found = []
    for group, section in ((plugins.SOURCES, "sources"), (plugins.ACTIONS, "notifiers")):
        for name, plugin in getattr(organisation.document, section).items():
            for wrong in plugins.wrongs(group, plugin):
                where = organisation.source.at((section, name, *wrong.path))
                found.append(problem_at(organisation.source, where, "wrong-plugin", wrong.message, wrong.suggestion))
    return found


def _engine_card(found: Sequence[Loaded[BaseModel]]) -> list[Authored[Card]]:
    """Return the card that governs the engine itself, unless there is one of the organisation's own."""
    if any(isinstance(each.document, Card) and each.document.model == ENGINE for each in found):
        return []
    return _of_kind(load([shipped("policies") / "engine.yaml"], KINDS).loaded, Card)


def _of_kind(found: Sequence[Loaded[BaseModel]], kind: type[D]) -> list[Authored[D]]:
    return [Loaded(each.document, each.source) for each in found if isinstance(each.document, kind)]


def _second_organisations(found: Sequence[Loaded[BaseModel]]) -> list[Problem]:
    """One engine, one organisation: a second org document is a problem."""
    organisations = _of_kind(found, Organisation)
    return [
        problem_at(
            each.source,
            each.source.at(()),
            "second-organisation",
            f"the organisation is declared in {organisations[0].source.file} already",
        )
        for each in organisations[1:]
    ]
