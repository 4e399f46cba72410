"""Do what a step asks of the world, under its key: now, or find out what became of it after a death."""

from __future__ import annotations

from datetime import datetime

from governance.core.own_act import is_own
from governance.core.performance import Outcome, Request
from governance.core.plain import plain_object
from governance.core.run import Run
from governance.core.run_change import here_of, step_of
from governance.engine.parts import Engine
from governance.errors import Unavailable
from governance.ports import ReadsBack, System
from governance.store import lease

LOST = "the engine ended while it was under way, and nothing tells whether it took effect"


def act_of(run: Run) -> str:
    """Return the act where a run is: that of its step, or what takes it back."""
    step = step_of(run)
    if here_of(run).undoes:
        return step.undo.act if step.undo is not None else ""
    return step.act or ""


def on_itself(run: Run) -> bool:
    """Tell whether the act where a run is changes the engine alone, and so within one transaction."""
    return is_own(act_of(run))


def request_of(run: Run, at: datetime) -> Request:
    """Return what is asked for where a run is; the same for every attempt but for its time."""
    act, here = act_of(run), here_of(run)
    operation = act if is_own(act) else act.partition(".")[2]
    return Request(here.key, operation, here.asked, at, run.id, run.model)


def repeats(engine: Engine, run: Run) -> bool:
    """Tell whether the other side drops repeats of the act where a run is."""
    act = act_of(run)
    system = engine.acts.get(act.partition(".")[0])
    return is_own(act) or (system is not None and act.partition(".")[2] in system.REPEATS)


def perform(engine: Engine, run: Run, at: datetime) -> Outcome:
    """Act, or look whether that could be done; what went wrong is an outcome, and what nobody knows is asked for."""
    system, request = _system(engine, run), request_of(run, at)
    if isinstance(system, Outcome):
        return system
    if run.mode == "dry_run":
        return _plain(_tried(system, request, dry=True))
    fenced = _not_leading(engine)
    if fenced:
        return Outcome("failed", f"it was not begun: {fenced}")
    outcome = _tried(system, request, dry=False)
    if outcome.state == "unknown" and not repeats(engine, run):
        outcome = _read_back(system, request) or outcome
    return _plain(outcome)


def recover(engine: Engine, run: Run, at: datetime) -> Outcome:
    """Find out what became of an act whose process died, or do it again where that does no harm.

    What never took effect is done now.
    """
    if run.mode == "dry_run" or repeats(engine, run):
        return perform(engine, run, at)
    system, request = _system(engine, run), request_of(run, at)
    if isinstance(system, Outcome):
        return Outcome("unknown", f"{LOST}: {system.detail}", again=False)
    found = _read_back(system, request)
    if found is None:
        return Outcome("unknown", LOST, again=False)
    return perform(engine, run, at) if found.state == "failed" else _plain(found)


def _system(engine: Engine, run: Run) -> System | Outcome:
    name = act_of(run).partition(".")[0]
    system = engine.acts.get(name)
    if system is None:
        return Outcome("failed", f"no system '{name}' is configured under acts in org.yaml", again=False)
    return system


def _not_leading(engine: Engine) -> str:
    """Return why this process may not act, "" when it leads: since the intent was committed it may have been frozen."""
    held = engine.database.lease
    if held is None:
        return ""
    try:
        with engine.database.read() as connection:
            lease.check(connection, held)
    except Unavailable as error:  # another one leads, or it cannot be told who does
        return str(error)
    return ""


def _tried(system: System, request: Request, *, dry: bool) -> Outcome:
    try:
        return system.dry_run(request) if dry else system.perform(request)
    except Exception as error:  # noqa: BLE001 (a plug-in may raise anything; it must stop its own run only)
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        return Outcome("failed" if dry else "unknown", said, again=False)


def _read_back(system: System, request: Request) -> Outcome | None:
    if not isinstance(system, ReadsBack):
        return None
    try:
        return system.read_back(request)
    except Exception:  # noqa: BLE001 (what cannot be asked is not known)
        return None


def _plain(outcome: Outcome) -> Outcome:
    outputs = plain_object(outcome.outputs)
    return Outcome(outcome.state, outcome.detail, outputs, outcome.again, outcome.wait)
