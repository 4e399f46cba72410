"""A version of the policies: what rules, since when, by whom; and what differs from the version before."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from governance.core.authority import Actor

_BREAKS = r"\n\r\x85\u2028\u2029"
_REQUEST = re.compile(
    rf"\ufeff?(?:[ \t]*(?:#[^{_BREAKS}]*)?\r?\n|---[ \t]*\r?\n)*"  # only what says nothing may stand before it:
    r"kind:[ \t]*(?P<quote>[\"']?)(?:waiver|silence|maintenance)(?P=quote)"
    rf"[ \t]*(?:#[^{_BREAKS}]*)?(?=[\r\n]|\Z)"
)
"""A document whose first line asks; a line of a text that a card quotes may look the same further down."""
VersionState = Literal["waiting", "adopted", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a version comes from: who made it ("" where nobody can tell), and the commit of a git checkout.

    `channel` is where it was applied. `authors` are all who had a part in it: none of them can be its second person.
    """

    how: Literal["directory", "git", "apply"] = "directory"
    by: str = ""
    commit: str = ""
    authors: tuple[str, ...] = ()
    channel: str = ""

    @property
    def actor(self) -> Actor:
        """Who made it, and where: who applied it, or who wrote it into the directory."""
        return Actor(self.by, channel=self.channel or ("file" if self.by else ""))

    @property
    def words(self) -> str:
        """Where it comes from, in words."""
        commit = f"commit {self.commit[:12]}" if self.commit else ""
        who = f"by {self.by}" if self.by else ""
        what = {"directory": "from the directory", "git": "from the checkout", "apply": "applied"}[self.how]
        return ", ".join(each for each in (f"{what} {who}".strip(), commit) if each)


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version that ruled, or waits for a second person's approval.

    `version` is the digest of the effective policies, which every verdict names; `digest` that of the documents.
    `at` is when it was adopted, or found. `changes` says in words what differs from the version before.
    """

    number: int
    version: str
    digest: str
    state: VersionState
    at: datetime
    origin: Origin = field(default_factory=Origin)
    models: int = 0
    rules: int = 0
    changes: tuple[str, ...] = ()
    summary: str = ""
    approval: str = ""
    approved_by: str = ""


def requests_of(documents: Mapping[str, str]) -> dict[str, str]:
    """Return the documents that ask for waivers and silences: they are no policy, and begin no version."""
    return {name: text for name, text in documents.items() if _REQUEST.match(text)}


def with_requests(documents: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Return the policies of some documents with the requests of others."""
    asked = requests_of(documents)
    return {**{name: text for name, text in documents.items() if name not in asked}, **requests_of(others)}


def digest_of(documents: Mapping[str, str]) -> str:
    """Return the digest of policies by name: the hex digits of a SHA-256 over all names and texts, in order.

    What asks for a waiver or a silence does not count.
    """
    digest = hashlib.sha256()
    asked = requests_of(documents)
    for name, text in sorted(documents.items()):
        if name in asked:
            continue
        for part in (name, text):
            content = part.encode("utf-8", "surrogatepass")
            digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()
