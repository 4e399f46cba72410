"""The flags of one state of the switches, written out ahead where they are the same for every request."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from governance.core.flag import KINDS, Flags, Request, evaluated
from governance.engine.board import Snapshot

_ANYBODY = Request(labels={})


class Sheet:
    """All flags of a snapshot, ready to be sent: of a thousand models nearly all are live, and read alike by all."""

    def __init__(self, snapshot: Snapshot, before: Sheet | None = None) -> None:
        """Write out the flags of the models that are live; what is as in the sheet before is taken from there."""
        self.snapshot = snapshot
        known: Mapping[str, bytes] = before.live if before is not None else {}
        earlier: Mapping[str, Flags] = before.snapshot.flags if before is not None else {}
        self.live: dict[str, bytes] = {
            model: known[model] if model in known and earlier.get(model) == flags else _written(flags, _ANYBODY)
            for model, flags in snapshot.flags.items()
            if not flags.switch.settings
        }

    def after(self, snapshot: Snapshot) -> Sheet:
        """Return the sheet of a later state."""
        return Sheet(snapshot, self)

    def flags(self, request: Request, only: Collection[str] | None) -> bytes:
        """Return the flags for a request, of these models or (None) of all, as JSON between commas."""
        known = self.snapshot.flags
        models = known if only is None else sorted(known.keys() & only)
        return b",".join(self.live.get(model) or _written(known[model], request) for model in models)


def _written(flags: Flags, request: Request) -> bytes:
    return ",".join(evaluated(flags, kind, request).json() for kind in KINDS).encode()
