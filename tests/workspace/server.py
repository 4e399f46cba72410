"""A Slack workspace to test in: local-slack behind the proxy, and what people do and see there.

The server is a program of others (npm: local-slack-linux-x64). It listens on every interface, so it runs in a network
namespace of its own where the tests may make one (root); elsewhere it is as open as it is.
It keeps no metadata of messages and no `reply_broadcast`; the calls that the proxy noted show them.
"""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from contract.sources.programs import free_port
from workspace.faults import Faults
from workspace.proxy import Call, Proxy
from workspace.screen import Screen

PACKAGE = Path(__file__).parent.parent / "clients" / "node" / "node_modules"
BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-of-the-tests", "xapp-of-the-tests", "a-secret-of-the-tests"
PEOPLE = {"ann": "U0ANN", "bob": "U0BOB", "cy": "U0CY", "dee": "U0DEE"}
CHANNELS = {"ml-incidents": "C0ML", "credit": "C0CREDIT", "travel": "C0TRAVEL"}
T = TypeVar("T")
PATIENCE = 20.0
"""Seconds that a test waits for what should be there in one."""


def package(path: str) -> Path:
    """Return a file of the npm packages; without it the test is skipped with a sentence, or fails where CI is true."""
    found = PACKAGE / path
    if not found.exists():
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing(f"{path} is missing: run make tests/clients/node/node_modules/.ready")
    return found


class Workspace:
    """A Slack workspace with one app, four people and three channels."""

    def __init__(self, proxy: Proxy, screen: Screen) -> None:
        self.proxy = proxy
        self.screen = screen
        self.address = f"{proxy.url}api/"
        self.bot_token, self.app_token, self.signing_secret = BOT_TOKEN, APP_TOKEN, SIGNING_SECRET

    @property
    def faults(self) -> Faults:
        """What goes wrong on the way to it."""
        return self.proxy.faults

    @property
    def environment(self) -> dict[str, str]:
        """The credentials as our settings read them."""
        return {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        }

    def settings(self, channel: str = "#ml-incidents", **more: Any) -> dict[str, Any]:
        """Return a notifier of kind slack that talks to this workspace."""
        return {"kind": "slack", "channel": channel, "address": self.address, "loopback": True, **more}

    def reset(self) -> None:
        """Forget every message, window, call and fault; the people and channels stay."""
        self.faults.end()
        self._control("reset", {})
        self.proxy.calls.clear()
        self.proxy.envelopes.clear()

    # what is to be seen

    def everything(self, channel: str = "ml-incidents") -> list[dict[str, Any]]:
        """Return all messages of a channel as they are now, oldest first, those of threads and for one person too."""
        said = self._control(f"messages/{CHANNELS.get(channel, channel)}")
        messages: list[dict[str, Any]] = said["messages"]
        return messages

    def messages(self, channel: str = "ml-incidents") -> list[dict[str, Any]]:
        """Return what everyone sees in a channel without opening a thread, oldest first."""
        return [each for each in self.everything(channel) if not each.get("thread_ts") and not _private(each)]

    def thread(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the answers in a message's thread, oldest first."""
        all_of_them = self.everything(message["channel"])
        return [each for each in all_of_them if each.get("thread_ts") == message["ts"] and not _private(each)]

    def told(self, person: str, channel: str = "ml-incidents") -> list[dict[str, Any]]:
        """Return what one person alone was told in a channel."""
        return [each for each in self.everything(channel) if each.get("ephemeral_to") == PEOPLE[person]]

    def direct(self, person: str) -> list[dict[str, Any]]:
        """Return the messages that the app sent to one person."""
        channels = self._control("state")["channels"]
        own = [each["id"] for each in channels if each["is_im"] and PEOPLE[person] in each["members"]]
        return [message for channel in own for message in self.everything(channel)]

    def calls(self, *methods: str) -> list[Call]:
        """Return the requests to these methods of the Web API, in order; `*` of what failed on the way too."""
        return [call for call in list(self.proxy.calls) if not methods or call.method in methods]

    @property
    def modal(self) -> dict[str, Any] | None:
        """The window on top."""
        return self.screen.modals[-1] if self.screen.modals else None

    # what people do

    def click(self, person: str, message: dict[str, Any], action: str) -> float:
        """Click a button, or choose from the overflow menu, and return the seconds until it was acknowledged."""
        element = self._control_in(message, action)
        asked = {
            "channel": message["channel"],
            "messageTs": message["ts"],
            "user": PEOPLE[person],
            "action": element,
        }
        begun = time.perf_counter()
        self._control("interact", asked)
        return time.perf_counter() - begun

    def submit(self, person: str, **answers: str) -> None:
        """Submit the window on top; the answers are texts or values of options by the `action_id` of their inputs."""
        view = self.modal
        assert view is not None, "no window is open"
        self.screen.do("view_submit", user=PEOPLE[person], values=_values(view, answers))

    def close_modal(self, person: str) -> None:
        """Close the windows without submitting."""
        self.screen.do("view_close", user=PEOPLE[person])

    def type(self, person: str, text: str, channel: str = "ml-incidents") -> float:
        """Type a slash command (`/gov status`) and return the seconds until it was acknowledged."""
        command, _, rest = text.partition(" ")
        begun = time.perf_counter()
        asked = {"channel": CHANNELS[channel], "user": PEOPLE[person], "command": command, "text": rest}
        self._control("command", asked)
        return time.perf_counter() - begun

    def open_home(self, person: str) -> dict[str, Any]:
        """Open the app's home and return what it shows."""
        self._control("open-home", {"user": PEOPLE[person]})
        return wait(lambda: self.screen.homes.get(PEOPLE[person]), f"the home of {person}")

    def wait_for_modal(self, words: str = "") -> dict[str, Any]:
        """Return the window on top when it says these words."""
        shown = lambda: self.modal if self.modal and words in text_of(self.modal) else None  # noqa: E731
        return wait(shown, f"a window that says {words!r}")

    def _control_in(self, message: dict[str, Any], action: str) -> dict[str, Any]:
        """Return what Slack sends for a click on something that the message really shows."""
        for block in message.get("blocks") or []:
            for element in [*block.get("elements", []), *([block["accessory"]] if "accessory" in block else [])]:
                if element.get("action_id") == action:
                    return _clicked(block, element)
                for option in element.get("options", []):
                    if option["value"] == action or action in option["value"]:
                        return {**_clicked(block, element), "selected_option": option}
        raise AssertionError(f"no {action} in {json.dumps(message.get('blocks'), indent=1)}")

    def _control(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 (an address of the test)
            f"{self.proxy.url}_control/{path}", data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            said: dict[str, Any] = json.load(answer)
            return said


def wait(seen: Callable[[], T | None], what: str, seconds: float = PATIENCE) -> T:
    """Return what is seen as soon as it is there; fail with what was waited for."""
    end = time.monotonic() + seconds
    while not (found := seen()):
        assert time.monotonic() < end, f"{what} did not come within {seconds:g} s"
        time.sleep(0.05)
    return found


def text_of(shown: Any) -> str:
    """Return every text of a message, a window or a home, one a line."""
    if isinstance(shown, dict):
        own = [shown["text"]] if isinstance(shown.get("text"), str) else []
        rest = [
            text_of(value) for name, value in shown.items() if name != "message" and isinstance(value, (dict, list))
        ]
        return "\n".join(filter(None, own + rest))
    return "\n".join(filter(None, map(text_of, shown))) if isinstance(shown, list) else ""


@contextmanager
def workspace(folder: Path) -> Iterator[Workspace]:
    """Run a workspace until the block ends."""
    binary = package("local-slack-linux-x64/bin/local-slack")
    inner = free_port()
    proxy = Proxy(inner)
    config = folder / "slack.json"
    config.write_text(json.dumps(_config()))
    proxy.start([binary, "--config", config, "--port", str(inner), "--base-host", proxy.through], folder / "slack.log")
    try:
        screen = Screen(proxy.port)
        try:
            yield Workspace(proxy, screen)
        finally:
            screen.close()
    finally:
        proxy.stop()


def _config() -> dict[str, Any]:
    app = {
        "appId": "A0GOV",
        "botUserId": "U0GOV",
        "botName": "gov",
        "botToken": BOT_TOKEN,
        "appToken": APP_TOKEN,
        "signingSecret": SIGNING_SECRET,
        "mode": "socket",
    }
    people = [{"id": id_, "name": name, "email": f"{name}@example.org"} for name, id_ in PEOPLE.items()]
    everyone = [*PEOPLE.values(), "U0GOV"]
    channels = [{"id": id_, "name": name, "members": everyone} for name, id_ in CHANNELS.items()]
    return {"apps": [app], "users": people, "channels": channels}


def _private(message: dict[str, Any]) -> bool:
    return message.get("subtype") == "ephemeral"


def _clicked(block: dict[str, Any], element: dict[str, Any]) -> dict[str, Any]:
    kept = {name: element[name] for name in ("type", "action_id", "value", "text") if name in element}
    return {**kept, "block_id": block.get("block_id", "")}


def _values(view: dict[str, Any], answers: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the state of a window's inputs: what it was opened with, and the answers."""
    values: dict[str, dict[str, Any]] = {}
    for block in view["blocks"]:
        element = block.get("element") or {}
        if block["type"] == "input":
            answer = answers.pop(element["action_id"], None)
            values[block["block_id"]] = {element["action_id"]: _state(element, answer)}
    assert not answers, f"the window has no inputs {sorted(answers)}: {json.dumps(view['blocks'], indent=1)}"
    return values


def _state(element: dict[str, Any], answer: str | None) -> dict[str, Any]:
    kind = element["type"]
    if kind == "plain_text_input":
        return {"type": kind, "value": answer if answer is not None else element.get("initial_value")}
    if "options" not in element:  # a person, a date: its value under the name that Slack gives it
        name = {"users_select": "selected_user", "datetimepicker": "selected_date_time"}[kind]
        return {"type": kind, name: answer or element.get(name.replace("selected", "initial"))}
    chosen = next((option for option in element["options"] if option["value"] == answer), element.get("initial_option"))
    if kind == "checkboxes":
        return {"type": kind, "selected_options": [chosen] if chosen else element.get("initial_options", [])}
    return {"type": kind, "selected_option": chosen}
