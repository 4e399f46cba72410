"""An engine's answers to the terminal app, over HTTP, from a process of its own: reading them counts, making them not.

    python played.py MODELS CHANGES    prints the port; so many models change each second

Each change is another judgement of a model, and now and then one that can no longer be judged, so that rows move. What
changed since an instant is told as the engine tells it: also what the asker has heard of before.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from one_model import about, timeline

from governance.api.tagged import tagged
from governance.engine.overview import place, tallies
from governance.engine.worst_metric import thinned
from governance.views import FindingView, FleetRow, FleetView, IncidentView, MetricView, Page, View, WhoamiView

STRIDE = 7919
"""A prime, by which the next model to change is found."""


def row(index: int, step: int, at: datetime, opened_at: datetime) -> FleetRow:
    """Return one model as the engine tells it, after so many changes of it."""
    values = [0.1 + 0.02 * ((index + step - back) % 7) for back in range(60)][::-1]
    grave = "critical" if index % 997 == 0 else "warning" if index % 97 == 0 else ""
    quiet = "unknown" if (index + step) % 401 == 0 else "none"
    return FleetRow(
        model=f"model-{index:05}", tier=index % 3 + 1, team=f"team-{index % 40}", severity=grave or quiet,
        mode="live", incidents=[index] if grave else [],
        worst="Inputs have drifted" if grave else "", opened_at=opened_at if grave else None,
        metric=MetricView(
            name="psi", value=values[-1], limit=0.25, failing=bool(grave), previous=values[-2], history=[*values]
        ),
        latency_p99=0.12, cost_per_1k=0.4, judged_at=at, data_at=at, outcomes={"fail": 1, "pass": 9},
    )  # fmt: skip


def thin(row: FleetRow, points: int) -> FleetRow:
    """Return a row with so many values of its metric."""
    assert row.metric is not None
    history = [*thinned([each for each in row.metric.history if each is not None], points)]
    return row.model_copy(update={"metric": row.metric.model_copy(update={"history": history})})


def incident(index: int, severity: str, at: datetime) -> IncidentView:
    """Return the open incident of a model."""
    finding = FindingView(
        rule="inputs-drifted", labels={"feature": "income"}, kind="rule", severity=severity, peak=severity,
        summary="Inputs have drifted: psi 0.41 is above 0.25", since=at, ended=None, times=1, basis="",
        values={"metrics.psi": 0.41}, story=[], remedy="Look.",
    )  # fmt: skip
    return IncidentView(
        id=index, model=f"model-{index:05}", status="triggered", severity=severity, peak=severity,
        title="Inputs have drifted", opened_at=at, changed_at=at, resolved_at=None, acknowledged_by="",
        resolved_by="", reopened=0, version=1, findings=[finding] * 3,
    )  # fmt: skip


class Fleet:
    """Models of which some change each second."""

    def __init__(self, models: int, changes: int) -> None:
        """Judge all once."""
        self._models, self._changes, self._lock = models, changes, threading.Lock()
        self.began, self._told = datetime.now(UTC), 0
        self._rows = [row(index, 0, self.began, self._opened(index)) for index in range(models)]
        grave = [(index, "critical" if index % 997 == 0 else "warning") for index in range(models)]
        grave = [(index, severity) for index, severity in grave if index % 997 == 0 or index % 97 == 0]
        self.incidents = {index: incident(index, severity, self._opened(index)) for index, severity in grave}

    def page(self, limit: int, cursor: str, since: str, points: int) -> FleetView:
        """Return a part of the fleet, worst first; a cursor is the place of a row, whatever moves meanwhile."""
        with self._lock:
            now = datetime.now(UTC)
            self._go_on(now)
            news = {self._which(number) for number in range(int(since), self._told)} if since else range(self._models)
            ordered, state = sorted((self._rows[each] for each in news), key=place), str(self._told)
        after = [each for each in ordered if place(each) > tuple(json.loads(cursor))] if cursor else ordered
        items = after[:limit]
        return FleetView(
            environment="bench", as_of=now, judged_at=now, policy_version="1", state=state, whole=not since,
            tallies=tallies(ordered), items=[thin(each, points) for each in items],
            next=json.dumps(place(items[-1])) if len(after) > limit else None,
        )  # fmt: skip

    def of(self, model: str) -> FleetRow:
        """Return the row of a model."""
        with self._lock:
            return self._rows[int(model.removeprefix("model-"))]

    def _go_on(self, now: datetime) -> None:
        due = int((now - self.began).total_seconds() * self._changes)
        for number in range(self._told, due):
            at = self.began + timedelta(seconds=number / self._changes)
            self._rows[self._which(number)] = row(
                self._which(number), 1 + number // self._models, at, self._opened(self._which(number))
            )
        self._told = due

    def _opened(self, index: int) -> datetime:
        """Return when the incident of a model was opened: within the last hours, each at another second."""
        return self.began - timedelta(seconds=60 + index)

    def _which(self, number: int) -> int:
        return number * STRIDE % self._models


class Answers(BaseHTTPRequestHandler):
    """Answers the questions of the terminal app."""

    protocol_version, disable_nagle_algorithm, wbufsize = "HTTP/1.1", True, -1
    fleet: Fleet

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer one."""
        at = urlsplit(self.path)
        if at.path == "/v1/events":
            self._events()
            return
        query = {name: values[0] for name, values in parse_qs(at.query).items()}
        answer = tagged(self._answer(at.path, query), self.headers.get("If-None-Match", ""))
        self.send_response(answer.status_code)
        if at.path == "/v1/incidents":  # of which alone the engine gives the tag
            self.send_header("ETag", answer.headers["ETag"])
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    def _answer(self, path: str, query: dict[str, str]) -> View:
        if path == "/v1/fleet":
            points = int(query.get("points", "60"))
            return self.fleet.page(int(query["limit"]), query.get("cursor", ""), query.get("since", ""), points)
        if path == "/v1/whoami":
            return WhoamiView(
                actor="ana", kind="person", roles=[], scopes=["read"], environment="bench", read_only=False
            )
        if path.startswith("/v1/models/"):
            return about(path, self.fleet.of(path.split("/")[3]), datetime.now(UTC))
        if path.endswith("/timeline"):
            return timeline(int(query["after"]), self.fleet.began)
        known = self.fleet.incidents
        number = path.removeprefix("/v1/incidents/")
        if number.isdigit():
            return known[int(number)]
        return Page[IncidentView](items=list(known.values()) if path == "/v1/incidents" else [])

    def _events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for seq in range(1_000_000):
                event = {"seq": seq, "kind": "alert.firing", "subject": {}}
                self.wfile.write(f"id: {seq}\ndata: {json.dumps(event)}\n\n".encode())
                self.wfile.flush()
                time.sleep(1)
        except OSError:
            self.close_connection = True


def main(models: int, changes: int) -> None:
    """Serve until killed."""
    Answers.fleet = Fleet(models, changes)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
