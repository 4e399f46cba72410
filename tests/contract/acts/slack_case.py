"""A small Slack Web API, whose channels are counted in; tests/slack posts into other people's servers."""

from typing import Any, ClassVar

from contract.acts.case import Case
from contract.acts.world import Asked, Fault, Reply
from slack_web_api import WebApi

from governance.actions.slack import Slack, SlackConfig
from governance.slack.system import SlackSystem


class SlackCase(Case):
    kind = "slack"
    asks: ClassVar[dict[str, dict[str, Any]]] = {"post": {"channel": "#travel", "text": "flight-delay is back."}}
    nonsense: ClassVar[list[tuple[str, dict[str, Any], str]]] = [
        ("post", {"text": ""}, "text: String should have at least 1"),
        ("post", {"text": "x" * 3001}, "text: String should have at most 3000"),
        ("post", {"channel": "#a b"}, "channel: String should match"),
        ("post", {"blocks": []}, "blocks: Extra inputs"),
    ]
    told_apart = frozenset({"post"})
    # Slack's library has no deadline for a whole exchange, and follows redirects of what only reads.
    faults: ClassVar[tuple[Fault, ...]] = ("lost", "never", "silent", "huge", "html", "error", "busy")

    def built(self, limit: str) -> SlackSystem:
        self.api = WebApi()
        self.world.acts = lambda asked: asked.path.endswith("chat.postMessage")
        address = f"{self.world.address}/api/"
        slack = Slack(SlackConfig(channel="#ml-incidents", bot_token_env="CASE_SECRET", address=address))  # noqa: S106
        return SlackSystem(slack=slack, seconds=20 if limit.endswith("0s") else 1)

    def answer(self, asked: Asked) -> Reply:
        given = {**asked.query, **(asked.json if asked.content else {})}
        before = self.posted
        status, body, headers = self.api.answer(asked.path.rpartition("/")[2], given)
        self.world.did["post"] += self.posted - before
        return Reply(status, body, headers)

    @property
    def posted(self) -> int:
        return sum(map(len, self.api.messages.values()))
