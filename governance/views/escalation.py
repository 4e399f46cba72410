"""How far the escalation of an incident has come, as it is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from governance.views.view import View


class ReachView(View):
    """Somebody whom a level was to tell: a person by id, a notifier, or a target behind which nobody is.

    `failed` is who could not be told, with the reason; what `waits` is not delivered yet.
    """

    who: str
    state: Literal["told", "waits", "failed"]
    why: str = ""


class LevelView(View):
    """One level: who is behind it, and of one that was told when that was, whom it reached and who answered.

    `to` says in words whom the policy names, `who` are the people and notifiers behind that, of one to come by the time
    at which it is told; `holes` are the names behind which nobody is. One that is `passed` is not for the incident's
    severity. `answered_by` is who acknowledged while it was the last that had been told.
    """

    level: int
    state: Literal["told", "next", "later", "passed"]
    to: list[str]
    who: list[str] = []
    holes: list[str] = []
    fallback: bool = False
    told_at: datetime | None = None
    reached: list[ReachView] = []
    answered_by: str = ""
    answered_at: datetime | None = None


class EscalationView(View):
    """Who has been told, who is next and when.

    `level` counts from 1, 0 before the first; `last_level` is the highest, the fallback where there is one. `next_to`
    are people by id and notifiers, by the schedules of today. `comes_back_at` is when an acknowledged incident is
    told anew unless somebody works on it. `since` is when the last level came to be told. `waits_for` says what
    withholds the level that is due. `levels` are told of one incident that is asked for, not in a list of many.
    """

    policy: str
    level: int
    last_level: int
    loop: int
    loops: int
    next_at: datetime | None
    next_to: list[str]
    state: Literal["running", "stopped", "handed_over", "exhausted"]
    told: list[str]
    comes_back_at: datetime | None = None
    since: datetime | None = None
    waits_for: str = ""
    levels: list[LevelView] = []

    @property
    def words(self) -> str:
        """The escalation in a few words, without times."""
        told = f"level {self.level} of {self.last_level} was told" if self.level else "nobody was told yet"
        again = f", again ({self.loop} of {self.loops})" if self.loop else ""
        state = {
            "running": "",
            "stopped": "; it has stopped",
            "handed_over": "; another system escalates",
            "exhausted": "; everybody was told",
        }
        waits = f"; waits: {self.waits_for}" if self.waits_for else ""
        return f"{self.policy}: {told}{again}{state[self.state]}{waits}"
