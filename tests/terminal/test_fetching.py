"""The fleet is fetched in parts, while models move from one place to another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from governance.client import Client
from governance.views import FleetRow, FleetView
from tui.known import Kept

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def row(model: str, severity: str = "none") -> FleetRow:
    return FleetRow(model=model, tier=1, team="t", severity=severity, mode="live")


def part(rows: list[FleetRow], following: str | None, **more: object) -> FleetView:
    facts = {"environment": "test", "as_of": NOW, "judged_at": NOW, "policy_version": "1", "tallies": {}}
    return FleetView.model_validate({**facts, "items": rows, "next": following, **more})


FIRST = part([row("z", "critical"), row("b")], "behind-b")
SECOND = part([row("c"), row("z")], None)
"""Between the two `z` has recovered, and stands behind the others now."""


CHANGED = part([row("b", "warning")], "behind-b", whole=False)
"""What one engine tells of what changed; another one, which answers from then on, knows of no such state."""


class Moving(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = SECOND if "behind-b" in self.path else CHANGED if "old" in self.path else FIRST
        body = found.model_dump_json().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Moving)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_model_that_moves_between_two_parts_is_listed_once_as_it_is_now(url: str) -> None:
    with Client(url) as client:
        found = client.fleet()
        again = Kept(found).merge(client.fleet("some state"))
    assert [(each.model, each.severity) for each in found.items] == [("b", "none"), ("c", "none"), ("z", "none")]
    assert [each.model for each in again.items] == ["b", "c", "z"]
    assert (again.tallies["critical"], again.tallies["none"]) == (0, 3)


def test_where_another_engine_tells_the_second_part_of_what_changed_all_is_fetched_anew(url: str) -> None:
    with Client(url) as client:
        found = client.fleet("old")
    assert found.whole
    assert [(each.model, each.severity) for each in found.items] == [("b", "none"), ("c", "none"), ("z", "none")]
