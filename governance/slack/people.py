"""Who in Slack is whom: a Slack account and the person of the organisation whose it is."""

from __future__ import annotations

import re

from governance.core.authority import Actor
from governance.engine.parts import Engine
from governance.slack.blocks import escaped
from governance.store import slack_links

_ACCOUNT = re.compile(r"[UW][A-Z0-9]{2,30}")


def person_of(engine: Engine, user: str) -> Actor | None:
    """Return the person whose Slack account this is, None while nobody said so.

    What org.yaml says counts before what people linked themselves.
    """
    named = [name for name, each in engine.organisation.people.items() if account(each.slack or "") == user]
    if len(named) == 1:
        return actor(named[0])
    if named:
        return None  # an account that org.yaml gives to two people is neither
    with engine.database.read() as connection:
        link = slack_links.of(connection, user)
    return actor(link.person) if link is not None else None


def actor(person: str) -> Actor:
    """Return a person who acts in Slack; what they may do is decided as everywhere."""
    return Actor(person, channel="slack")


def account(text: str) -> str:
    """Return the id of a Slack account as org.yaml may write it (U012AB3CD, <@U012AB3CD>), "" for a name."""
    bare = text.strip().removeprefix("<").removesuffix(">").removeprefix("@")
    return bare if _ACCOUNT.fullmatch(bare) else ""


def called(engine: Engine, person: str) -> str:
    """Return a person for mrkdwn: their name here, as a mention where org.yaml names their account."""
    found = engine.organisation.people.get(person)
    user = account(found.slack or "") if found is not None else ""
    return f"<@{user}>" if user else escaped(person, 200)
