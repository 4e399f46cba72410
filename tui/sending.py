"""Under which key an act is sent, so that asking again does it once, and what is known of one that had no answer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from governance.errors import GovernanceError, Unavailable, Unreached

B = TypeVar("B")
AGAIN = "it may have happened; enter again asks with the same key, so that it happens once"


class Attempts(Generic[B]):
    """What one form has sent: the same words keep their body and key, also behind others and behind a refusal.

    What had no answer may have been done, and under its own key it is answered as the first time. A refusal of the
    second question says nothing of the first, as it may come from before the act: a token that has ended, too many
    writes.
    """

    def __init__(self) -> None:
        self._sent: dict[str, tuple[B, str]] = {}
        self._unsure: set[str] = set()

    def of(self, words: Mapping[str, object], body: Callable[[], B]) -> tuple[B, str]:
        """Return what to send for what was said, and its key; `body` is asked when these words are new."""
        name = _name(words)
        if name not in self._sent:
            self._sent[name] = body(), str(uuid.uuid4())
        return self._sent[name]

    def failed(self, words: Mapping[str, object], error: GovernanceError) -> str:
        """Note that words had no answer or were refused, and return how that is told."""
        if isinstance(error, Unreached):
            return f"{error}: nothing was sent" if _name(words) not in self._unsure else f"{error}; {AGAIN}"
        if isinstance(error, Unavailable):
            self._unsure.add(_name(words))
            return f"no answer: {AGAIN} ({error})"
        return str(error)

    @property
    def unsure(self) -> bool:
        """Tell whether something was sent that had no answer."""
        return bool(self._unsure)

    def doubt(self, words: Mapping[str, object]) -> str:
        """Return what must be known before other words are sent than those that had no answer, "" where nothing."""
        if not self._unsure or _name(words) in self._unsure:
            return ""
        return "what was sent before had no answer and may have happened; this would be another act"


def _name(words: Mapping[str, object]) -> str:
    return json.dumps(words, sort_keys=True, default=str)
