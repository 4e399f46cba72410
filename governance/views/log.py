"""The decision log as it is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from governance.views.view import View


class EntryView(View):
    """One sealed decision; `seq` is its place in the log, counted from 0."""

    seq: int
    at: datetime
    kind: str
    actor: str
    subject: dict[str, str]
    body: dict[str, Any]


class ProofView(View):
    """The proof that an entry is in the log of `size` entries under `root` (RFC 6962); hashes in hex, lowest first.

    `content` is the exact text that was hashed.
    """

    entry: EntryView
    content: str
    leaf_hash: str
    path: list[str]
    size: int
    root: str
    sealed_at: datetime
