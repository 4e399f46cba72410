"""The settings of Slack. What is told there is a projection of each incident, kept by a worker of its own."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from governance import settings
from governance.core.document import Flag
from governance.core.effect import Effect, Receipt


class SlackConfig(BaseModel):
    """Where incidents are told, and which environment variables hold the tokens of the app.

    `mode`: clicks and commands come through a socket that we open, or by HTTP to us. `loopback`: `address` may mean
    this machine.
    """

    model_config = ConfigDict(extra="forbid")
    channel: str
    bot_token_env: str = "SLACK_BOT_TOKEN"  # noqa: S105 (the name of a variable)
    app_token_env: str = "SLACK_APP_TOKEN"  # noqa: S105
    signing_secret_env: str = "SLACK_SIGNING_SECRET"  # noqa: S105
    mode: Literal["socket", "http"] = "socket"
    address: str = "https://slack.com/api/"
    incident_channels: Literal["off", "critical"] = "off"
    loopback: Flag = False

    @field_validator("channel")
    @classmethod
    def _named(cls, channel: str) -> str:
        if not channel.removeprefix("#"):
            raise ValueError("name the channel, such as #ml-incidents, or give its id")
        return channel

    @field_validator("address")
    @classmethod
    def _api(cls, address: str) -> str:
        if not address.startswith(("https://", "http://")):
            raise ValueError("must begin with https:// or http://")
        return address.rstrip("/") + "/"


class Slack:
    """A place and people: its worker posts one message per incident, edits it, and fills the thread below it."""

    Config: ClassVar[type[BaseModel]] = SlackConfig
    FOLDS: ClassVar[str] = "channel"
    REACHES: ClassVar[frozenset[str]] = frozenset({"place", "people"})
    DELIVERS_ITSELF: ClassVar[bool] = True

    def __init__(self, config: SlackConfig) -> None:
        self.config = config

    @classmethod
    def configured(cls, config: SlackConfig, directory: Path) -> Slack:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the action from its settings."""
        return cls(config)

    @property
    def bot_token(self) -> str:
        """The token that messages are posted with, "" when its variable is not set."""
        return settings.secret(self.config.bot_token_env)

    def perform(self, effect: Effect) -> Receipt:
        """Say that only a running engine tells Slack: what is due waits for its worker."""
        return Receipt(delivered=False, detail=f"INC-{effect.incident} waits for the Slack worker of gov serve")
