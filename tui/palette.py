"""What the command palette finds: acts, models, incidents, runbooks on any model, and what else has a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.style import Style
from textual.widgets import Input, OptionList

from governance.views.notifications import DeliveryView
from tui import telling
from tui.form import Asked
from tui.keys import action
from tui.known import GLYPHS, Snapshot, span
from tui.learning import Learning
from tui.offers import Offer, score, shown
from tui.places import Place, numbered
from tui.screens.frame import Frame
from tui.starting import FILL, refusal, starts
from tui.unheard import counted, whom
from tui.unheard import refusal as unheard_refusal

if TYPE_CHECKING:
    from tui.app import GovApp

MOST = 60
"""Things of a kind that are offered at once: more nobody reads."""


class Found(Provider):
    """Searches what the app knows; what only the engine knows is asked for while the person types on."""

    def __init__(self, screen: Frame, match_style: Style | None = None) -> None:
        """Begin to ask what the engine has beside what the app knows."""
        super().__init__(screen, match_style)
        self._app: GovApp = screen.app
        self._learning = Learning(screen.app, self._again)

    async def startup(self) -> None:
        """Ask for what a person may type first."""
        self._learning.begin()

    async def shutdown(self) -> None:
        """Wait for nothing any more."""
        self._learning.end()

    async def discover(self) -> Hits:
        """Offer the acts of the screen before anything is typed."""
        for each in acts(self.screen):
            if not each.off:
                yield DiscoveryHit(shown(each), each.do, each.text, shown(each, about=True).markup)

    async def search(self, query: str) -> Hits:
        """Offer what has all words."""
        words = query.lower().split()
        for each in self._offers(query, words):
            points = score(each, words)
            if points > 0:
                said = shown(each, words, self.match_style or Style())
                do = each.do if not each.off else partial(self._app.say, each.off, "warning")
                yield Hit(points, said, do, each.text, shown(each, about=True).markup)

    def _offers(self, query: str, words: Sequence[str]) -> Iterator[Offer]:
        app, known = self._app, self._app.snapshot
        yield from acts(self.screen)
        if known is None:
            return
        for each in numbered(known, query.strip()):
            yield _place(app, each, also=query)
        yield from _incidents(app, known, words)
        yield from _models(app, known, words)
        yield from self._starts(known, words)
        yield from _persons(app, known)
        yield from self._learnt(known)
        yield from self._unheard()

    @property
    def _never(self) -> str:
        """Why nothing can be done now, "" where something can."""
        return "the engine is not reached" if self._app.offline is not None else self._app.looks_only

    def _unheard(self) -> Iterator[Offer]:
        """Yield to try again what nobody got, of each incident and by each notifier."""
        app, found = self._app, self._learning.undelivered
        for number in dict.fromkeys(each.incident for each in found):
            mine = [each for each in found if each.incident == number]
            text = f"Tell again of INC-{number} {mine[0].model}: {counted(len(mine))} nobody got"
            yield _tried(text, mine, partial(_open, app, telling.of_incident, number, mine), self._never)
        for notifier in dict.fromkeys(each.notifier for each in found):
            mine = [each for each in found if each.notifier == notifier]
            text = f"Tell again by {notifier}: {counted(len(mine))} nobody got"
            yield _tried(text, mine, partial(_open, app, telling.of_notifier, notifier, mine), self._never)

    def _starts(self, known: Snapshot, words: Sequence[str]) -> Iterator[Offer]:
        """Yield the runbooks that can be started, and why others cannot; the engine is asked about few models."""
        app, screen = self._app, self.screen
        now = screen.here() if isinstance(screen, Frame) else None
        begins = not FILL.isdisjoint(words)
        for each in starts(known, self._learning.runbooks, words, now.row if now is not None else None):
            found = self._learning.of(each.model)
            runbook = next((one for one in found or () if one.runbook == each.runbook), None)
            if runbook is None:
                continue  # it is asked for, and offered when that is known
            number = f"INC-{each.incident.id}" if each.incident is not None else ""
            said = f"on {number}: {runbook.description}" if number else runbook.description
            do, off = partial(app.start_on, each.model, runbook, each.incident), self._never or refusal(runbook)
            yield Offer(f"Start {each.runbook} on {each.model}", said, do, off, "run runbook for", begins)

    def _learnt(self, known: Snapshot) -> Iterator[Offer]:
        app = self._app
        asked = {each.id for each in known.approvals}
        for run in self._learning.runs[:MOST]:
            yield Offer(f"{run.id} {run.runbook} on {run.model}", run.summary, partial(app.open_run, run.id))
        for each in known.approvals[:MOST]:
            may = f"may: {', '.join(each.who_may) or 'nobody'}"
            yield _place(app, Place("approval", each.id, ""), f"{each.id} {each.model}: {each.text}", may)
        for waiver in self._learning.waivers[:MOST]:
            if waiver.id not in asked:
                said = f"waiver for {span(app.at(), waiver.until)} more: {waiver.because}"
                yield _place(app, Place("waiver", waiver.id, ""), f"{waiver.id} {waiver.rule} on {waiver.model}", said)
        for silence in self._learning.silences[:MOST]:
            text = f"{silence.id} {silence.model or 'all models'} {silence.rule}".strip()
            said = f"silence for {span(app.at(), silence.until)} more: {silence.because}"
            yield _place(app, Place("silence", silence.id, ""), text, said)
        for what, why in self._learning.failures.items():
            yield Offer(what, "", lambda: None, f"not known: {why}")

    def _again(self) -> None:
        """Search anew with what was learnt, unless the person has gone on to choose."""
        palette = self._app.screen
        if isinstance(palette, CommandPalette):
            field = palette.query_one(Input)
            if field.value and not palette.query_one(OptionList).highlighted:
                field.post_message(Input.Changed(field, field.value))


def acts(screen: object) -> Iterator[Offer]:
    """Yield the acts of a screen, those that do nothing now with why."""
    if not isinstance(screen, Frame):
        return
    now = screen.here()
    for name, key in screen.live_keys():
        if not key.act.startswith(("move", "command_palette")):
            word = key.says(now) if key.says else key.label or name.replace("view.", "Go to ").replace("_", " ")
            do = partial(screen.run_action, action(key))
            yield Offer(f"{word} ({screen.app.written(name, key)})", key.about, do, key.off(now))


def _incidents(app: GovApp, known: Snapshot, words: Sequence[str]) -> Iterator[Offer]:
    left = MOST
    for each in known.incidents.values():
        text = f"INC-{each.id} {each.model}: {each.title}"
        if left and all(word in text.lower() for word in words):
            left -= 1
            about = f"{GLYPHS.get(each.severity, '?')} {each.severity}, {each.status}"
            yield Offer(text, about, partial(app.open_incident, each.id))


def _models(app: GovApp, known: Snapshot, words: Sequence[str]) -> Iterator[Offer]:
    left = MOST
    for row in known.fleet.items:
        if left and all(word in row.model for word in words):
            left -= 1
            yield Offer(row.model, f"model of {row.team}, tier {row.tier}", partial(app.open_model, row.model))


def _open(
    app: GovApp, form: Callable[[Any, Sequence[DeliveryView]], Asked], which: object, found: Sequence[DeliveryView]
) -> None:
    app.open_form(form(which, found))


def _tried(text: str, found: Sequence[DeliveryView], do: Callable[[], object], never: str) -> Offer:
    about = ", ".join(dict.fromkeys(f"{whom(each)}: {each.receipt or 'not tried'}" for each in found[:MOST]))
    return Offer(text, about, do, never or unheard_refusal(found), "retry notifications not delivered failed")


def _persons(app: GovApp, known: Snapshot) -> Iterator[Offer]:
    for each in known.on_call[:MOST]:
        text = f"On call by {each.schedule}: {each.person or 'NOBODY'}"
        until = f"for {span(app.at(), each.until)} more, then {each.following or 'nobody'}" if each.until else ""
        yield _place(app, Place("schedule", each.schedule, ""), text, until)


def _place(app: GovApp, place: Place, text: str = "", about: str = "", also: str = "") -> Offer:
    said = text or " ".join(Content.from_markup(place.shown).plain.split())
    return Offer(said, about, partial(app.go, place), also=also, first=bool(also))
