"""One line for each problem, request, waiver, silence and version of the policies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from governance.views import ApprovalView, ProblemView, SilenceView, VersionView, WaiverView
from tui.known import brief
from tui.widgets.columns import Column
from tui.widgets.table import Table

FIELDS = ("kind", "id", "model", "rule", "by")
Thing = ProblemView | ApprovalView | WaiverView | SilenceView | VersionView


class Things(Table[Any]):
    """One line per problem, request, waiver, silence and version."""

    COLUMNS = (
        Column("KIND", 10),
        Column("ID", 8, most=14),
        Column("MODEL", 8, most=24),
        Column("RULE", 8, most=28),
        Column("WHY", 10, grows=True),
        Column("BY", 6, most=16),
        Column("ENDS", 9, ">"),
    )
    DROPPED = (5, 3)

    def name_of(self, row: Any) -> str:
        """Return the id."""
        return name(row)

    def cells(self, row: Any, at: datetime) -> list[tuple[str, str]]:
        """Return what stands in a line."""
        if isinstance(row, ProblemView):
            where = f"{row.file.rpartition('/')[2]}:{row.line}:{row.column}"
            return [("✗ problem", "critical"), ("", ""), (where, "strong"), (row.code, ""), (row.message, ""),
                    ("", ""), ("", "")]  # fmt: skip
        if isinstance(row, ApprovalView):
            ends = f"in {brief(at, row.expires_at)}" if row.expires_at is not None else ""
            return [("◌ waits", "warning"), (row.id, "strong"), (row.model or "several", "strong"), ("", ""),
                    (row.text, ""), (row.requested_by, "dim"), (ends, "dim")]  # fmt: skip
        return _version(row, at) if isinstance(row, VersionView) else _ending(row, at)


def _version(row: VersionView, at: datetime) -> list[tuple[str, str]]:
    states = {"waiting": ("◌ waits", "warning"), "withdrawn": ("✗ back", "dim")}
    state = ("● rules", "none") if row.running else states.get(row.state, ("○ ruled", "dim"))
    said = f"{row.summary} · {row.models} models, {row.rules} rules"
    return [
        state, (row.version[:12], "dim"), ("", ""), ("", ""), (said, "" if row.running else "dim"),
        (row.by or row.how, "dim"), (f"{brief(row.at, at)} ago", "dim"),
    ]  # fmt: skip


def _ending(row: WaiverView | SilenceView, at: datetime) -> list[tuple[str, str]]:
    kind = "◇ waiver" if isinstance(row, WaiverView) else "⌁ window" if row.maintenance else "⌁ silence"
    soon = (row.until - at).total_seconds() < 86_400
    model = row.model or (", ".join(getattr(row, "models", ())) or "all models")
    by = row.approved_by if isinstance(row, WaiverView) else row.by
    return [
        (kind, "away"), (row.id, "strong"), (model, "strong"), (row.rule or "all rules", ""), (row.because, ""),
        (by, "dim"), (f"in {brief(at, row.until)}" if row.until > at else "over", "warning" if soon else "dim"),
    ]  # fmt: skip


def name(row: Thing) -> str:
    """Return by what a thing is known."""
    if isinstance(row, ProblemView):
        return f"{row.file}:{row.line}:{row.column} {row.code}"
    return f"version {row.number}" if isinstance(row, VersionView) else row.id


def fields(row: Thing) -> dict[str, object]:
    """Return what a thing is narrowed by."""
    if isinstance(row, VersionView):
        return {"kind": f"version {row.state}", "id": row.version, "by": row.by, "what": row.summary}
    if isinstance(row, ProblemView):
        return {"kind": "problem", "id": f"{row.file}:{row.line}", "rule": row.code, "what": row.message}
    if isinstance(row, ApprovalView):
        return {"kind": f"waits {row.kind}", "id": row.id, "model": row.model, "by": row.requested_by, "what": row.text}
    kind = "waiver" if isinstance(row, WaiverView) else "silence"
    by = row.approved_by if isinstance(row, WaiverView) else row.by
    return {"kind": kind, "id": row.id, "model": row.model, "rule": row.rule, "by": by, "what": row.because}
