"""The OpenFeature SDKs for JavaScript in a Node process, told what to do line by line."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from contract.sources.programs import program

FOLDER = Path(__file__).parent.parent / "clients" / "node"


class Node:
    """A Node process with one OpenFeature client."""

    def __init__(self, kind: str, url: str, **options: Any) -> None:
        """Start it and connect a client of a kind, `server` or `web`; without Node the test is skipped."""
        node = program("node", "install Node 20 or newer, then run: make test")
        if not (FOLDER / "node_modules" / ".ready").exists():
            missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            missing("the OpenFeature SDKs for JavaScript are missing: run make tests/clients/node/node_modules/.ready")
        self._process = subprocess.Popen(
            [node, FOLDER / "driver.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.do(kind, url=url, **options) == {}

    def do(self, act: str, **how: Any) -> dict[str, Any]:
        """Let it act, and return what it says."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"act": act, **how}) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def boolean(self, flag: str, *, otherwise: bool, **context: Any) -> dict[str, Any]:
        """Return the details of a boolean flag."""
        return self.do("evaluate", kind="boolean", flag=flag, otherwise=otherwise, context=context)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
