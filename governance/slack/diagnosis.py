"""What `gov doctor slack` looks at: tokens, scopes, the socket, and whether the app is in its channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from governance import settings
from governance.actions.slack import SlackConfig
from governance.core.organisation import Organisation
from governance.slack.app import quiet
from governance.slack.manifest import scopes
from governance.slack.people import account

_SECONDS = 10
_PAGE, _PAGES = 1000, 20
_AWAY = (SlackClientError, OSError)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: whether it is well (None: cannot be told), what was seen, what to do."""

    ok: bool | None
    name: str
    seen: str
    do: str = ""


def checks(organisation: Organisation, config: SlackConfig, channels: Sequence[str] = ()) -> list[Check]:
    """Look at one Slack notifier; `channels` are those that cards name beside its own."""
    return list(_checks(organisation, config, tuple(dict.fromkeys([config.channel, *channels]))))


def _checks(organisation: Organisation, config: SlackConfig, channels: Sequence[str]) -> Iterator[Check]:
    token = settings.secret(config.bot_token_env)
    if not token:
        do = f"set {config.bot_token_env} to the bot token (xoxb-…) of the app: Install App, in its settings"
        yield _wrong("bot token", f"{config.bot_token_env} is not set", do)
    else:
        client = WebClient(token, config.address, timeout=_SECONDS, logger=quiet())
        found = list(_bot(client, config))
        yield from found
        if found[0].ok:
            yield from _channels(client, channels)
    yield from (_socket(config),) if config.mode == "socket" else (_secret(config),)
    yield _people(organisation)


def _bot(client: WebClient, config: SlackConfig) -> Iterator[Check]:
    try:
        answer = client.auth_test()
    except _AWAY as error:
        do = f"make a new one if it was revoked, and set {config.bot_token_env}"
        yield _wrong("bot token", _said(error), do)
        return
    yield _well("bot token", f"{answer.get('user', 'the app')} in {answer.get('team', 'a workspace')}")
    header = next((value for name, value in answer.headers.items() if name.lower() == "x-oauth-scopes"), None)
    if header is None:
        yield _open("scopes", "Slack does not say which scopes the token has")
        return
    has = {each.strip() for each in header.split(",")}
    missing = sorted(set(scopes()) - has)
    if missing:
        do = "take docs/slack-manifest.yaml as the app's manifest (App Manifest), then install the app anew"
        yield _wrong("scopes", f"missing: {', '.join(missing)}", do)
    else:
        yield _well("scopes", f"all {len(scopes())}")


def _channels(client: WebClient, wanted: Sequence[str]) -> Iterator[Check]:
    try:
        known = _listed(client)
    except _AWAY as error:
        yield _open("channels", f"cannot be listed: {_said(error)}")
        return
    for channel in wanted:
        bare = channel.removeprefix("#")
        member = known.get(bare)
        name = f"channel {channel}"
        if member is None:
            do = "create it, or correct its name; a private one is only seen once the app is invited"
            yield _wrong(name, "there is none of that name that the app can see", do)
        elif not member:
            yield _wrong(name, "the app is not in it", "in that channel, say /invite and the app's name")
        else:
            yield _well(name, "the app is in it")


def _listed(client: WebClient) -> dict[str, bool]:
    """Return by name and id whether the app is in a channel."""
    known: dict[str, bool] = {}
    cursor = ""
    for _ in range(_PAGES):
        page = client.conversations_list(
            types="public_channel,private_channel", exclude_archived=True, limit=_PAGE, cursor=cursor or None
        )
        for each in page.get("channels") or []:
            member = bool(each.get("is_member"))
            known[str(each.get("name", ""))] = known[str(each.get("id", ""))] = member
        cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            break
    return known


def _socket(config: SlackConfig) -> Check:
    token, name = settings.secret(config.app_token_env), "socket"
    if not token:
        do = f"make an app-level token with connections:write (Basic Information) and set {config.app_token_env}"
        return _wrong(name, f"{config.app_token_env} is not set, so that clicks do not arrive", do)
    try:
        WebClient(None, config.address, timeout=_SECONDS, logger=quiet()).apps_connections_open(app_token=token)
    except _AWAY as error:
        return _wrong(name, _said(error), "turn on Socket Mode, and give the token the scope connections:write")
    return _well(name, "can be opened")


def _secret(config: SlackConfig) -> Check:
    if settings.secret(config.signing_secret_env):
        return _well("signing secret", f"{config.signing_secret_env} is set")
    do = f"set {config.signing_secret_env} to the app's signing secret (Basic Information)"
    return _wrong("signing secret", "it is not set, so that everything Slack sends is refused", do)


def _people(organisation: Organisation) -> Check:
    people = organisation.people
    users: dict[str, list[str]] = {}
    for name, each in people.items():
        if each.slack:
            users.setdefault(account(each.slack), []).append(name)
    odd = users.pop("", [])
    twice = [" and ".join(names) for names in users.values() if len(names) > 1]
    if odd or twice:
        unknown = [f"{each} has no id of an account as `slack`" for each in odd]
        seen = "; ".join([*unknown, *(f"{each} have one account" for each in twice)])
        return _wrong("people", seen, "in Slack: the person's profile, ⋮, Copy member ID; write it in org.yaml")
    others = len(people) - len(users)
    return _well("people", f"{len(users)} of {len(people)} in org.yaml; {others} link themselves by a code")


def _well(name: str, seen: str) -> Check:
    return Check(ok=True, name=name, seen=seen)


def _wrong(name: str, seen: str, do: str) -> Check:
    return Check(ok=False, name=name, seen=seen, do=do)


def _open(name: str, seen: str) -> Check:
    return Check(ok=None, name=name, seen=seen)


def _said(error: Exception) -> str:
    if isinstance(error, SlackApiError):
        return f"Slack refuses it: {error.response.get('error', 'without a word')}"
    return f"Slack does not answer: {type(error).__name__}"
