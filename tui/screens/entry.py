"""One entry of the decision log: what it says, and the proof that it is in the log, checked here."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from governance.client import Client
from governance.views import EntryView, ProofView
from tui.known import span
from tui.screens.frame import Frame
from tui.text import fact, head, lines, safe
from tui.widgets.told import Told


class EntryScreen(Frame):
    """An entry and its proof."""

    CSS_PATH = ["frame.tcss"]
    VIEW = "log"

    def __init__(self, seq: int) -> None:
        super().__init__()
        self.seq = seq

    def body(self) -> ComposeResult:
        """Lay out the text."""
        with VerticalScroll(id="entry", classes="whole"):
            yield Told(id="told")

    def begun(self) -> None:
        """Begin where the arrows scroll."""
        self.query_one("#entry").border_title = f"Entry {self.seq}"
        self.query_one("#entry").focus()

    def question(self) -> object:
        """Ask about this entry."""
        return self.seq

    def load(self, client: Client) -> Any:
        """Fetch the entry with its proof; it never changes, its proof is under the newest head."""
        return client.proof(self.seq)

    def draw(self, at: datetime) -> None:
        """Draw the entry."""
        if self.why_not:
            self.query_one("#told", Told).tell(f"[$warning]✗ {safe(self.why_not)}[/]")
        elif self.found is not None:
            self.query_one("#told", Told).tell(told(self.found, at))

    def copied(self) -> str:
        """Return the exact text that was sealed."""
        return str(self.found.content) if self.found is not None else ""


def said(entry: EntryView) -> str:
    """Return the words of an entry that say the most, in one line."""
    body = entry.body
    for name in ("because", "text", "title", "reason", "detail", "summary", "rule"):
        if isinstance(body.get(name), str) and body[name]:
            return str(body[name])
    return "  ".join(f"{name} {value}" for name, value in body.items() if isinstance(value, (str, int, float)))


def told(proof: ProofView, at: datetime) -> str:
    """Return an entry and what proves it, as markup."""
    entry = proof.entry
    subject = "  ".join(f"[$muted]{safe(name)}[/] {safe(value)}" for name, value in entry.subject.items())
    body = lines(json.dumps(entry.body, indent=2, ensure_ascii=False))
    good = holds(proof)
    verdict = (
        "[b $success]✓ it is in the log[/], as computed here" if good else "[b $error]✗ the proof does not hold[/]"
    )
    when = f"{entry.at:%Y-%m-%d %H:%M:%S}Z [$muted]{span(entry.at, at)} ago[/]"
    return "\n".join([
        f"[b]{safe(entry.kind)}[/]  by [b]{safe(entry.actor)}[/]  {when}",
        subject, "", head("What it says"), body, "", head("Proof"), verdict,
        fact("place", f"{entry.seq} of {proof.size} entries"),
        fact("leaf", proof.leaf_hash), fact("root", proof.root),
        fact("sealed", f"{proof.sealed_at:%Y-%m-%d %H:%M:%S}Z"),
        *(fact(f"path {index}", each) for index, each in enumerate(proof.path)),
        "", "[$muted]y copies the exact text that was hashed; gov audit verify checks the whole log[/]",
    ])  # fmt: skip


def holds(proof: ProofView) -> bool:
    """Tell whether the content hashes to the leaf and the path leads from it to the root.

    Source: RFC 9162 section 2.1.3.2, the verification of an inclusion proof.
    """
    node = hashlib.sha256(b"\x00" + proof.content.encode()).digest()
    if node.hex() != proof.leaf_hash:
        return False
    index, last = proof.entry.seq, proof.size - 1
    for each in map(bytes.fromhex, proof.path):
        if last == 0:
            return False
        if index & 1 or index == last:
            node = hashlib.sha256(b"\x01" + each + node).digest()
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + each).digest()
        index, last = index >> 1, last >> 1
    return last == 0 and node.hex() == proof.root
