"""What rules: problems of the policies on disk, what waits for a second person, waivers and silences, versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message

from governance.client import Client
from governance.errors import Denied, GovernanceError
from governance.views import AlertView, ApprovalView, CheckView, ProblemView, SilenceView, VersionView, WaiverView
from governance.views.plan import PlanView
from tui import acts
from tui.filtering import Sieve, parsed
from tui.going_back import going_back
from tui.known import span
from tui.screens.frame import Frame
from tui.situation import Situation
from tui.text import fact, safe
from tui.widgets import ruling
from tui.widgets.things import FIELDS, Thing, Things, fields, name
from tui.widgets.told import Told

AGAIN = 15.0
"""Seconds after which a plan is asked for anew that could not be made."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """All that the screen shows; `refused` says why the versions cannot be read."""

    check: CheckView | None
    versions: tuple[VersionView, ...]
    waivers: tuple[WaiverView, ...]
    silences: tuple[SilenceView, ...]
    alerts: tuple[AlertView, ...]
    refused: str = ""

    def things(self, waiting: Sequence[ApprovalView]) -> Sequence[Thing]:
        """Return what is broken, then what waits, then what ends first, then versions, the newest first."""
        broken = self.check.problems if self.check is not None else []
        asked = [each for kind in ("policy", "waiver") for each in waiting if each.kind == kind]
        ruled = [each for each in self.versions if each.approval not in {one.id for one in asked}]
        return [*broken, *asked, *self.waivers, *self.silences, *ruled]


class Policies(Frame):
    """Policies, waivers and silences."""

    CSS_PATH = ["frame.tcss", "policies.tcss"]
    VIEW = "policies"
    KEYS = ("policies", "approval", "filter", "list")
    WORDS = f"words, or {' '.join(f'{each}:' for each in FIELDS)}; escape clears"

    class Planned(Message):
        """What the version that waits would change, or why nobody can tell."""

        def __init__(self, request: str, plan: PlanView | None, why_not: str, at: datetime) -> None:
            super().__init__()
            self.request, self.plan, self.why_not, self.at = request, plan, why_not, at

    def __init__(self) -> None:
        super().__init__()
        self._sieve: Sieve[Any] = Sieve()
        self._planning = False
        self._plan: Policies.Planned | None = None
        self._wanted = ""

    def body(self) -> ComposeResult:
        """Lay out what rules, the list, and what is chosen."""
        yield Told(id="rules")
        yield Things(id="list", classes="list")
        with VerticalScroll(id="chosen"):
            yield Told(id="told")

    def begun(self) -> None:
        """Begin in the list."""
        listed = self.query_one("#list")
        listed.border_title, listed.border_subtitle = "Problems, waivers, silences, versions", "enter reads all of it"
        self.query_one("#chosen").border_subtitle = "enter scrolls here, esc goes back"
        self.at_rest()

    def at_rest(self) -> None:
        """Put the focus on the list."""
        self.query_one(Things).focus()

    def load(self, client: Client) -> Any:
        """Fetch what rules and what it does not hold for."""
        try:
            check, versions, refused = client.check(), tuple(client.versions()), ""
        except Denied as error:
            check, versions, refused = None, (), str(error)
        waivers, silences = tuple(client.waivers()), tuple(client.silences())
        return Ruling(check, versions, waivers, silences, tuple(client.alerts()), refused)

    @property
    def chosen(self) -> Thing | None:
        """What is under the cursor."""
        return self.query_one(Things).selected

    @property
    def request(self) -> ApprovalView | None:
        """What waits for a second person under the cursor."""
        return self.chosen if isinstance(self.chosen, ApprovalView) else None

    @property
    def waiting(self) -> ApprovalView | None:
        """The request for the version of the policies that waits."""
        known = self.app.snapshot
        return next((each for each in known.approvals if each.kind == "policy"), None) if known is not None else None

    def here(self) -> Situation:
        """Return what is under the cursor, as far as there is something to do with it."""
        chosen = self.chosen
        thing = chosen.id if isinstance(chosen, (WaiverView, SilenceView)) else ""
        version = chosen if isinstance(chosen, VersionView) else None
        return self.situation(thing=thing, approval=self.request, version=version, applied=self.applied)

    @property
    def applied(self) -> bool:
        """Whether people apply policies here, who can let an earlier version rule again."""
        check = self.found.check if isinstance(self.found, Ruling) else None
        return check is not None and check.source == "apply"

    def draw(self, at: datetime) -> None:
        """Draw what rules."""
        if self.why_not:
            self.query_one("#rules", Told).tell(f"[$warning]✗ {safe(self.why_not)}[/]")
        if not isinstance(self.found, Ruling):
            return
        known = self.app.snapshot
        self._ask_for_plan(at)
        self.query_one("#rules", Told).tell("\n".join(self._ruling(self.found, at)))
        things = self.found.things(known.approvals if known is not None else ())
        self.query_one(Things).show(self._sieve.kept(things, parsed(self.words, FIELDS), name, fields), at)
        self._point(things)

    def point_at(self, wanted: str) -> None:
        """Put the cursor on a waiver or a silence as soon as it is known."""
        self._wanted, self.found, self.words = wanted, None, ""
        self.reload()

    def _point(self, things: Sequence[Thing]) -> None:
        if not self._wanted:
            return
        wanted, self._wanted = self._wanted, ""
        if any(name(each) == wanted for each in things):
            self.query_one(Things).select(wanted)
        else:
            self.app.say(f"{wanted} does not hold now; the decision log (6) tells what became of it")

    def _ruling(self, found: Ruling, at: datetime) -> list[str]:
        known = self.app.snapshot
        lines = [_standing(found, self.waiting, known.fleet.policies if known is not None else "", at)]
        running = next((each for each in found.versions if each.running), None)
        if running is not None:
            lines.append(
                fact("rules now", f"[b]{running.version[:12]}[/] {running.models} models, {running.rules} rules, "
                f"by {safe(running.by or running.how)} {span(running.at, at)} ago")
            )  # fmt: skip
        elif found.refused:
            lines.append(fact("versions", f"[$muted]{safe(found.refused)}[/]"))
        firing = sum(each.state == "firing" for each in found.alerts)
        lines.append(fact("alerts", f"{firing} firing, {len(found.alerts) - firing} pending"))
        if found.check is not None and found.check.refused:
            lines.append(fact("why", f"[$warning]{safe(found.check.refused)}[/]"))
        if found.check is not None and found.check.pull_failure:
            lines.append(fact("git", f"[b $warning]✗ {safe(found.check.pull_failure)}[/]"))
        return lines

    def _ask_for_plan(self, at: datetime) -> None:
        """Ask what the version that waits would change, once; where that fails, again after a while."""
        waiting = self.waiting
        if waiting is None or self._planning:
            return
        known = self._plan_of(waiting)
        if known is None or (known.plan is None and (at - known.at).total_seconds() > AGAIN):
            self._planning = True
            self._make_plan(waiting.id, self.app.client, at)

    def _plan_of(self, request: ApprovalView) -> Policies.Planned | None:
        return self._plan if self._plan is not None and self._plan.request == request.id else None

    @work(thread=True, group="plan")
    def _make_plan(self, request: str, client: Client, at: datetime) -> None:
        try:
            made = self.Planned(request, client.pending(), "", at)
        except GovernanceError as error:
            made = self.Planned(request, None, str(error), at)
        if self.is_attached:
            self.post_message(made)

    @on(Planned)
    def _planned(self, message: Policies.Planned) -> None:
        self._plan, self._planning = message, False
        self._selected()

    @on(Things.Selected)
    def _selected(self) -> None:
        chosen = self.chosen
        self.query_one("#chosen").display = chosen is not None
        if chosen is not None:
            self.query_one("#told", Told).tell(self._told(chosen, self.app.at()))
        self.keys_changed()

    def _told(self, thing: Thing, at: datetime) -> str:
        if isinstance(thing, ProblemView):
            return ruling.of_problem(thing)
        if isinstance(thing, VersionView):
            return ruling.of_version(thing)
        if isinstance(thing, (WaiverView, SilenceView)):
            return ruling.of_waiver(thing, at)
        if thing.kind != "policy":
            return ruling.of_request(thing, at)
        known = self._plan_of(thing)
        made, why_not = (known.plan, known.why_not) if known is not None else (None, "")
        return ruling.of_waiting(thing, made, why_not, at)

    @on(Things.Opened)
    def _opened(self) -> None:
        self.query_one("#chosen").focus()

    async def action_back(self) -> None:
        """Go back from the text to the list first."""
        if self.query_one("#chosen").has_focus:
            self.at_rest()
        else:
            await super().action_back()

    def action_approve(self) -> None:
        """Be the second person."""
        if self.request is not None:
            self.app.approve(self.request)

    def action_refuse(self) -> None:
        """Refuse, with a reason."""
        if self.request is not None:
            self.app.open_form(acts.refusing(self.request))

    def action_waive(self) -> None:
        """Ask that a rule is not enforced."""
        self.app.open_form(acts.waiving("", [], self.app.at))

    def action_silence(self) -> None:
        """Mute notifications for a while."""
        self.app.open_form(acts.silencing("", self.app.at))

    def action_end(self) -> None:
        """End the waiver or silence under the cursor."""
        chosen = self.chosen
        if isinstance(chosen, (WaiverView, SilenceView)):
            self.app.open_form(acts.ending(chosen))

    def action_go_back(self) -> None:
        """Let the version under the cursor rule again."""
        versions = self.found.versions if isinstance(self.found, Ruling) else ()
        if isinstance(self.chosen, VersionView):
            running = next((each for each in versions if each.running), None)
            self.app.open_form(going_back(self.chosen, running))

    def copied(self) -> str:
        """Return what is under the cursor by its id; of a problem its place, as editors take it."""
        chosen = self.chosen
        if isinstance(chosen, ProblemView):
            return f"{chosen.file}:{chosen.line}:{chosen.column}"
        return name(chosen) if chosen is not None else ""


def _standing(found: Ruling, waiting: ApprovalView | None, notice: str, at: datetime) -> str:
    """Return in a line whether what was written last is what rules."""
    check = found.check
    waits = f"[b $warning]◌ a version waits for a second person ({waiting.id})[/]" if waiting is not None else ""
    if check is None:
        said = (
            f"[b $warning]! {safe(notice)}[/]"
            if notice
            else "[$muted]the policies on disk may be others than those that rule[/]"
        )
        return waits or said
    tests = check.in_tests or 0
    if check.count > tests:
        problems = _problems(check.count)
        since = f"for {span(check.since, at)}" if check.since is not None else ""
        broken = f"[b $error]✗ the policies on disk are broken {since}: {problems}[/]"
        return f"{broken}\n{waits}" if waits else broken
    wrong = f"\n[b $warning]! {_problems(tests)} in the tests of the policies[/]" if tests else ""
    return _sound(check, waits) + wrong


def _problems(count: int) -> str:
    return f"{count} problem{'s' * (count != 1)}"


def _sound(check: CheckView, waits: str) -> str:
    """Return in a line what becomes of policies in which nothing is wrong."""
    if waits:
        return f"{waits}; meanwhile {check.version[:12]} rules"
    if check.refused:
        return f"[b $warning]! what was written last does not rule[/]; version {check.version[:12]} does"
    if check.source == "apply":
        return "[b $success]✓ what was applied last is what rules[/] [$muted](gov apply, not a directory)[/]"
    return "[b $success]✓ the policies on disk are those that rule[/]"
