"""The kill-switch modal: what will happen, why you may, the reason, and the outcome as instances confirm it.

Pulling asks for one confirmation; `stopped` and restoring also for the model's typed name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import Grid, Horizontal
from textual.content import Content
from textual.widgets import Input, Label, RadioSet, Static

from governance.client import Client
from governance.views import SwitchDoneView, SwitchView
from tui.screens.acting import Intent, typed_so_far
from tui.screens.kill_switch import KillSwitchModal, amiss
from tui.switching import DOING, VERBS, Act, Chosen, body, permission, send, wrong
from tui.widgets.choice import Choice
from tui.widgets.switch import allowed, facts, held, outcome, then, what


class SwitchModal(KillSwitchModal[SwitchDoneView]):
    """Pull or restore one switch."""

    CSS_PATH = ["kill_switch.tcss", "switch.tcss"]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]

    def __init__(self, switch: SwitchView, *, restore: bool, reason: str, incident: int | None) -> None:
        super().__init__(VERBS["restore" if restore else "pull"], reason)
        self.switch, self.restore, self._incident = switch, restore, incident

    @property
    def _glass(self) -> bool:
        """Whether there is the choice to break the glass."""
        may = self.switch.may.get("break-glass")
        alone = self.switch.people_to_restore < 2 and self._may("restore")
        return self.restore and may is not None and may.allowed and not alone

    def _may(self, act: str) -> bool:
        may = self.switch.may.get(act)
        return may is None or may.allowed

    def facts(self) -> ComposeResult:
        """Lay out what one must know."""
        with Grid(id="facts"):
            for name, value in facts(self.switch, self.app.at(), restore=self.restore):
                yield Static(f"[$muted]{name}[/]")
                yield Static(Content.from_markup(value), classes=f"fact-{name.partition(' ')[0]}")
            for name in ("allowed", "then"):
                yield Static(f"[$muted]{name}[/]")
                yield Static(id=name)

    def choices(self) -> ComposeResult:
        """Lay out what can be chosen."""
        if self.restore:
            return self._restoring()
        placeholder = "all of it; or version 7, country=DE"
        return self.pulling(Label("  only "), Input("", placeholder=placeholder, id="only", compact=True))

    def _restoring(self) -> ComposeResult:
        if len(self.switch.settings) > 1:
            with RadioSet(id="setting"):
                for index, each in enumerate(self.switch.settings):
                    yield Choice(held(each), value=index == 0, id=f"setting-{index}")
        if self._glass:
            with RadioSet(id="way"):
                asks = "ask a second person" if self.switch.people_to_restore > 1 else "restore as usual"
                yield Choice(asks, value=True, id="way-restore")
                yield Choice("break the glass: alone and at once; it pages everybody and is reviewed", id="way-glass")
        with Horizontal(id="more"):
            yield Label("back to ", id="to-label")
            yield Input("", placeholder="live; or throttle 25%", id="to", compact=True)

    def on_mount(self) -> None:
        """Begin where the person has something to say."""
        self.check()
        self.query_one("#reason" if self.restore else "#mode").focus(scroll_visible=False)  # the facts are read first

    @property
    def act(self) -> Act:
        """What is chosen to be done."""
        if not self.restore:
            return "pull"
        return "break-glass" if self.pressed("way") == 1 else "restore"

    @property
    def chosen(self) -> Chosen:
        """What is chosen and typed."""
        settings = self.switch.settings
        return Chosen(
            act=self.act, mode=self.mode, share=self.text("share"), expires=self.text("expires"),
            only=self.text("only"), to=self.text("to"),
            setting=settings[self.pressed("setting")] if self.restore and settings else None,
            reason=self.text("reason"), typed=self.query_one("#typed", Input).value,
        )  # fmt: skip

    @property
    def wanted(self) -> str:
        """What must be typed, "" where nothing must."""
        return self.switch.model if self.chosen.named else ""

    @property
    def verbs(self) -> tuple[str, str]:
        """How the act is called on its button, and while it is sent."""
        return VERBS[self.act], DOING[self.act]

    def check(self) -> None:
        """Say what is chosen, enable the button when all that is asked for is there, and say what is not."""
        if self._done:
            return
        chosen = self.chosen
        self.show("#share, #share-label", shown=chosen.mode == "throttle")
        self.show("#to, #to-label", shown=chosen.act == "restore")
        self.write("#what", what(self.switch, chosen))
        self.write("#allowed", allowed(self.switch, chosen))
        self.write("#then", then(self.switch, chosen))
        super().check()

    def lacking(self) -> str:
        """Return what is amiss or missing, as markup, "" where nothing is."""
        chosen = self.chosen
        may = permission(chosen, self.switch)
        if may is not None and not may.allowed:
            return "[$muted]esc goes back[/]"  # why not stands among the facts
        refused, missing = wrong(chosen, self.switch)
        if refused or missing:
            return amiss(refused, missing)
        named = not chosen.named or chosen.typed == self.switch.model
        return "" if named else typed_so_far(self.switch.model, chosen.typed)

    def onward(self, at: str) -> str:
        """Return what enter goes to while something is missing."""
        return "#typed" if at == "reason" and self.chosen.named else ""

    def intent(self) -> Intent[SwitchDoneView]:
        """Return what is sent now."""
        chosen, model = self.chosen, self.switch.model
        sent = body(chosen, self.switch, self._incident)

        def act(client: Client, sent: Mapping[str, Any], key: str) -> SwitchDoneView:
            return send(client, chosen.act, model, sent, key)

        def told(done: SwitchDoneView) -> str:
            return f"{model}: {Content.from_markup(outcome(done, last=True)).plain}"

        return Intent(f"{model}: {DOING[chosen.act]}", {"act": chosen.act, **sent}, lambda: sent, act, told)

    def entry(self, done: SwitchDoneView) -> str:
        """Return where it stands in the decision log."""
        return f"entry {done.entry}"

    def outcome(self, done: SwitchDoneView, *, last: bool) -> str:
        """Return what became of it, as markup."""
        return outcome(done, last=last)

    def pause(self, done: SwitchDoneView) -> float | None:
        """Return how many seconds pass between two looks at who confirmed, None where a second person is waited for."""
        return 0.5 if done.approval is None else None

    def look(self, client: Client, done: SwitchDoneView) -> tuple[SwitchDoneView, bool]:
        """Ask who confirmed by now; it is settled when all did, or when somebody acted since."""
        switch = client.switch(self.switch.model)
        seen = switch.confirmations
        last = switch.seq != done.switch.seq or seen.confirmed == seen.total
        return done.model_copy(update={"switch": switch}), last
