"""One entry of the decision log: what it says, and the proof that it is in the log, checked here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from governance.client import Client
from governance.views import ProofView
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
        """Fetch the entry with its proof, once: a root that changes each second nobody can compare."""
        return self.found if self.found is not None else client.proof(self.seq)

    def draw(self, at: datetime) -> None:
        """Draw the entry."""
        if self.why_not:
            self.query_one("#told", Told).tell(f"[$warning]✗ {safe(self.why_not)}[/]")
        elif self.found is not None:
            self.query_one("#told", Told).tell(told(self.found, at))

    def copied(self) -> str:
        """Return the exact text that was sealed."""
        return str(self.found.content) if self.found is not None else ""


def told(proof: ProofView, at: datetime) -> str:
    """Return an entry and what proves it, as markup."""
    entry = proof.entry
    subject = "  ".join(f"[$muted]{safe(name)}[/] {safe(value)}" for name, value in entry.subject.items())
    body = lines(json.dumps(entry.body, indent=2, ensure_ascii=False))
    when = f"{entry.at:%Y-%m-%d %H:%M:%S}Z [$muted]{span(entry.at, at)} ago[/]"
    return "\n".join([
        f"[b]{safe(entry.kind)}[/]  by [b]{safe(entry.actor)}[/]  {when}",
        *([subject] if subject else []), f"{_verdict(proof)} [$muted]· how stands below[/]", "",
        head("What it says"), body, "", *_proved(proof), "", *_path(proof),
    ])  # fmt: skip


def _checks(proof: ProofView) -> Sequence[tuple[str, bool]]:
    """Return what is checked on this side, in words, and whether it is so."""
    return (
        ("what is shown here is the text that was hashed", same(proof)),
        ("the SHA-256 of that text is its leaf", leaf(proof) == proof.leaf_hash),
        (f"leaf and {len(proof.path)} neighbours give the root of the tree of {proof.size} entries", holds(proof)),
    )


def _verdict(proof: ProofView) -> str:
    if all(right for _, right in _checks(proof)):
        return "[b $success]✓ it is in the log[/], as computed here"
    return "[b $error]✗ the proof does not hold[/]"


def _proved(proof: ProofView) -> Iterator[str]:
    """Yield what was checked on this side, one line each, and what that does not show."""
    yield f"{head('Proof')}  {_verdict(proof)}"
    yield from (f"  {'[$success]✓[/]' if right else '[b $error]✗[/]'} {what}" for what, right in _checks(proof))
    yield fact("root", f"{safe(proof.root)} [$muted]sealed {proof.sealed_at:%Y-%m-%d %H:%M:%S}Z[/]")
    yield (
        "[$muted]Whether others hold the same root only a head kept elsewhere shows: look for this size and root in "
        "your copy of governance.db.heads, or run [/][b]gov audit verify[/][$muted] where the engine's database is.[/]"
    )


def _path(proof: ProofView) -> Iterator[str]:
    """Yield the hashes, and how to check them with no program of ours."""
    yield head("By hand")
    yield "[$muted]y copies the exact text that was hashed; in a file without a line end,[/]"
    yield "[b](printf '\\0'; cat FILE) | sha256sum[/] [$muted]gives the leaf; RFC 9162, 2.1.3.2 goes on[/]"
    yield fact("leaf", safe(proof.leaf_hash))
    yield from (fact(f"neighbour {index}", safe(each)) for index, each in enumerate(proof.path))


def same(proof: ProofView) -> bool:
    """Tell whether the entry as it is shown is what the text that was hashed says."""
    try:
        said = json.loads(proof.content)
        at = datetime.fromisoformat(said["at"])
    except (ValueError, TypeError, KeyError):
        return False
    shown, entry = ("seq", "kind", "actor", "subject", "body"), proof.entry
    return at == entry.at and all(said.get(name) == getattr(entry, name) for name in shown)


def leaf(proof: ProofView) -> str:
    """Return the hash of the text as a leaf, in hex. Source: RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\x00" + proof.content.encode()).hexdigest()


def holds(proof: ProofView) -> bool:
    """Tell whether the content hashes to the leaf and the path leads from it to the root.

    Source: RFC 9162 section 2.1.3.2, the verification of an inclusion proof.
    """
    if leaf(proof) != proof.leaf_hash:
        return False
    node = bytes.fromhex(proof.leaf_hash)
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
