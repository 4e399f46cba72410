"""The app's manifest: every command, event and scope that the code uses, and nothing more; a test holds it to that.

Source: https://docs.slack.dev/reference/app-manifest
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from governance.slack.commands import COMMAND

SCOPES: Mapping[str, tuple[str, ...]] = {
    "auth.test": (),
    "views.open": (),
    "views.update": (),
    "views.publish": (),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.getPermalink": (),
    "conversations.open": ("im:write",),
    "conversations.list": ("channels:read", "groups:read"),
    "conversations.history": ("channels:history", "groups:history"),
    "conversations.replies": ("channels:history", "groups:history"),
    "conversations.create": ("channels:manage",),
    "conversations.archive": ("channels:manage",),
    "conversations.invite": ("channels:manage",),
    "bookmarks.add": ("bookmarks:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
}
"""The scopes of the bot that each method of the Web API needs; all that this version calls.

Source: https://docs.slack.dev/reference/methods
"""
COMMAND_SCOPE = "commands"
EVENTS = ("app_home_opened",)
ADDRESS = "https://governance.example.com/slack/events"
"""Stands for the address of `gov serve` in HTTP mode."""

_HEAD = """\
# The app in Slack: api.slack.com/apps, Create New App, From a manifest. Printed by gov slack manifest.
# Socket Mode needs an app-level token with connections:write beside it (Basic Information, App-Level Tokens).
"""


def scopes() -> tuple[str, ...]:
    """Return the scopes of the bot."""
    return tuple(sorted({COMMAND_SCOPE, *(scope for needed in SCOPES.values() for scope in needed)}))


def manifest(*, socket: bool = True, address: str = ADDRESS) -> dict[str, Any]:
    """Return the manifest for Socket Mode, or for HTTP to an address."""
    url = {} if socket else {"request_url": address}
    command = {
        "command": COMMAND,
        "description": "Models in production: incidents, kill switches, who is on call",
        "usage_hint": "status | incidents | switch MODEL | help",
        "should_escape": False,
        **({} if socket else {"url": address}),
    }
    return {
        "display_information": {
            "name": "Model governance",
            "description": "Incidents of models in production, and what to do about them",
            "background_color": "#1d2b3a",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "governance", "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": list(scopes())}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS), **url},
            "interactivity": {"is_enabled": True, **url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket,
            "token_rotation_enabled": False,
        },
    }


def manifest_text(address: str = "") -> str:
    """Return the manifest as YAML, for Socket Mode or, with an address, for HTTP."""
    made = manifest(socket=not address, **({"address": address} if address else {}))
    return f"{_HEAD}{yaml.safe_dump(made, sort_keys=False, width=120)}"
