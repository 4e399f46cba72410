"""Letting a version of the policies rule again that ruled before: what is asked and sent; nothing here draws."""

from __future__ import annotations

from governance.client import Client
from governance.views import AppliedView, VersionView
from tui.form import Asked, Said
from tui.text import fact, safe

NAMED = 7
"""Letters of a version that are typed to let it rule again."""


def going_back(version: VersionView, running: VersionView | None) -> Asked:
    """Let a version of the policies rule again; where that loosens tier 1 a second person is asked first."""

    def send(client: Client, said: Said, key: str) -> str:
        del said
        return _became(client.apply({"version": version.documents}, key=key))

    now = [fact("rules now", f"[b]{running.version[:12]}[/] {safe(running.summary)}")] if running is not None else []
    lines = [
        fact("again", f"[b]{version.version[:12]}[/] {safe(version.summary)}"),
        fact("ruled from", f"{version.at:%Y-%m-%d %H:%M}Z [$muted]by {safe(version.by or version.how)}[/]"),
        *now,
        "all policies are then as they were in it; [$warning]where that loosens tier 1 a second person must approve[/]",
    ]
    name = version.version[:NAMED]
    return Asked(f"Let {name} rule again", "\n".join(lines), "Go back", send, "policy.apply", typed=name)


def _became(done: AppliedView) -> str:
    if done.outcome == "waiting":
        return f"{done.approval} is asked for; a second person must approve: {', '.join(done.who_may) or 'nobody'}"
    said = "rules already" if done.outcome == "unchanged" else "rules again"
    return f"version {done.version[:12]} {said}"
