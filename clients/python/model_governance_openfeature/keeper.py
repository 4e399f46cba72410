"""Holds the switches in memory and keeps them fresh; nobody who reads them waits for anything."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from model_governance_openfeature import override, snapshot
from model_governance_openfeature.answer import Flag, Held
from model_governance_openfeature.daemon import survive_forks
from model_governance_openfeature.link import Link
from model_governance_openfeature.options import Options
from model_governance_openfeature.override import Override, tightened
from model_governance_openfeature.switch import Switch, Unreadable

log = logging.getLogger("model_governance_openfeature")
Event = Literal["changed", "stale", "fresh"]
Listener = Callable[[Event, list[str]], None]
MOST_READ = 10_000
"""Models whose reading is told to the engine."""


@dataclass(frozen=True)
class View:
    """What reads see: the engine's state, tightened by override files. It never changes; a later one takes its place.

    `local`: the state comes from the snapshot, the engine has not confirmed it.
    """

    held: Held | None = None
    overrides: tuple[Override, ...] = ()
    local: bool = False
    tightened: Mapping[str, Switch] = field(init=False)

    def __post_init__(self) -> None:
        """Work out what overrides change, once for all reads."""
        object.__setattr__(self, "tightened", tightened(self.held, self.overrides))

    def switch(self, model: str) -> Switch | None:
        """Return what holds for a model; None when that is not known here."""
        switch = self.tightened.get(model)
        if switch is None and self.held is not None:
            return self.held.switch(model)
        return switch

    def flag(self, key: str) -> Flag | None:
        """Return a flag as the engine answered it."""
        return self.held.flags.get(key) if self.held is not None else None


class Keeper:
    """The state of one engine in this process. Reads take no lock; whoever writes replaces the view as a whole."""

    def __init__(self, options: Options) -> None:
        """Start with what is on disk, and ask the engine in the background."""
        self.options = options
        self.view = View()
        self.instance = options.named()
        self.read = options.models
        self.telling = threading.Lock()
        self._turn = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()
        self._said: dict[str, str] = {}
        self._fresh_at: float | None = None
        self._link: Link | None = None
        survive_forks(self)
        self.start()

    def start(self) -> None:
        """Begin to keep the state fresh, and wait a little for the first answer; without effect when begun."""
        if self._link is not None:
            return
        self._load()
        self._link = Link(self)
        self._link.start()
        self._link.tried.wait(self.options.wait)

    def stop(self) -> None:
        """End all that goes on in the background; what is held stays readable."""
        link, self._link = self._link, None
        if link is not None:
            link.stop()

    def rearm(self) -> None:
        """Go on in a child of the process that began it: threads are not copied, connections must not be shared."""
        self.telling, self._turn = threading.Lock(), threading.Lock()
        self.instance = self.options.named()
        link, self._link = self._link, None
        if link is None:
            return
        link.abandon()
        self._link = Link(self)
        self._link.start()

    @property
    def stale(self) -> bool:
        """Whether the engine has been silent for longer than the limit, or was never heard."""
        fresh_at = self._fresh_at
        return fresh_at is None or self.options.clock() - fresh_at > self.options.stale_after

    @property
    def stale_in(self) -> float:
        """Seconds until it is stale; not above 0 when it is."""
        fresh_at = self._fresh_at
        return 0.0 if fresh_at is None else self.options.stale_after - (self.options.clock() - fresh_at)

    def note_read(self, model: str) -> None:
        """Remember that this process serves a model, so that it confirms to the engine what it holds of it."""
        if len(self.read) < MOST_READ:
            self.read |= {model}
            link = self._link
            if link is not None:
                link.confirm_soon()

    def listen(self, listener: Listener) -> None:
        """Call back in the background when flags change, and when the state becomes stale or fresh again."""
        self._listeners = (*self._listeners, listener)

    def refreshed(self, held: Held | None) -> bool:
        """Take a new state over; None when the engine said that it is still the same. Tell whether it is another."""
        with self._turn:
            before = self.view
            after = held if held is not None else before.held
            if held is not None or before.local:
                self.view = View(after, before.overrides)
            self._fresh_at = self.options.clock()
        changed = after.changed(before.held) if after is not None and held is not None else []
        if changed:
            self.tell("changed", changed)
        return bool(changed) or (held is not None and before.held is not None and held.etag != before.held.etag)

    def alive(self) -> None:
        """Note a sign of life of an engine that would have said if anything had changed."""
        self._fresh_at = self.options.clock()

    def override(self) -> None:
        """Read the override files; while their place cannot be read, what was read before holds."""
        path = self.options.overrides
        if path is None:
            return
        if not self.options.override_key:
            self.say("overrides", f"Override files in {path} are not obeyed: set GOV_OVERRIDE_KEY to check them with")
            return
        try:
            found, ignored = override.read(path, self.options.override_key)
        except OSError as error:
            self.say("overrides", f"Override files cannot be read, those read before hold: {error}")
            return
        self.say("overrides", "; ".join(f"Override file {name} is ignored: {why}" for name, why in ignored.items()))
        self._overridden(found)

    def save(self) -> None:
        """Write the snapshot; the present state is served whether or not that works."""
        path, held = self.options.snapshot, self.view.held
        if path is None or held is None:
            return
        try:
            snapshot.save(path, self.options.engine, held)
        except OSError as error:
            why = error.strerror or str(error)  # without the name of the file, which is another one each time
            self.say("snapshot", f"The snapshot {path} is not written, so a start without the engine is blind: {why}")
        else:
            self.say("snapshot", "")

    def say(self, about: str, sentence: str) -> None:
        """Warn once of each state of affairs; an empty sentence is that all is well again."""
        before = self._said.get(about, "")
        self._said[about] = sentence
        if sentence and sentence != before:
            log.warning("%s", sentence)
        elif before and not sentence:
            log.info("Well again: %s", before)

    def tell(self, event: Event, flags: list[str]) -> None:
        """Call the listeners."""
        with self.telling:
            for listener in self._listeners:
                _told(listener, event, flags)

    def _overridden(self, found: tuple[Override, ...]) -> None:
        with self._turn:
            before = self.view
            if found == before.overrides:
                return
            self.view = View(before.held, found, before.local)
        models = {each.model for each in (*found, *before.overrides)}
        self.tell("changed", sorted(f"{model}.{kind}" for model in models for kind in ("mode", "serve", "switch")))

    def _load(self) -> None:
        """Read what is on disk, which takes no network."""
        self.override()
        path = self.options.snapshot
        if path is None or self.view.held is not None:
            return
        try:
            held = snapshot.load(path, self.options.engine)
        except (OSError, Unreadable) as error:
            self.say("snapshot", f"The snapshot {path} is ignored: {error}")
            return
        if held is not None:
            with self._turn:
                self.view = View(held, self.view.overrides, local=True)


def _told(listener: Listener, event: Event, flags: list[str]) -> None:
    try:
        listener(event, flags)
    except Exception:  # a listener that fails must not end what keeps the state fresh
        log.exception("A listener failed at %s", event)
