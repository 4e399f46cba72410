"""The composition root: from settings to a running engine."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files as resources
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
from governance.core.policy_version import digest_of
from governance.core.problem import Problem
from governance.core.silence_document import SilenceDocument, silence_problems, written_silence
from governance.core.story import Suite
from governance.core.waiver_document import WaiverDocument, waiver_problems, written_waiver
from governance.errors import InvalidDocument, Unavailable
from governance.loader import Loaded, files, load, load_text
from governance.ports import Clock, ReadsPushed
from governance.settings import Settings

if TYPE_CHECKING:
    from governance.core.waiver import Waiver, WaiverRequest
    from governance.engine.parts import Engine, Ruling
    from governance.store.database import Database

# Checking policies needs neither the engine nor the database: they are imported by who builds them, as SQLAlchemy alone
# would double the time that `gov check` takes to start.

D = TypeVar("D", bound=BaseModel)
SHIPPED = "shipped/"
"""How the names of documents begin that come with the package."""
_NO_DATABASE = "gov serve makes it; or say with -C or GOV_HOME where the engine works"
KINDS: dict[str, type[BaseModel]] = {
    "card": Card,
    "pack": Pack,
    "org": Organisation,
    "silence": SilenceDocument,
    "test": Suite,
    "waiver": WaiverDocument,
}


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Policies:
    """Everything that was loaded from a directory, compiled, with all its problems.

    `organised` tells whether an org document was loaded; `organisation` is an empty one otherwise. `documents` are the
    texts by name: relative to the directory, those that come with the package below `shipped/`. `written` is the
    organisation as it was written.
    """

    plan: EvaluationPlan
    organisation: Organisation
    organised: bool
    problems: tuple[Problem, ...]
    documents: Mapping[str, str]
    written: Authored[Organisation] | None = None


def shipped(folder: str) -> Path:
    """Return the directory of what comes with the package: `policies`, `runbooks` or `docs/problems`."""
    installed = Path(str(resources("governance"))) / "shipped" / folder
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
    organised = bool(_of_kind(loaded.loaded, Organisation))
    return _combined(found, itself, loaded.problems, documents=_texts([*found, *itself], paths), organised=organised)


def stored_policies(documents: Mapping[str, str], under: str = "policies") -> Policies:
    """Check and compile the documents of a version; nothing is added, as all that it rested on was stored with it.

    `under` is the directory that problems and origins name before the name of a document.
    """
    found, itself, problems = list[Loaded[BaseModel]](), list[Loaded[BaseModel]](), list[Problem]()
    for name, text in documents.items():
        ours = name.startswith(SHIPPED)
        one, wrong = load_text(text, name if ours else f"{under}/{name}", KINDS)
        problems.extend(wrong)
        if one is not None:
            (itself if ours and isinstance(one.document, Card) else found).append(one)
    organised = bool(_of_kind(found, Organisation))
    return _combined(found, itself, problems, documents=dict(documents), organised=organised)


def _combined(
    found: Sequence[Loaded[BaseModel]],
    itself: Sequence[Loaded[BaseModel]],
    wrong: Sequence[Problem],
    *,
    documents: Mapping[str, str],
    organised: bool,
) -> Policies:
    """Check documents against each other and compile them; `itself` is the engine's card where it is not one's own."""
    problems = [*wrong, *_second_organisations(found)]
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
    plan = evaluation_plan([*cards, *_of_kind(itself, Card)], packs)
    asked = _of_kind(found, WaiverDocument)
    problems.extend(waiver_problems(asked, plan.by_model, document) if cards else ())
    muted = _of_kind(found, SilenceDocument)
    problems.extend(silence_problems(muted, plan.by_model, document) if cards else ())
    plan = replace(plan, waivers=tuple(map(written_waiver, asked)), silences=tuple(map(written_silence, muted)))
    everything = sorted(dict.fromkeys([*problems, *plan.problems]), key=lambda problem: problem.position)
    return Policies(plan, document, organised, tuple(everything), documents, organisation)


def engine(settings: Settings, *, clock: Clock | None = None, base: Path | None = None) -> Engine:
    """Build an engine that may write; relative paths of sources start at `base`, or here.

    :raises InvalidDocument: listing every problem of the policies.
    :raises Unavailable: when the database cannot be used.
    """
    from governance.store.database import Database
    from governance.store.heads_file import refuse_lost

    made = built(sound(policies([settings.policies])), Database(settings.database), clock, base)
    refuse_lost(settings.database_file)
    made.database.create_tables()
    return made


def evaluator(settings: Settings) -> Engine:
    """Build an engine that judges and writes nothing, not even an empty database.

    :raises InvalidDocument: listing every problem of the policies.
    """
    from governance.store.database import Database

    loaded = sound(policies([settings.policies]))
    if settings.database_file.exists():
        database = Database(settings.database, read_only=True)
        database.check_layout()
        return built(loaded, database)
    made = built(loaded, Database("sqlite://"))
    made.database.create_tables()
    return made


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
        raise Unavailable(f"no database at {settings.database_file}: {_NO_DATABASE}")
    database = Database(settings.database)
    database.create_tables()
    loaded = policies([settings.policies])
    ruling_now = in_force(database, settings, loaded)
    if ruling_now is not None:
        return built(ruling_now, database)
    if loaded.problems and not loaded.organised:
        sound(loaded)
    if loaded.problems:
        print(f"gov: warning: the policies have {len(loaded.problems)} problems, see gov check", file=sys.stderr)
    return built(loaded, database)


def stored_database(settings: Settings) -> Database:
    """Return the database to be read only.

    :raises Unavailable: when there is none.
    """
    from governance.store.database import Database

    if not settings.database_file.exists():
        raise Unavailable(f"no database at {settings.database_file}: {_NO_DATABASE}")
    database = Database(settings.database, read_only=True)
    database.check_layout()
    return database


def last_adopted(database: Database, settings: Settings) -> Policies | None:
    """Return the version that was adopted last, None before the first.

    :raises Unavailable: when this program cannot load it any more.
    """
    from governance.store import policy_versions

    with database.read() as connection:
        last = policy_versions.in_force(connection)
        if last is None:
            return None
        documents = policy_versions.documents(connection, last.digest)
    stored = stored_policies(documents, files.shown(settings.policies))
    if stored.problems:
        said = f"{stored.problems[0].position}: {stored.problems[0].message}"
        raise Unavailable(f"version {last.version}, which rules, does not load with this program: {said}")
    return stored


def in_force(database: Database, settings: Settings, disk: Policies) -> Policies | None:
    """Return the version that rules where it is another than lies on disk, with a warning; None where it is the same.

    People's acts go by the version that rules: what a directory says of who may do what counts once it was adopted.
    """
    from governance.store import policy_versions

    with database.read() as connection:
        last = policy_versions.in_force(connection)
        if last is None or (last.digest == digest_of(disk.documents) and not disk.problems):
            return None
        documents = policy_versions.documents(connection, last.digest)
    stored = stored_policies(documents, files.shown(settings.policies))
    if stored.problems:
        return None
    state = f"have {len(disk.problems)} problems (gov check)" if disk.problems else "differ (gov plan)"
    print(f"gov: warning: version {last.version} of the policies rules; those on disk {state}", file=sys.stderr)
    return stored


def waivers_known(
    settings: Settings, loaded: Policies, model: str, at: datetime
) -> tuple[list[Waiver], list[WaiverRequest]]:
    """Return the waivers of a model in force, and all that was asked for; nothing where there is no database.

    :raises Unavailable: when there is one that cannot be read.
    """
    from governance.engine import waiver_ends
    from governance.engine.parts import Engine
    from governance.store import waiver_requests
    from governance.store.database import Database

    if not settings.database_file.exists():
        return [], []
    database = Database(settings.database, read_only=True)
    try:
        database.check_layout()
        reader = Engine(loaded.plan, loaded.organisation, {}, {}, database, SystemClock())
        with database.read() as connection:
            holding = [each for each in waiver_ends.active(reader, connection, at) if each.model == model]
            return holding, waiver_requests.of_model(connection, model)
    finally:
        database.close()


def has_tokens(settings: Settings) -> bool:
    """Tell whether callers can prove who they are: by a token made before, or by the organisation's single sign-on.

    The policies on disk may be broken: then the version that ruled last counts.
    """
    from governance.store import tokens
    from governance.store.database import Database

    disk = policies([settings.policies])
    if disk.organisation.identity.oidc is not None and not disk.problems:
        return True
    if not settings.database_file.exists():
        return False
    database = Database(settings.database)
    database.create_tables()
    try:
        with database.read() as connection:
            if tokens.exist(connection):
                return True
        stored = in_force(database, settings, disk)
        return stored is not None and stored.organisation.identity.oidc is not None
    finally:
        database.close()


def sound(loaded: Policies) -> Policies:
    """Return policies in which nothing is wrong.

    :raises InvalidDocument: listing every problem.
    """
    if loaded.problems:
        raise InvalidDocument("\n".join(problem.render() for problem in loaded.problems))
    return loaded


def ruling(loaded: Policies, database: Database, directory: Path, before: Engine | None = None) -> Ruling:
    """Make sound policies ready to rule; a source or notifier that is configured as `before` is the same one."""
    from governance.engine.own import OwnMetrics
    from governance.engine.parts import Ruling
    from governance.engine.pushing import StoredSamples

    organisation = loaded.organisation

    def all_of(group: str, section: str) -> dict[str, Any]:
        now: Mapping[str, Plugin] = getattr(organisation, section)
        was: Mapping[str, Plugin] = getattr(before.organisation, section) if before is not None else {}
        return {
            name: getattr(before, section)[name]
            if name in was and was[name] == each
            else plugins.built(group, name, each, directory=directory)
            for name, each in now.items()
        }

    sources = {ENGINE: OwnMetrics(database), **all_of(plugins.SOURCES, "sources")}
    for name, source in sources.items():
        if isinstance(source, ReadsPushed):
            source.read_from(name, StoredSamples(database))
    return Ruling(loaded.plan, organisation, sources, all_of(plugins.ACTIONS, "notifiers"), loaded.documents)


def built(loaded: Policies, database: Database, clock: Clock | None = None, base: Path | None = None) -> Engine:
    """Build an engine of sound policies; relative paths of sources start at `base`, or here."""
    from governance.engine.parts import Engine

    made = ruling(loaded, database, base if base is not None else Path.cwd())
    return Engine(
        plan=made.plan,
        organisation=made.organisation,
        sources=made.sources,
        notifiers=made.notifiers,
        database=database,
        clock=clock or SystemClock(),
        documents=made.documents,
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


def _texts(found: Sequence[Loaded[BaseModel]], paths: Sequence[Path]) -> dict[str, str]:
    """Return the texts of documents by name: relative to the directory that was given, or to what is shipped."""
    places = [(files.shown(shipped("policies")), SHIPPED), *((files.shown(path), "") for path in paths)]

    def name(file: str) -> str:
        for place, prefix in reversed(places):  # one's own directory first: it may be what the package ships
            if place == ".":
                return prefix + file
            if file.startswith(f"{place.rstrip('/')}/"):
                return prefix + file[len(place.rstrip("/")) + 1 :]
        return Path(file).name

    return {name(each.source.file): each.source.text for each in found}


def _engine_card(found: Sequence[Loaded[BaseModel]]) -> list[Loaded[BaseModel]]:
    """Return the card that governs the engine itself, unless there is one of the organisation's own."""
    if any(isinstance(each.document, Card) and each.document.model == ENGINE for each in found):
        return []
    return list(load([shipped("policies") / "engine.yaml"], KINDS).loaded)


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
