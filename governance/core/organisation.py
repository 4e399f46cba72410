"""The organisation: people, teams, notifiers, sources, systems to act on, and how incidents are grouped."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator

from governance.core.alive import Alive, Canary
from governance.core.document import Count, Document, Duration, Share
from governance.core.escalation_policy import EscalationPolicy
from governance.core.schedule import Schedule


class Person(Document):
    """Somebody who acts; the key in `people` is the id that the log records, `subject` the `sub` of their sign-on."""

    email: str | None = None
    slack: str | None = None
    subject: str | None = None


class Team(Document):
    """Members, and the leads among them."""

    members: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()


Role = Literal["viewer", "responder", "approver", "admin"]
"""What people may do, each more than the one before; core/authority.py says what each act needs."""


class Grant(Document):
    """A role for people or teams: everywhere, or for the models that have these labels (or the name `model`)."""

    role: Role
    who: tuple[str, ...]
    models: dict[str, str] = Field(default_factory=dict)


class Automation(Document):
    """How much rules may pull by themselves within `window`: so many models, or that share of all if it is more."""

    models: Count = 3
    share: Share = 0.1
    window: Duration = timedelta(minutes=15)


class Plugin(Document):
    """A source, a notifier or a system to act on: its `kind` and the kind's own settings, checked by the plug-in."""

    model_config = ConfigDict(extra="allow")
    kind: str

    def settings(self) -> dict[str, Any]:
        """Return the settings beside `kind`."""
        return dict(self.__pydantic_extra__ or {})


SystemName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
"""How steps of runbooks name a system: `act: <name>.<operation>`."""


class Grouping(Document):
    """Which findings share an incident, and for how long a resolved one re-opens."""

    group_by: tuple[Literal["model", "pack", "rule"], ...] = ("model",)
    reopen_within: Duration = timedelta(hours=1)


class CycleTimes(Document):
    """How often the engine looks, and how far back it makes up for cycles that it missed."""

    every: Duration = timedelta(minutes=1)
    catch_up: Duration = timedelta(days=1)

    @field_validator("every")
    @classmethod
    def _some_time(cls, value: timedelta) -> timedelta:
        if value < timedelta(seconds=1):
            raise ValueError("the engine looks once a second at most")
        return value


class Oidc(Document):
    """Single sign-on: whose tokens are taken, for whom they are made, and which claim names the person."""

    issuer: str
    audience: str
    claim: Literal["email", "sub"] = "email"

    @field_validator("issuer")
    @classmethod
    def _safe(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not parts.hostname or parts.scheme not in ("https", *(("http",) if local else ())):
            raise ValueError("must begin with https:// (http:// only on loopback) and name a host")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("must be an address without query, fragment and password")
        return issuer


class Identity(Document):
    """How people prove who they are, beside tokens of our own."""

    oidc: Oidc | None = None


class Organisation(Document):
    """One engine governs one environment of one organisation."""

    environment: str = "production"
    people: dict[str, Person] = Field(default_factory=dict)
    teams: dict[str, Team] = Field(default_factory=dict)
    roles: tuple[Grant, ...] = ()
    identity: Identity = Identity()
    automation: Automation = Automation()
    schedules: dict[str, Schedule] = Field(default_factory=dict)
    escalations: dict[str, EscalationPolicy] = Field(default_factory=dict)
    notifiers: dict[str, Plugin] = Field(default_factory=dict)
    sources: dict[str, Plugin] = Field(default_factory=dict)
    acts: dict[SystemName, Plugin] = Field(default_factory=dict)
    incidents: Grouping = Grouping()
    cycle: CycleTimes = CycleTimes()
    alive: Alive | None = None
    canary: Canary | None = None
