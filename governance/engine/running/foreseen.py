"""What is read and asked at steps to come, written out as far as the card, the parameters and earlier steps tell it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from governance.core.incident import Incident
from governance.core.run import Run
from governance.core.run_programs import programs
from governance.core.run_sight import Sight
from governance.core.runbook import Step
from governance.engine.parts import Engine
from governance.engine.running.judging import outputs
from governance.store import incidents


class Foreseen:
    """The texts of a run ahead of it; no source is asked, and an expression without a value stays as it is written."""

    def __init__(self, engine: Engine, run: Run, at: datetime) -> None:
        """Look ahead of a run as it is at this instant."""
        self._engine, self._run, self._at = engine, run, at
        self._made: Sight | None = None

    def text(self, step: Step) -> str:
        """Return what people read at a step, as it is written where the model has no card any more."""
        sight = self._sight()
        written = step.instruct or (step.notify.message if step.notify is not None else "") or step.text or ""
        return sight.text(step.step) if sight is not None and "{" in written else written

    def asked(self, step: Step) -> Mapping[str, object]:
        """Return with what the act of a step is asked."""
        sight = self._sight()
        return sight.asked(step.step)[0] if sight is not None else step.with_

    def _sight(self) -> Sight | None:
        policy = self._engine.plan.by_model.get(self._run.model)
        if self._made is None and policy is not None:
            known = programs(self._run.runbook, policy, outputs(self._engine))
            self._made = Sight(known, self._run, {}, self._at, incident=self._incident(), ahead=True)
        return self._made

    def _incident(self) -> Incident | None:
        if not self._run.incident:
            return None
        with self._engine.database.read() as connection:
            return incidents.whole(connection, incidents.get(connection, self._run.incident))
