"""Policies in a git checkout: which commit they are of, by whom, and whether there is a newer one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from governance.errors import Unavailable

TIME_LIMIT = timedelta(seconds=60)
LOCAL_LIMIT = timedelta(seconds=10)
_STALE_LOCK = 60.0
"""Seconds after which a lock that git left behind no longer means that it is at work."""
_QUIET = {
    "GIT_TERMINAL_PROMPT": "0",  # nobody is there to be asked for a password
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=15",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit of a checkout; `clean` tells that the policies are what was committed.

    `authors` are the e-mail addresses of all who changed the policies since an earlier commit, and of this one: whom
    a commit names as its author, and who made it, as anybody can write another author.
    """

    digest: str
    author: str
    authors: tuple[str, ...]
    clean: bool


class Checkout:
    """The git checkout that a directory lies in."""

    def __init__(self, directory: Path, beside: Sequence[Path] = ()) -> None:
        """Take the directory of the policies, at the top of the checkout or below, and what belongs to them beside."""
        self._directory, self._beside = directory, beside

    @property
    def exists(self) -> bool:
        """True when the directory lies in a checkout, and there is a git to read it."""
        try:
            return self._git("rev-parse", "--is-inside-work-tree") == "true"
        except Unavailable:
            return False

    def commit(self, since: str = "") -> Commit:
        """Return the commit that is checked out, with the authors since another one.

        :raises Unavailable: saying why git cannot tell.
        """
        told = self._git("log", "-1", "--format=%H%n%ae%n%ce").split("\n")
        digest, author, committer = (*told, "", "")[:3]  # an address may be empty
        changed = self._git("status", "--porcelain", "--untracked-files=all", "--", *self._places())
        authors = dict.fromkeys([author, committer, *self._authors(since, digest)])
        return Commit(digest, author, tuple(each for each in authors if each), clean=not changed)

    def pull(self) -> None:
        """Bring it up to date with what it follows, if that is a step forward only.

        :raises Unavailable: saying why that cannot be done.
        """
        self._git("pull", "--ff-only", "--quiet", "--no-recurse-submodules", limit=TIME_LIMIT)

    def busy(self, now: float) -> bool:
        """Tell whether git is at work in it; `now` is in seconds since 1970."""
        try:
            lock = Path(self._git("rev-parse", "--git-path", "index.lock"))
            lock = lock if lock.is_absolute() else self._directory / lock
            return now - lock.stat().st_mtime < _STALE_LOCK
        except (Unavailable, OSError):
            return False

    def _authors(self, since: str, until: str) -> list[str]:
        if not since or since == until:
            return []
        try:
            return self._git("log", "--format=%ae%n%ce", f"{since}..{until}", "--", *self._places()).splitlines()
        except Unavailable:
            return []  # the earlier commit is no longer there

    def _places(self) -> list[str]:
        """Return what of the checkout the policies are; what lies outside of it has no history there."""
        top = Path(self._git("rev-parse", "--show-toplevel")).resolve()
        beside = [each.resolve() for each in self._beside]
        return [".", *(str(each) for each in beside if each.is_relative_to(top))]

    def _git(self, *arguments: str, limit: timedelta = LOCAL_LIMIT) -> str:
        seconds = limit.total_seconds()
        hidden = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")  # those of a hook that started us
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        try:
            done = subprocess.run(  # noqa: S603 (fixed arguments, no shell)
                ["git", "-C", str(self._directory), *arguments],  # noqa: S607 (the git of whoever runs the engine)
                env={**environment, **_QUIET},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"git {arguments[0]} took longer than {seconds:.0f} s") from None
        except OSError as error:
            raise Unavailable(f"git cannot be run: {error.strerror}") from error
        if done.returncode != 0:
            said = next((line for line in done.stderr.strip().splitlines()[::-1] if line.strip()), "it says nothing")
            first = next((line for line in done.stderr.splitlines() if line.startswith(("fatal:", "error:"))), said)
            raise Unavailable(f"git {arguments[0]} failed: {first.strip()}")
        return done.stdout.strip()
