"""Kill switches set from outside the serving process, as another process of the engine would."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from interfaces.serving import FILES, Served

from governance.core.switch import Mode, Scope, Setting, changed
from governance.store import switches
from governance.store.database import Database

CARD = """
kind: card
model: {0}
owners: {{team: t, accountable: ana}}
versions: {{serving: "3", fallback: rules}}
metrics: {{errors: {{source: pushed, query: error_rate, every: 1h, stale_after: 1d}}}}
"""
MODELS = {**FILES, **{f"{name}.yaml": CARD.format(name) for name in ("fraud", "churn")}}
FLAGS = "/ofrep/v1/evaluate/flags"
JSON = {"Content-Type": "application/json"}


def switched(
    served: Served,
    model: str,
    mode: Mode = "fallback",
    *,
    share: float = 1.0,
    scope: Scope = Scope(),  # noqa: B008
) -> int:
    """Set a scope of a switch, in the database alone; return the number of the change."""
    now = datetime.now(UTC)
    setting = Setting(scope, mode, share, "a test", "ana", now, fallback="rules", expires_at=now + timedelta(hours=1))
    database = Database(f"sqlite:///{served.directory / '.gov' / 'governance.db'}")
    with database.transaction() as connection:
        seq = switches.next_seq(connection)
        before = switches.get(connection, model)
        switches.save(connection, changed(before, scope, setting if mode != "live" else None, seq=seq, at=now))
    database.close()
    return seq


def evaluated(served: Served, key: str, context: Any = None) -> dict[str, Any]:
    """Return the answer about one flag."""
    answer = served.http.post(f"{FLAGS}/{key}", content=json.dumps({"context": context or {}}), headers=JSON)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def known(served: Served, model: str, seq: int) -> None:
    """Wait until the serving process knows of a change."""
    end = time.monotonic() + 20
    while evaluated(served, f"{model}.mode")["metadata"]["seq"] < seq:
        assert time.monotonic() < end, f"the change {seq} of {model} is not seen: {served.printed}"
        time.sleep(0.005)


def locked(directory: Path) -> closing[sqlite3.Connection]:
    """Keep everybody from the database until the connection is closed, readers too."""
    connection = sqlite3.connect(directory / ".gov" / "governance.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return closing(connection)
