"""The decision log over HTTP: pages of entries, and the proof of one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from governance.api.cursors import Limit
from governance.api.gate import Who
from governance.core.decision import Entry
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.engine.reading import permit_any
from governance.store import decision_log
from governance.views import EntryView, Page, ProofView

After = Annotated[int, Query(ge=-1, lt=2**53, description="The entries after this one; -1 from the first.")]
Kind = Annotated[
    str, Query(max_length=100, description="Only this kind and those below it: `incident`, `switch.pulled`.")
]
Model = Annotated[str, Query(max_length=200, description="Only about this model.")]
Seq = Annotated[int, Path(ge=0, lt=2**53, description="The place of the entry, from 0.")]


def routes(engine: Engine) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["decision log"])

    @router.get("/v1/log")
    def log(
        who: Who, after: After | None = None, kind: Kind = "", model: Model = "", limit: Limit = 100
    ) -> Page[EntryView]:
        """Read entries in order: those after one, or without `after` the newest; `next` is the `after` that follows."""
        readable = permit_any(engine, who)
        found = decision_log.tail(engine.database, limit, kind or None, model or None, after)
        items = [entry_view(each) for each in found if readable(each.decision.subject.get("model"))]
        return Page(items=items, next=str(found[-1].seq) if found and len(found) == limit else None)

    @router.get("/v1/log/{seq}")
    def proof(who: Who, seq: Seq) -> ProofView:
        """Prove that an entry is in the log, under its newest head."""
        entry = decision_log.entry(engine.database, seq)
        permit(engine, who, "read", entry.decision.subject.get("model"))
        receipt = decision_log.receipt(engine.database, seq)
        return ProofView(
            entry=entry_view(entry),
            content=entry.content.decode(),
            leaf_hash=receipt.leaf_hash.hex(),
            path=[each.hex() for each in receipt.path],
            size=receipt.head.size,
            root=receipt.head.root.hex(),
            sealed_at=receipt.head.at,
        )

    return router


def entry_view(entry: Entry) -> EntryView:
    """Return an entry as it is shown."""
    said = entry.decision
    return EntryView(
        seq=entry.seq, at=said.at, kind=said.kind, actor=said.actor, subject=dict(said.subject), body=dict(said.body)
    )
