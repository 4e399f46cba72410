"""Slack beside the engine: a thread for each notifier of that kind, which outlives whatever Slack does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from governance.actions.slack import Slack
from governance.engine.parts import Engine
from governance.errors import GovernanceError
from governance.store.watch import Stamp, Watching
from governance.views import ConfirmationsView

if TYPE_CHECKING:
    from governance.slack.app import Inbound
    from governance.slack.projection import Extra

BEAT = 0.1
"""Seconds between two looks whether anything was committed."""
IDLE = 1.0
"""Seconds after which it is looked anyway: some of it becomes due by the clock alone."""
LEFT = 0.3
"""Seconds after which it is looked anyway while something is left: each channel takes a message a second."""


class Worker:
    """Keeps the messages of one notifier up to date, in a thread of its own."""

    def __init__(
        self,
        step: Callable[[datetime], bool],
        watch: Watching,
        now: Callable[[], datetime],
        complain: Callable[[str], None],
    ) -> None:
        """Prepare; `step` tells whether it left something, `complain` is told once of each trouble."""
        self._step, self._watch, self._now, self._complain = step, watch, now, complain
        self._over, self._nudged = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="slack", daemon=True)
        self._trouble = ""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def nudge(self) -> None:
        """Look at once: somebody acted."""
        self._nudged.set()

    def stop(self, seconds: float = 5.0) -> None:
        """End, and wait so long for a call under way; what it leaves is found at the next start."""
        self._over.set()
        self._nudged.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        last: Stamp | None = None
        left, idle = True, 0.0
        while not self._over.is_set():
            self._nudged.wait(BEAT)
            nudged = self._nudged.is_set()
            self._nudged.clear()
            if self._over.is_set():
                break
            try:
                stamp, idle = self._watch.stamp(), idle + BEAT
                if nudged or stamp is None or stamp != last or idle >= (LEFT if left else IDLE):
                    last, idle = stamp, 0.0
                    left = self._step(self._now())
                said = ""
            except GovernanceError as error:
                left, said = True, str(error)
            except Exception as error:  # noqa: BLE001 (one bad message must not end the telling of all others)
                left, said = True, f"Slack cannot be told: {error!r}"
            self._note(said)
            if said:
                self._over.wait(IDLE)
        self._watch.close()

    def _note(self, said: str) -> None:
        if said != self._trouble:
            self._trouble = said
            self._complain(said)


@dataclass(frozen=True, slots=True)
class Connection:
    """What runs for one notifier: what tells Slack, and what hears from it."""

    slack: Slack
    worker: Worker
    inbound: Inbound

    def stop(self) -> None:
        """End both."""
        self.inbound.stop()
        self.worker.stop()


class SlackService:
    """What runs for an engine's Slack notifiers; another version of the policies may change which there are."""

    def __init__(
        self,
        engine: Engine,
        complain: Callable[[str], None],
        *,
        confirmations: Callable[[str], ConfirmationsView] | None = None,
        switched: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare; nothing runs yet. `switched` is called when somebody changed a kill switch from Slack."""
        self._engine, self._complain = engine, complain
        self._confirmations, self._switched = confirmations, switched
        self.connections: dict[str, Connection] = {}
        self._lock, self._over = threading.Lock(), True

    def start(self) -> None:
        """Begin, and follow the policies from now on."""
        self._over = False
        self._engine.adopted.append(self._follow)
        self._follow()

    def stop(self) -> None:
        """End everything."""
        with self._lock:
            self._over = True
            for each in self.connections.values():
                each.stop()
            self.connections = {}

    def nudge(self, incident: int = 0) -> None:
        """Let what tells Slack look at once, as somebody acted on an incident."""
        del incident  # the log says which
        for each in list(self.connections.values()):
            each.worker.nudge()

    def _follow(self) -> None:
        """Run a connection for each notifier as it is configured now."""
        with self._lock:
            if self._over:
                return
            wanted = {name: each for name, each in self._engine.notifiers.items() if isinstance(each, Slack)}
            kept = {name: each for name, each in self.connections.items() if wanted.get(name) is each.slack}
            for name, each in self.connections.items():
                if name not in kept:
                    each.stop()
            self.connections = {name: kept.get(name) or self._begun(name, each) for name, each in wanted.items()}

    def _begun(self, name: str, slack: Slack) -> Connection:
        from governance.slack.app import Inbound  # bolt is only loaded where there is a Slack
        from governance.slack.cards import Cards
        from governance.slack.desk import Follow
        from governance.slack.outbox import Outbox
        from governance.slack.pictures import Pictures
        from governance.slack.rooms import Rooms
        from governance.slack.sender import Sender

        config = slack.config
        sender = Sender(slack.bot_token, config.address, loopback=config.loopback)
        extras: list[Extra] = [Cards(self._engine, sender), Pictures(self._engine, sender, self._complain)]
        if config.incident_channels == "critical":
            extras.append(Rooms(self._engine, sender, self._complain))
        outbox = Outbox(self._engine, name, slack, sender, self._complain, extras=extras)
        worker = Worker(outbox.step, self._engine.database.watch(), self._engine.clock.now, self._complain)
        follow = Follow(drawn=self.nudge, switched=self._switched)
        if self._confirmations is not None:
            follow = replace(follow, confirmations=self._confirmations)
        inbound = Inbound(self._engine, config, follow, self._complain)
        worker.start()
        inbound.start()
        return Connection(slack, worker, inbound)
