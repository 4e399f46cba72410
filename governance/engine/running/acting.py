"""What people do with runs: may they, is it still the moment, then one transaction with its entry, and on it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from governance.core import run_acts
from governance.core.approval import Approval
from governance.core.authority import Act, Actor
from governance.core.organisation import Role
from governance.core.run import Run
from governance.core.run_change import RunChange
from governance.engine.parts import Engine
from governance.engine.permission import NotCounted, permit
from governance.engine.running.late import first
from governance.engine.running.writing import write
from governance.engine.sealing import sealed
from governance.errors import Conflict
from governance.store import runs

BY_PEOPLE: Mapping[str, Act] = {
    "runbook.started": "runbook.start",
    "runbook.step_done": "runbook.tick",
    "runbook.approved": "runbook.approve",
    "runbook.refused": "runbook.approve",
    "runbook.retried": "runbook.retry",
    "runbook.skipped": "runbook.skip",
    "runbook.settled": "runbook.settle",
    "runbook.paused": "runbook.pause",
    "runbook.resumed": "runbook.resume",
    "runbook.cancelled": "runbook.cancel",
}
"""By the kind of its entry, which act of a person each is."""


@dataclass(frozen=True, slots=True)
class RunDone:
    """The run after an act, the number of the sealed entry that proves it, and why it was allowed."""

    run: Run
    entry: int
    because_allowed: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for which act on which run, as they saw it at `version` and at `step` (None and "": however it is).

    `role` is what this act asks for, where that is not what all of its kind do; `request` is what it answers.
    """

    run: str
    act: Act
    actor: Actor | str
    at: datetime
    version: int | None = None
    step: str = ""
    because: str = ""
    role: Role | None = None
    request: Approval | None = None

    @property
    def who(self) -> str:
        """Under which id the log knows who acts."""
        return str(self.actor)

    @property
    def channel(self) -> str:
        """Where they act, "" where that is not known."""
        return self.actor.channel if isinstance(self.actor, Actor) else ""

    def about(self, run: Run) -> Mapping[str, str]:
        """Return what a refusal is about beside the model."""
        step = self.step or (run.here.step if run.here is not None else "")
        incident = {"incident": str(run.incident)} if run.incident else {}
        return {"run": run.id, **({"step": step} if step else {}), **incident}


def tick(
    engine: Engine, run: str, *, actor: Actor | str, at: datetime, because: str = "", step: str = "",
    version: int | None = None,
) -> RunDone:  # fmt: skip
    """Say that what a step asks people to do is done; `because` is a note on it.

    :raises NotFound: when there is no such run.
    :raises Denied: when the actor may not.
    :raises Conflict: when it is not the moment, or somebody was first.
    """
    asked = Asked(run, "runbook.tick", actor, at, version, step, because)
    return act(engine, asked, lambda found: run_acts.ticked(
        found, asked.who, at, step=step, because=because, channel=asked.channel
    ))  # fmt: skip


def retry(
    engine: Engine, run: str, *, actor: Actor | str, at: datetime, because: str = "", step: str = "",
    version: int | None = None,
) -> RunDone:  # fmt: skip
    """Have the step where a run stopped tried again, as another visit; raises as `tick` does."""
    asked = Asked(run, "runbook.retry", actor, at, version, step, because)
    return act(engine, asked, lambda found: run_acts.retried(found, asked.who, at, step=step, because=because))


def skip(
    engine: Engine, run: str, *, actor: Actor | str, at: datetime, because: str, step: str = "",
    version: int | None = None,
) -> RunDone:  # fmt: skip
    """Go on without the step where a run is; consent is never skipped. Raises as `tick` does."""
    asked = Asked(run, "runbook.skip", actor, at, version, step, because)
    return act(engine, asked, lambda found: run_acts.skipped(found, asked.who, at, step=step, because=because))


def settle(
    engine: Engine, run: str, *, took_effect: bool, actor: Actor | str, at: datetime, because: str, step: str = "",
    version: int | None = None,
) -> RunDone:  # fmt: skip
    """Say whether an act took effect of which nobody knows; raises as `tick` does."""
    asked = Asked(run, "runbook.settle", actor, at, version, step, because)
    return act(engine, asked, lambda found: run_acts.settled(
        found, asked.who, at, took_effect=took_effect, step=step, because=because
    ))  # fmt: skip


def pause(
    engine: Engine, run: str, *, actor: Actor | str, at: datetime, because: str = "", version: int | None = None
) -> RunDone:
    """Let a run begin nothing new; raises as `tick` does."""
    asked = Asked(run, "runbook.pause", actor, at, version, because=because)
    return act(engine, asked, lambda found: run_acts.paused(found, asked.who, because=because))


def resume(
    engine: Engine, run: str, *, actor: Actor | str, at: datetime, because: str = "", version: int | None = None
) -> RunDone:
    """Let a paused run go on; raises as `tick` does."""
    asked = Asked(run, "runbook.resume", actor, at, version, because=because)
    return act(engine, asked, lambda found: run_acts.resumed(found, asked.who, because=because))


def cancel(
    engine: Engine, run: str, *, actor: Actor | str, at: datetime, because: str, undo: bool = True,
    version: int | None = None,
) -> RunDone:  # fmt: skip
    """End a run, and take back what it did, the last first, unless `undo` is False; raises as `tick` does."""
    asked = Asked(run, "runbook.cancel", actor, at, version, because=because)
    return act(engine, asked, lambda found: run_acts.cancelled(found, asked.who, at, because=because, undo=undo))


def act(
    engine: Engine,
    asked: Asked,
    change: Callable[[Run], RunChange],
    before: Callable[[Run], None] = lambda _: None,
) -> RunDone:
    """Change a run as it is now, in one transaction with the entries; then seal them, and wake who drives it on.

    `before` may refuse it for a reason of its own, once the actor is known to hold the role.

    :raises NotPermitted: when the actor may not.
    :raises NotCounted: when it is not the moment, or somebody was first; it says who, and how long ago.
    """
    with engine.database.read() as connection:
        found = runs.get(connection, asked.run)
    allowed = permit(engine, asked.actor, asked.act, found.model, role=asked.role, about=asked.about(found))
    with engine.database.transaction() as connection:
        current = runs.get(connection, asked.run)
        before(current)
        _check_version(engine, asked, current)
        try:
            after = change(current)
        except Conflict as error:
            raise not_counted(engine, asked, current, str(error)) from error
        decisions = write(connection, engine, after, asked.at, asked.channel)
        written = runs.get(connection, asked.run)
    entry = sealed(engine, decisions[0].id, asked.at)
    engine.runner.wake()
    return RunDone(written, entry, allowed.because)


def _check_version(engine: Engine, asked: Asked, run: Run) -> None:
    if asked.version is not None and asked.version != run.version:
        said = f"{run.id} has changed since version {asked.version}: it is version {run.version} now"
        raise not_counted(engine, asked, run, said)


def not_counted(engine: Engine, asked: Asked, run: Run, said: str) -> NotCounted:
    """Return the refusal of what comes at the wrong moment, with who was first."""
    who = first(run, asked.step, asked.at)
    whole = f"{said}; {who}" if who else said
    return NotCounted(engine, asked.actor, asked.act, run.model, said, whole, asked.about(run))
