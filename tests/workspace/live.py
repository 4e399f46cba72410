"""An engine, its API, and both directions of Slack at work in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from interfaces.inside import Inside, inside
from workspace.server import Workspace, wait
from workspace.world import CARD, organisation

from governance.actions.slack import Slack
from governance.engine import pushing
from governance.engine.loop import step
from governance.slack.app import Inbound
from governance.slack.desk import Follow
from governance.slack.outbox import Outbox
from governance.slack.pace import Pace
from governance.slack.sender import Sender
from governance.slack.service import Worker
from governance.store.pushed import PushedSample
from governance.store.watch import Watch


class Live:
    """Both directions at work; the clock of the engine is the test's."""

    def __init__(self, inside_: Inside, slack: Workspace) -> None:
        self.inside, self.engine, self.slack = inside_, inside_.engine, slack
        self.said: list[str] = []
        notifier = self.engine.notifiers["slack"]
        assert isinstance(notifier, Slack)
        sender = Sender(slack.bot_token, slack.address, loopback=True, seconds=5)
        outbox = Outbox(self.engine, "slack", notifier, sender, self.said.append, Pace(spacing=0))
        self._worker = Worker(outbox.step, Watch(self.engine.database.path), self.engine.clock.now, self.said.append)
        follow = Follow(drawn=lambda _: self._worker.nudge(), switched=inside_.service.board.refresh)
        self.inbound = Inbound(self.engine, notifier.config, follow, self.said.append)

    def start(self) -> None:
        """Begin, and wait until Slack is connected and told what was before."""
        self._worker.start()
        self.inbound.start()
        wait(lambda: self.slack.proxy.connected and self.inbound.connected, "the socket")

    def stop(self) -> None:
        """End."""
        self._worker.stop()
        self.inbound.stop()
        self.engine.database.close()

    def judge(self, value: float, *models: str) -> None:
        """Let a second pass, push a value of these models' error rate, and do all that is due."""
        at = self.inside.clock.on(seconds=1)
        samples = [PushedSample(model, "error_rate", at, value) for model in models]
        pushing.push(self.engine, "pushed", samples, key=f"k{at.isoformat()}", actor="test", at=at)
        step(self.engine, at)

    def breach(self, model: str) -> dict[str, Any]:
        """Let a model err, and return the message that everyone sees of it."""
        before = len(self.slack.messages())
        self.judge(0.9, model)
        return wait(lambda: self.slack.messages()[before:], f"a message for {model}; {self.said}")[0]

    def shown(self, message: dict[str, Any], words: str) -> dict[str, Any]:
        """Return a message as it is once it says these words."""

        def found() -> dict[str, Any] | None:
            now = next(each for each in self.slack.messages(message["channel"]) if each["ts"] == message["ts"])
            return now if words in now["text"] else None

        try:
            return wait(found, words)
        except AssertionError:
            print("the channel shows", [each["text"] for each in self.slack.messages()], self.said)
            raise


@contextmanager
def live(folder: Path, slack: Workspace, *models: str, **more: Any) -> Iterator[Live]:
    """Run it over policies of these models until the block ends."""
    documents = {"org": organisation(slack, **more), **{model: {**CARD, "model": model} for model in models}}
    files = {f"{name}.yaml": yaml.safe_dump(each, sort_keys=False) for name, each in documents.items()}
    made = Live(inside(folder, files), slack)
    made.start()
    try:
        yield made
    finally:
        made.stop()
