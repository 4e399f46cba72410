"""Commands say on a PostgreSQL what they say with a file."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from contract.sources.postgresql import PASSWORD
from interfaces.serving import FILES, ask, prepared
from store.databases import fresh_url

from governance.bootstrap import engine
from governance.engine.cycle import run_cycle
from governance.engine.pushing import push
from governance.settings import Settings
from governance.store.pushed import PushedSample

COMMANDS = """
audit verify
incidents list
incidents ack 1 --as ana
incidents ack 1 --as ben
incidents show 1
incidents show 123456789012345
incidents resolve 1 --because mended --as ana
incidents timeline 1
why 1
explain loans
switch pull loans fallback --because test --as ana --confirm loans
switch list
token create --for ana --scope read --as ana
token list
plan
audit tail
export fleet --to markdown
audit proof 3
audit verify --format json
doctor database log heads
"""
SLOW = {**FILES, "org.yaml": FILES["org.yaml"].replace("every: 1s", "every: 1h")}  # nothing is late meanwhile
_SPACE = re.compile(r"[─ ]+")
_AGO = re.compile(r"just now|(?:\d+ [smh] )+ago")
_VARIES = re.compile(r"`\w+(\.db)?\.heads`|[0-9a-f]{12,}…?|gov_[\w-]+|\b\d[\d:.,-]*(T[\d:.]+)?Z?\b|\b[a-z0-9]{8}\b")


def said(folder: Path, url: str) -> list[str]:
    """Let an engine open an incident, and return what each command says then, without what is never the same.

    What the last one says is returned as it is.
    """
    settings = Settings(home=folder / ".gov", policies=prepared(folder, SLOW) / "policies", database=url)
    made = engine(settings, base=folder)
    now = datetime.now(UTC).replace(microsecond=0)
    push(made, "pushed", [PushedSample("loans", "error_rate", now, 0.9)], key="k", actor="ana", at=now)
    run_cycle(made, now)
    made.database.close()
    found = []
    for command in COMMANDS.strip().splitlines():
        done = ask(folder, *command.split(), GOV_DATABASE=url)
        assert PASSWORD not in done.stdout + done.stderr
        found.append(f"$ gov {command}\n{_masked(done.stdout + done.stderr)}\n{done.returncode}")
    return [*found[:-1], done.stdout]


def _masked(text: str) -> str:
    return _VARIES.sub("#", _AGO.sub("#", _SPACE.sub(" ", text)))


def test_commands_say_on_a_server_what_they_say_with_a_file(tmp_path: Path) -> None:
    file = said(tmp_path / "file", f"sqlite:///{tmp_path / 'file.db'}")
    server = said(tmp_path / "server", fresh_url("postgresql", tmp_path))
    assert [each for each in file if "usage" in each.lower() or "Traceback" in each] == []
    for by_server, by_file in zip(server[:-1], file[:-1], strict=True):
        assert by_server == by_file
    assert "postgresql://owner@127.0.0.1" in server[-1]
    assert "synchronous_commit on, fsync off" in server[-1]  # this one must be quick, not safe
    assert "this user may change evidence, log_entries, log_heads, log_nodes" in server[-1]
    assert "every trigger that refuses to change the log is in place" in server[-1]
