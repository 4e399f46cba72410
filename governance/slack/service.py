"""Slack beside the engine: a thread for each notifier of that kind, which outlives whatever Slack does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from governance.actions.slack import Slack
from governance.engine.parts import Engine
from governance.errors import GovernanceError
from governance.slack.outbox import Outbox
from governance.slack.sender import Sender
from governance.store.watch import Stamp, Watch

BEAT = 0.1
"""Seconds between two looks whether anything was committed."""
IDLE = 1.0
"""Seconds after which it is looked anyway: some of it becomes due by the clock alone."""


class Worker:
    """Keeps the messages of one notifier up to date, in a thread of its own."""

    def __init__(
        self, outbox: Outbox, watch: Watch, now: Callable[[], datetime], complain: Callable[[str], None]
    ) -> None:
        """Prepare; `complain` is told once of each trouble with the database."""
        self._outbox, self._watch, self._now, self._complain = outbox, watch, now, complain
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
                if nudged or left or stamp is None or stamp != last or idle >= IDLE:
                    last, idle = stamp, 0.0
                    left = self._outbox.step(self._now())
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


class SlackService:
    """The workers of an engine's Slack notifiers; another version of the policies may change which there are."""

    def __init__(self, engine: Engine, complain: Callable[[str], None]) -> None:
        """Prepare; nothing runs and nothing is asked yet."""
        self._engine, self._complain = engine, complain
        self._workers: dict[str, tuple[Slack, Worker]] = {}
        self._lock, self._over = threading.Lock(), True

    def start(self) -> None:
        """Begin, and follow the policies from now on."""
        self._over = False
        self._engine.adopted.append(self._follow)
        self._follow()

    def stop(self) -> None:
        """End every worker."""
        with self._lock:
            self._over = True
            for _, worker in self._workers.values():
                worker.stop()
            self._workers.clear()

    def nudge(self) -> None:
        """Let every worker look at once."""
        for _, worker in list(self._workers.values()):
            worker.nudge()

    def _follow(self) -> None:
        """Run a worker for each notifier as it is configured now."""
        with self._lock:
            if self._over:
                return
            wanted = {name: each for name, each in self._engine.notifiers.items() if isinstance(each, Slack)}
            for name, (slack, worker) in list(self._workers.items()):
                if wanted.get(name) is not slack:
                    worker.stop()
                    del self._workers[name]
            for name, slack in wanted.items():
                if name not in self._workers:
                    self._workers[name] = (slack, self._begun(name, slack))

    def _begun(self, name: str, slack: Slack) -> Worker:
        sender = Sender(slack.bot_token, slack.config.address, loopback=slack.config.loopback)
        outbox = Outbox(self._engine, name, slack, sender, self._complain)
        worker = Worker(outbox, Watch(self._engine.database.path), self._engine.clock.now, self._complain)
        worker.start()
        return worker
