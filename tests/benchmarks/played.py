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
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

STRIDE = 7919
"""A prime, by which the next model to change is found."""
RANKS = {"critical": 0, "warning": 1, "unknown": 2, "none": 4}


def row(index: int, step: int, at: datetime) -> dict[str, Any]:
    """Return one model as the engine tells it, after so many changes of it."""
    values = [0.1 + 0.02 * ((index + step - back) % 7) for back in range(60)][::-1]
    grave = "critical" if index % 997 == 0 else "warning" if index % 97 == 0 else ""
    quiet = "unknown" if (index + step) % 401 == 0 else "none"
    return {
        "model": f"model-{index:05}", "tier": index % 3 + 1, "team": f"team-{index % 40}", "severity": grave or quiet,
        "mode": "live", "mode_scope": "model", "share": None, "incidents": [index] if grave else [],
        "worst": "Inputs have drifted" if grave else "", "opened_at": at.isoformat() if grave else None,
        "metric": {"name": "psi", "value": values[-1], "limit": 0.25, "failing": bool(grave), "history": values},
        "latency_p99": 0.12, "cost_per_1k": 0.4, "judged_at": at.isoformat(), "data_at": at.isoformat(),
        "outcomes": {"fail": 1, "pass": 9}, "waived": [],
    }  # fmt: skip


def incident(index: int, severity: str, at: datetime) -> dict[str, Any]:
    """Return the open incident of a model."""
    finding = {
        "rule": "inputs-drifted", "labels": {"feature": "income"}, "kind": "rule", "severity": severity,
        "peak": severity, "summary": "Inputs have drifted: psi 0.41 is above 0.25", "since": at.isoformat(),
        "ended": None, "times": 1, "basis": "", "values": {"metrics.psi": 0.41}, "story": [], "remedy": "Look.",
    }  # fmt: skip
    return {
        "id": index, "model": f"model-{index:05}", "status": "triggered", "severity": severity, "peak": severity,
        "title": "Inputs have drifted", "opened_at": at.isoformat(), "changed_at": at.isoformat(), "resolved_at": None,
        "acknowledged_by": "", "resolved_by": "", "reopened": 0, "version": 1, "findings": [finding] * 3,
    }  # fmt: skip


class Fleet:
    """Models of which some change each second."""

    def __init__(self, models: int, changes: int) -> None:
        """Judge all once."""
        self._models, self._changes, self._lock = models, changes, threading.Lock()
        self.began, self._told = datetime.now(UTC), 0
        self._rows: list[tuple[tuple[int, int, str], bytes]] = []
        for index in range(models):
            self._rows.append(self._written(row(index, 0, self.began)))
        grave = [(index, "critical" if index % 997 == 0 else "warning") for index in range(models)]
        grave = [(index, severity) for index, severity in grave if index % 997 == 0 or index % 97 == 0]
        self.incidents = {index: incident(index, severity, self.began) for index, severity in grave}

    def page(self, limit: int, cursor: str, since: datetime | None) -> bytes:
        """Return a part of the fleet, worst first; a cursor is the place of a row, whatever moves meanwhile."""
        with self._lock:
            now = datetime.now(UTC)
            self._go_on(now)
            found = self._rows
            if since is not None:
                first = max(int((since - self.began).total_seconds() * self._changes), 0)
                found = [self._rows[each] for each in {self._which(number) for number in range(first, self._told)}]
            ordered = sorted(found)
        counts = Counter(place[0] for place, _ in ordered)
        after = [each for each in ordered if list(each[0]) > json.loads(cursor)] if cursor else ordered
        following = json.dumps(after[limit - 1][0]) if len(after) > limit else None
        facts = {"environment": "bench", "as_of": now.isoformat(), "judged_at": now.isoformat(), "policies": ""}
        tallies = {**{name: counts[rank] for name, rank in RANKS.items()}, "not_live": 0}
        head = json.dumps({**facts, "policy_version": "1", "tallies": tallies, "next": following})
        return head[:-1].encode() + b',"items":[' + b",".join(text for _, text in after[:limit]) + b"]}"

    def _go_on(self, now: datetime) -> None:
        due = int((now - self.began).total_seconds() * self._changes)
        for number in range(self._told, due):
            at = self.began + timedelta(seconds=number / self._changes)
            self._rows[self._which(number)] = self._written(row(self._which(number), 1 + number // self._models, at))
        self._told = due

    def _which(self, number: int) -> int:
        return number * STRIDE % self._models

    def _written(self, told: dict[str, Any]) -> tuple[tuple[int, int, str], bytes]:
        return (RANKS[told["severity"]], told["tier"], told["model"]), json.dumps(told).encode()


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
        body = self._answer(at.path, query)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _answer(self, path: str, query: dict[str, str]) -> bytes:
        if path == "/v1/fleet":
            since = datetime.fromisoformat(query["since"]) if "since" in query else None
            return self.fleet.page(int(query["limit"]), query.get("cursor", ""), since)
        if path == "/v1/whoami":
            who = {"actor": "ana", "kind": "person", "roles": [], "scopes": ["read"], "environment": "bench"}
            return json.dumps({**who, "read_only": False}).encode()
        known = self.fleet.incidents
        number = path.removeprefix("/v1/incidents/")
        if number.isdigit():
            return json.dumps(known[int(number)]).encode()
        items: list[object] = list(known.values()) if path == "/v1/incidents" else []
        return json.dumps({"items": items, "next": None}).encode()

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
