"""Follow the policies where they lie: a directory, or a git checkout that is kept up to date."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from governance import bootstrap
from governance.core.authority import members
from governance.core.compiled import EvaluationPlan
from governance.core.organisation import Organisation
from governance.core.policy_version import Origin, PolicyVersion, digest_of
from governance.core.problem import Position, Problem
from governance.engine.adoption import adopt, follow
from governance.engine.parts import Engine, Ruling
from governance.engine.standing import Incoming
from governance.errors import Unavailable
from governance.loader.checkout import Checkout
from governance.loader.files import shown
from governance.loader.stamp import Stamp, stamp, stamp_of_tests
from governance.policies import RUNBOOKS, Policies, beside, policies, sound, stored_policies
from governance.ports import Clock
from governance.settings import Settings
from governance.store import policy_versions
from governance.store.database import Database
from governance.store.heads_file import refuse_lost

POLL = timedelta(seconds=2)
"""How often it is looked whether a file changed; what is the same at two looks is read."""
FAILURES = 3
"""How many pulls must fail one after another before that is told: a network has its moments."""


Tests = Callable[[Path, Path], tuple[Problem, ...]]
"""What finds the problems of the tests in a directory of policies, and of those of the runbooks."""


def begin(
    settings: Settings,
    *,
    clock: Clock | None = None,
    base: Path | None = None,
    paced: Callable[[Ruling], Ruling] = lambda ruling: ruling,
    leading: Callable[[Database], object] = lambda _: None,
) -> Engine:
    """Build the engine that serves: by what lies on disk where it may rule, else by the version that ruled last.

    `leading` is called once the tables are there; it returns when this process may write, however long that takes.

    :raises InvalidDocument: listing every problem of the policies, where no version ever ruled.
    :raises Unavailable: when the database cannot be used.
    """
    base = base if base is not None else Path.cwd()
    database = bootstrap.database_of(settings)
    refuse_lost(database)
    if not database.exists():  # nothing is begun with policies that never ruled
        sound(policies([settings.policies], runbooks=settings.runbooks))
    database.create_tables()
    leading(database)
    began = stamp([settings.policies, *beside([settings.policies], settings.runbooks)])
    disk = policies([settings.policies], runbooks=settings.runbooks)
    last, stored = _stored(database, disk, shown(settings.policies))
    engine = bootstrap.built(sound(disk) if stored is None else stored, database, clock, base)
    engine.rule_by(paced(engine.ruling))
    standing, at = engine.standing, engine.clock.now()
    standing.stamp = began
    standing.load = _loading(shown(settings.policies), paced)
    standing.source, standing.build = settings.policies_from, built(engine, base, shown(settings.policies), paced)
    checkout = Checkout(settings.policies, beside([settings.policies], settings.runbooks))
    if last is None or stored is None:
        origin = _origin(engine, checkout, "")
        standing.commit = origin.commit.rstrip("+")
        adopt(engine, at, origin)
        return engine
    standing.commit = last.origin.commit.rstrip("+")
    with database.read() as connection:
        standing.waiting = policy_versions.waiting(connection)
    if standing.source == "directory":
        standing.incoming = _incoming(engine, disk, checkout, base, paced)
    adopt(engine, at)  # the same documents may mean something else to another version of the program
    follow(engine, at)
    return engine


def _stored(database: Database, disk: Policies, under: str) -> tuple[PolicyVersion | None, Policies | None]:
    """Return the version that ruled last and its policies; no policies where this program cannot load them."""
    with database.read() as connection:
        last = policy_versions.in_force(connection)
        if last is None:
            return None, None
        documents = policy_versions.documents(connection, last.digest)
    if last.digest == digest_of(disk.documents) and not disk.problems:
        return last, disk
    stored = stored_policies(documents, under)
    return last, None if stored.problems else stored


@contextmanager
def followed(
    engine: Engine,
    settings: Settings,
    pull_every: timedelta | None,
    paced: Callable[[Ruling], Ruling],
    tests: Tests | None = None,
) -> Iterator[None]:
    """Follow the directory meanwhile, where versions come from it; `tests` finds what is wrong with its tests."""
    if settings.policies_from != "directory":
        yield
        return
    follower = Follower(
        engine,
        settings.policies,
        Path.cwd(),
        pull_every=pull_every,
        paced=paced,
        runbooks=settings.runbooks,
        tests=tests,
    )
    follower.start()
    try:
        yield
    finally:
        follower.stop()


def read(
    engine: Engine,
    directory: Path,
    base: Path,
    paced: Callable[[Ruling], Ruling] = lambda ruling: ruling,
    runbooks: Path = RUNBOOKS,
) -> Incoming:
    """Read the policies of a directory, ready to take the place of those that rule."""
    checkout = Checkout(directory, beside([directory], runbooks))
    return _incoming(engine, policies([directory], runbooks=runbooks), checkout, base, paced)


def built(
    engine: Engine, base: Path, under: str, paced: Callable[[Ruling], Ruling] = lambda ruling: ruling
) -> Callable[[Mapping[str, str]], Incoming]:
    """Return what makes documents that were stored or sent ready to rule."""

    def build(documents: Mapping[str, str]) -> Incoming:
        loaded = stored_policies(documents, under)
        if loaded.problems:
            return Incoming(None, loaded.problems)
        return Incoming(paced(bootstrap.ruling(loaded, engine.database, base, engine)))

    return build


def _loading(
    under: str, paced: Callable[[Ruling], Ruling]
) -> Callable[[Mapping[str, str]], tuple[EvaluationPlan, Organisation, tuple[Problem, ...]]]:
    def load(documents: Mapping[str, str]) -> tuple[EvaluationPlan, Organisation, tuple[Problem, ...]]:
        loaded = stored_policies(documents, under)
        made = paced(Ruling(loaded.plan, loaded.organisation, {}, {}, loaded.documents))
        return made.plan, made.organisation, loaded.problems

    return load


def _incoming(
    engine: Engine, loaded: Policies, checkout: Checkout, base: Path, paced: Callable[[Ruling], Ruling]
) -> Incoming:
    origin = _origin(engine, checkout, engine.standing.commit)
    if loaded.problems:
        return Incoming(None, loaded.problems, origin)
    return Incoming(paced(bootstrap.ruling(loaded, engine.database, base, engine)), (), origin)


class Follower:
    """A thread that looks at a directory, and gives the engine what it reads there once the files have settled."""

    def __init__(
        self,
        engine: Engine,
        directory: Path,
        base: Path,
        *,
        pull_every: timedelta | None = None,
        poll: timedelta = POLL,
        paced: Callable[[Ruling], Ruling] = lambda ruling: ruling,
        runbooks: Path = RUNBOOKS,
        tests: Tests | None = None,
    ) -> None:
        """Follow `directory`, and the runbooks beside it; `paced` is done to each version before it rules."""
        self._tests, self._tested = tests, tuple[Stamp, ...]()
        self._engine, self._directory, self._base, self._runbooks = engine, directory, base, runbooks
        self._poll, self._pull_every, self._paced = poll, pull_every, paced
        self._checkout = Checkout(directory)
        self._last: Stamp | None = None
        self._taken: Stamp | None = engine.standing.stamp or None
        self._failures, self._pull_at = 0, 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="policies", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for it, unless it is just pulling."""
        self._done.set()
        self._thread.join(5)

    def look(self) -> bool:
        """Look once; True when something was read."""
        self._pull()
        now = self._stamp()
        settled, self._last = now == self._last, now
        if not settled or self._checkout.busy(time.time()):
            return False
        taken = now != self._taken and self._take(now)
        self._look_at_tests(now)  # after what may rule: it waits for no test
        return taken

    def _take(self, now: Stamp) -> bool:
        incoming = self._read()
        if self._stamp() != now:
            return False  # it changed while it was read
        self._taken, self._engine.standing.incoming = now, incoming
        return True

    def _look_at_tests(self, policies: Stamp) -> None:
        """Check the tests where they changed, or what they are of; one that is half written is read at the next look.

        Nothing of it keeps the policies from ruling.
        """
        now = (policies, stamp_of_tests(self._places))
        if self._tests is None or now == self._tested:
            return
        try:
            found = self._tests(self._directory, self._runbooks)
        except Exception as error:  # noqa: BLE001 (whatever is wrong with what was written, the policies are followed)
            found = (_unread(self._directory, "checking its tests failed", error),)
        self._tested, self._engine.standing.tests = now, found

    @property
    def _places(self) -> list[Path]:
        return [self._directory, *beside([self._directory], self._runbooks)]

    def _stamp(self) -> Stamp:
        return stamp(self._places)

    def _read(self) -> Incoming:
        try:
            return read(self._engine, self._directory, self._base, self._paced, self._runbooks)
        except Exception as error:  # noqa: BLE001 (whatever is wrong with what was written, the version before rules)
            return Incoming(None, (_unread(self._directory, "reading it failed", error),))

    def _pull(self) -> None:
        """Pull where it is due; a failure is told when it is no single one."""
        if self._pull_every is None or time.monotonic() < self._pull_at:
            return
        self._pull_at = time.monotonic() + self._pull_every.total_seconds()
        try:
            self._checkout.pull()
        except Unavailable as error:
            self._failures += 1
            if self._failures >= FAILURES:
                self._engine.standing.pull_failure = str(error)
            return
        self._failures, self._engine.standing.pull_failure = 0, ""

    def _run(self) -> None:
        while not self._done.is_set():
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 (a follower that died would follow nothing without a word)
                self._engine.standing.pull_failure = f"{type(error).__name__}: {error}".splitlines()[0]
            self._done.wait(self._poll.total_seconds())


def _unread(directory: Path, what: str, error: Exception) -> Problem:
    said = f"{what}: {type(error).__name__}: {error}".splitlines()[0]
    return Problem(Position(str(directory), 1, 1), "internal-error", said)


def _origin(engine: Engine, checkout: Checkout, since: str) -> Origin:
    """Tell where the policies of a directory come from, as far as git can."""
    if not checkout.exists:
        return Origin("directory")
    try:
        commit = checkout.commit(since)
    except Unavailable:
        return Origin("directory")
    if not commit.clean:  # somebody edited them here, and nobody can tell who
        return Origin("directory", commit=f"{commit.digest}+")
    authors = tuple(dict.fromkeys(person for each in commit.authors for person in _people(engine, each)))
    return Origin("git", _people(engine, commit.author)[0], commit.digest, authors)


def _people(engine: Engine, email: str) -> list[str]:
    """Return everybody with an e-mail address, itself where the organisation knows none."""
    return sorted(members(email, engine.organisation)) or [email]
