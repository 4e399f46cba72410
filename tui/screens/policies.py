"""What rules: the version that holds, its notice, waivers and silences with their end, what waits, earlier versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll

from governance.client import Client
from governance.errors import Denied
from governance.views import AlertView, SilenceView, VersionView, WaiverView
from tui import acts
from tui.filtering import Sieve, parsed
from tui.known import brief, span
from tui.screens.frame import Frame
from tui.situation import Situation
from tui.text import fact, head, safe
from tui.widgets.table import Column, Table
from tui.widgets.told import Told

FIELDS = ("kind", "id", "model", "rule", "by")


@dataclass(frozen=True, slots=True)
class Ruling:
    """All that the screen shows; `refused` says why the versions cannot be read."""

    versions: tuple[VersionView, ...]
    waivers: tuple[WaiverView, ...]
    silences: tuple[SilenceView, ...]
    alerts: tuple[AlertView, ...]
    refused: str = ""

    @property
    def things(self) -> Sequence[WaiverView | SilenceView | VersionView]:
        """Waivers, then silences, then versions: what ends first and is newest is first."""
        return [*self.waivers, *self.silences, *self.versions]


class Things(Table[Any]):
    """One line per waiver, silence and version."""

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
        return _id(row)

    def cells(self, row: Any, at: datetime) -> list[tuple[str, str]]:
        """Return what stands in a line."""
        if isinstance(row, VersionView):
            state = (
                "● rules" if row.running else {"waiting": "◌ waits", "withdrawn": "✗ back"}.get(row.state, "○ ruled")
            )
            style = "none" if row.running else "warning" if row.state == "waiting" else "dim"
            what = f"{row.models} models, {row.rules} rules"
            return [
                (state, style), (row.version[:12], "dim"), (what, "dim"), ("", ""),
                (row.summary, "" if row.running else "dim"),
                (row.by, "dim"), (f"{brief(row.at, at)} ago", "dim"),
            ]  # fmt: skip
        kind = "◇ waiver" if isinstance(row, WaiverView) else "⌁ window" if row.maintenance else "⌁ silence"
        soon = (row.until - at).total_seconds() < 86_400
        model = row.model or (", ".join(getattr(row, "models", ())) or "all models")
        by = row.approved_by if isinstance(row, WaiverView) else row.by
        return [
            (kind, "away"), (row.id, "strong"), (model, "strong"), (row.rule or "all rules", ""), (row.because, ""),
            (by, "dim"), (f"in {brief(at, row.until)}" if row.until > at else "over", "warning" if soon else "dim"),
        ]  # fmt: skip


class Policies(Frame):
    """Policies, waivers and silences."""

    CSS_PATH = ["frame.tcss", "policies.tcss"]
    VIEW = "policies"
    KEYS = ("policies", "filter", "list")
    WORDS = f"words, or {' '.join(f'{each}:' for each in FIELDS)}; escape clears"

    def __init__(self) -> None:
        super().__init__()
        self._sieve: Sieve[Any] = Sieve()

    def body(self) -> ComposeResult:
        """Lay out what rules, the list, and what is chosen."""
        yield Told(id="rules")
        yield Things(id="list", classes="list")
        with VerticalScroll(id="chosen", can_focus=False):
            yield Told(id="told")

    def begun(self) -> None:
        """Begin in the list."""
        self.query_one("#list").border_title = "Waivers, silences, versions"
        self.at_rest()

    def at_rest(self) -> None:
        """Put the focus on the list."""
        self.query_one(Things).focus()

    def load(self, client: Client) -> Any:
        """Fetch what rules and what it does not hold for."""
        try:
            versions, refused = tuple(client.versions()), ""
        except Denied as error:
            versions, refused = (), str(error)
        return Ruling(versions, tuple(client.waivers()), tuple(client.silences()), tuple(client.alerts()), refused)

    @property
    def chosen(self) -> WaiverView | SilenceView | VersionView | None:
        """What is under the cursor."""
        return self.query_one(Things).selected

    def here(self) -> Situation:
        """Return the waiver or silence under the cursor."""
        chosen = self.chosen
        return self.situation(thing=chosen.id if isinstance(chosen, (WaiverView, SilenceView)) else "")

    def draw(self, at: datetime) -> None:
        """Draw what rules."""
        if self.why_not:
            self.query_one("#rules", Told).tell(f"[$warning]✗ {safe(self.why_not)}[/]")
        if not isinstance(self.found, Ruling):
            return
        self.query_one("#rules", Told).tell("\n".join(self._ruling(self.found, at)))
        shown = self._sieve.kept(self.found.things, parsed(self.words, FIELDS), _id, _fields)
        self.query_one(Things).show(shown, at)

    def _ruling(self, found: Ruling, at: datetime) -> list[str]:
        known = self.app.snapshot
        notice = known.fleet.policies if known is not None else ""
        running = next((each for each in found.versions if each.running), None)
        waiting = [each for each in found.versions if each.state == "waiting"]
        firing = sum(each.state == "firing" for each in found.alerts)
        check = "[b $success]✓ the policies on disk are those that rule[/]"
        lines = [f"[b $warning]! {safe(notice)}[/]" if notice else check]
        if running is not None:
            lines.append(
                fact("rules now", f"[b]{running.version[:12]}[/] {running.models} models, {running.rules} rules, "
                f"by {safe(running.by)} {span(running.at, at)} ago")
            )  # fmt: skip
        elif found.refused:
            lines.append(f"[$muted]{safe(found.refused)}[/]")
        lines.append(fact("alerts", f"{firing} firing, {len(found.alerts) - firing} pending"))
        lines += [
            fact("waits", f"[$warning]{each.version[:12]}[/] {safe(each.summary)}; approve it in view 4")
            for each in waiting
        ]
        return lines

    @on(Things.Selected)
    def _selected(self) -> None:
        if self.chosen is not None:
            self.query_one("#told", Told).tell(told(self.chosen, self.app.at()))
        self.keys_changed()

    def action_waive(self) -> None:
        """Ask that a rule is not enforced."""
        self.app.push_screen(acts.waiving("", [], self.app.at))

    def action_silence(self) -> None:
        """Mute notifications for a while."""
        self.app.push_screen(acts.silencing("", self.app.at))

    def action_end(self) -> None:
        """End the waiver or silence under the cursor."""
        chosen = self.chosen
        if isinstance(chosen, (WaiverView, SilenceView)):
            self.app.push_screen(acts.ending(chosen))

    def copied(self) -> str:
        """Return what is under the cursor by its id."""
        return _id(self.chosen) if self.chosen is not None else ""


def told(thing: WaiverView | SilenceView | VersionView, at: datetime) -> str:
    """Return all that is known of a waiver, a silence or a version, as markup."""
    if isinstance(thing, VersionView):
        lines = [
            f"[b]{thing.version}[/] {safe(thing.state)} · {safe(thing.how)} · {safe(thing.commit)}",
            safe(thing.summary),
        ]
        if thing.approved_by:
            lines.append(fact("approved by", safe(thing.approved_by)))
        return "\n".join([*lines, "", head("Changes"), *(safe(each) for each in thing.changes)])
    lines = [
        f"[b]{safe(thing.id)}[/] {safe(thing.model or 'all models')} {safe(thing.rule or 'all rules')}",
        safe(thing.because),
    ]
    lines.append(fact("until", f"{thing.until:%Y-%m-%d %H:%M}Z [$muted]in {span(at, thing.until)}[/]"))
    if isinstance(thing, WaiverView):
        lines.append(fact("asked by", f"{safe(thing.requested_by)}, approved by {safe(thing.approved_by)}"))
        if thing.ends_on:
            lines.append(fact("ends on", safe(", ".join(thing.ends_on))))
    else:
        lines.append(fact("by", f"{safe(thing.by)} [$muted]{span(thing.since, at)} ago[/]"))
    return "\n".join(lines)


def _id(row: WaiverView | SilenceView | VersionView) -> str:
    return f"version {row.number}" if isinstance(row, VersionView) else row.id


def _fields(row: WaiverView | SilenceView | VersionView) -> dict[str, object]:
    if isinstance(row, VersionView):
        return {"kind": f"version {row.state}", "id": row.version, "by": row.by, "what": row.summary}
    kind = "waiver" if isinstance(row, WaiverView) else "silence"
    by = row.approved_by if isinstance(row, WaiverView) else row.by
    return {"kind": kind, "id": row.id, "model": row.model, "rule": row.rule, "by": by, "what": row.because}
