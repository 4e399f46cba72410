"""The manifest says what the code uses, and nothing more; and the doctor tells what of it is missing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml
from bolt.office import Office
from interfaces.serving import ask
from slack_sdk import WebClient

import governance.slack
from governance.slack.app import EVENT
from governance.slack.commands import COMMAND
from governance.slack.diagnosis import checks
from governance.slack.manifest import SCOPES, manifest, manifest_text, scopes

ROOT = Path(__file__).parents[2]
SPECIAL = {
    "files_upload_v2": ("files.getUploadURLExternal", "files.completeUploadExternal"),
    "apps_connections_open": ("apps.connections.open",),
}
OF_THE_APP = {"apps.connections.open"}
"""Asked with the app's token, which has a scope of its own."""


def called() -> set[str]:
    """Return the methods of the Web API that the package names."""
    found: set[str] = set()
    for file in Path(governance.slack.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and "_" in node.attr and callable(getattr(WebClient, node.attr, None)):
                found.update(SPECIAL.get(node.attr, (node.attr.replace("_", ".", 1),)))
    return {each for each in found if not each.startswith(".")}


def test_the_file_is_what_the_code_says() -> None:
    text = (ROOT / "docs/slack-manifest.yaml").read_text(encoding="utf-8")
    assert text == manifest_text()
    assert yaml.safe_load(text) == manifest()


def test_it_is_printed_as_a_file(tmp_path: Path) -> None:
    said = ask(tmp_path, "slack", "manifest")
    assert (said.returncode, said.stdout) == (0, manifest_text())


def test_every_method_that_is_called_has_its_scopes_and_no_other_is_named() -> None:
    assert called() - OF_THE_APP == set(SCOPES)
    assert manifest()["oauth_config"]["scopes"]["bot"] == list(scopes())


def test_every_command_and_event_is_declared_and_there_is_no_shortcut() -> None:
    said = manifest()
    assert [each["command"] for each in said["features"]["slash_commands"]] == [COMMAND]
    assert said["settings"]["event_subscriptions"]["bot_events"] == [EVENT]
    assert "shortcuts" not in said["features"]
    source = (Path(governance.slack.__file__).parent / "app.py").read_text(encoding="utf-8")
    kinds = {each.func.attr for each in ast.walk(ast.parse(source)) if _is_of_app(each)}
    assert kinds == {"middleware", "action", "view", "command", "event", "error", "dispatch"}


def test_over_http_each_part_names_the_address() -> None:
    said = yaml.safe_load(manifest_text("https://gov.example.com/slack/events"))
    assert said["settings"]["socket_mode_enabled"] is False
    assert [
        said["settings"]["interactivity"]["request_url"],
        said["settings"]["event_subscriptions"]["request_url"],
        said["features"]["slash_commands"][0]["url"],
    ] == ["https://gov.example.com/slack/events"] * 3


def test_the_doctor_finds_what_is_missing(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    config, organisation = at.inbound.config, at.desk.engine.organisation
    at.web.headers["X-OAuth-Scopes"] = ",".join(each for each in scopes() if each != "files:write")
    channels = [{"id": "C1", "name": "ml-incidents", "is_member": True}, {"id": "C2", "name": "credit"}]
    at.web.answers = {"conversations.list": {"channels": channels}, "auth.test": {"user": "gov", "team": "Acme"}}
    found = {each.name: each for each in checks(organisation, config, ["#credit", "#gone"])}
    assert {name: each.ok for name, each in found.items()} == {
        "bot token": True,
        "scopes": False,
        "channel #ml-incidents": True,
        "channel #credit": False,
        "channel #gone": False,
        "signing secret": True,
        "people": True,
    }
    assert found["bot token"].seen == "gov in Acme"
    assert found["scopes"].seen == "missing: files:write"
    assert "/invite" in found["channel #credit"].do
    at.web.refusing["auth.test"] = "token_revoked"
    assert "token_revoked" in checks(organisation, config)[0].seen
    at.web.refusing["apps.connections.open"] = "not_allowed_token_type"
    socket = config.model_copy(update={"mode": "socket"})
    assert "not_allowed_token_type" in next(x for x in checks(organisation, socket) if x.name == "socket").seen
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    assert checks(organisation, config)[0].seen == "SLACK_BOT_TOKEN is not set"


def _is_of_app(node: ast.AST) -> bool:
    """Tell whether this is a call of bolt's app."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner = node.func.value
    return (isinstance(owner, ast.Name) and owner.id == "app") or (
        isinstance(owner, ast.Attribute) and owner.attr == "app"
    )
