"""One system to act on, with a real other side: what the contract suite asks of every one of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from contract.acts.world import FAULTS, Asked, Fault, Reply, World

from governance.core.performance import Request

AT = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
SECRET = "hunter2-is-no-password"  # noqa: S105 (what must be seen nowhere)
PATIENT, SOON = "20s", "200ms"
"""The time limit of an exchange, and the one where the other side never answers."""


class Case:
    """A system of one kind; `asks` is what its operations are asked, `nonsense` what they refuse, and how."""

    kind: ClassVar[str]
    asks: ClassVar[dict[str, dict[str, Any]]]
    nonsense: ClassVar[list[tuple[str, dict[str, Any], str]]]
    reading: ClassVar[frozenset[str]] = frozenset()
    """Operations that change nothing."""
    told_apart: ClassVar[frozenset[str]] = frozenset()
    """Operations of which read_back tells that they never arrived."""

    faults: ClassVar[tuple[Fault, ...]] = FAULTS
    """What goes wrong with it here."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.told, world.echo = self.answer, SECRET
        self.system = self.built(PATIENT)

    def built(self, limit: str) -> Any:
        """Return the system, which knows SECRET by the variable CASE_SECRET."""
        raise NotImplementedError

    def answer(self, asked: Asked) -> Reply:
        """Act as the real other side does."""
        raise NotImplementedError

    def request(self, operation: str, under: str = "RUN-12/roll-back/1", **more: Any) -> Request:
        return Request(under, operation, {**self.asks[operation], **more}, AT, "RUN-12", "flight-delay")

    @property
    def effects(self) -> int:
        """How often something was really done."""
        return self.world.did.total()
