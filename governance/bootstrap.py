"""The composition root: from settings to a running engine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance import plugins
from governance.core.checking import ENGINE
from governance.core.organisation import Organisation, Plugin
from governance.core.policy_version import digest_of
from governance.errors import Unavailable
from governance.loader import files
from governance.policies import Policies, policies, sound, stored_policies
from governance.ports import Clock, ReadsPushed, UsesNotifiers
from governance.settings import Settings

if TYPE_CHECKING:
    from governance.core.waiver import Waiver, WaiverRequest
    from governance.engine.parts import Engine, Ruling
    from governance.store.database import Database

# Checking policies needs neither the engine nor the database: they are imported by who builds them, as SQLAlchemy alone
# would double the time that `gov check` takes to start.

_NO_DATABASE = "gov serve makes it; or say with -C or GOV_HOME where the engine works"


def database_of(settings: Settings, *, read_only: bool = False) -> Database:
    """Return the database that the settings name; nothing is opened yet.

    :raises Unavailable: when it is of a kind that is not known, or its driver is missing.
    """
    from governance.store.database import Database

    return Database(settings.database, read_only=read_only, home=settings.home)


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        return datetime.now(UTC)


def engine(settings: Settings, *, clock: Clock | None = None, base: Path | None = None) -> Engine:
    """Build an engine that may write; relative paths of sources start at `base`, or here.

    :raises InvalidDocument: listing every problem of the policies.
    :raises Unavailable: when the database cannot be used.
    """
    from governance.store.heads_file import refuse_lost

    loaded = sound(policies([settings.policies], runbooks=settings.runbooks))
    made = built(loaded, database_of(settings), clock, base)
    refuse_lost(made.database)
    made.database.create_tables()
    return made


def evaluator(settings: Settings) -> Engine:
    """Build an engine that judges and writes nothing, not even an empty database.

    :raises InvalidDocument: listing every problem of the policies.
    """
    from governance.store.database import Database

    loaded = sound(policies([settings.policies], runbooks=settings.runbooks))
    database = database_of(settings, read_only=True)
    if database.exists():
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
    from governance.store.heads_file import refuse_lost

    database = database_of(settings)
    refuse_lost(database)
    if not begin:
        _refuse_none(database)
    database.create_tables()
    loaded = policies([settings.policies], runbooks=settings.runbooks)
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
    database = database_of(settings, read_only=True)
    _refuse_none(database)
    database.check_layout()
    return database


def _refuse_none(database: Database) -> None:
    if not database.exists():
        raise Unavailable(f"no database at {database.place}: {_NO_DATABASE}")


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

    database = database_of(settings, read_only=True)
    if not database.exists():
        return [], []
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

    disk = policies([settings.policies], runbooks=settings.runbooks)
    if disk.organisation.identity.oidc is not None and not disk.problems:
        return True
    database = database_of(settings)
    if not database.exists():
        return False
    database.create_tables()
    try:
        with database.read() as connection:
            if tokens.exist(connection):
                return True
        stored = in_force(database, settings, disk)
        return stored is not None and stored.organisation.identity.oidc is not None
    finally:
        database.close()


def ruling(loaded: Policies, database: Database, directory: Path, before: Engine | None = None) -> Ruling:
    """Make sound policies ready to rule; a plug-in that is configured as `before` is the same one."""
    from governance.engine.own import OwnMetrics
    from governance.engine.parts import Ruling
    from governance.engine.pushing import StoredSamples

    organisation = loaded.organisation

    def configured(group: str, known: Organisation) -> Mapping[str, Plugin]:
        found: Mapping[str, Plugin] = getattr(known, plugins.SECTIONS[group])
        return plugins.systems(known) if group == plugins.ACTS else found

    def all_of(group: str) -> dict[str, Any]:
        now = configured(group, organisation)
        was = configured(group, before.organisation) if before is not None else {}
        kept = getattr(before, plugins.SECTIONS[group], {})
        return {
            name: kept[name]
            if name in kept and was.get(name) == each
            else plugins.built(group, name, each, directory=directory)
            for name, each in now.items()
        }

    sources = {ENGINE: OwnMetrics(database, organisation.canary), **all_of(plugins.SOURCES)}
    for name, source in sources.items():
        if isinstance(source, ReadsPushed):
            source.read_from(name, StoredSamples(database))
    notifiers = all_of(plugins.ACTIONS)
    acts = {
        name: each.using(notifiers) if isinstance(each, UsesNotifiers) else each
        for name, each in all_of(plugins.ACTS).items()
    }
    return Ruling(loaded.plan, organisation, sources, notifiers, loaded.documents, acts=acts)


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
        acts=made.acts,
    )
