"""The background thread that keeps the state fresh: asks, listens, confirms, reads and writes files."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from model_governance_openfeature.answer import Held, applied
from model_governance_openfeature.daemon import Aside
from model_governance_openfeature.deadline import Late, within
from model_governance_openfeature.wire import Unreachable, Wire

if TYPE_CHECKING:
    from model_governance_openfeature.keeper import Keeper

log = logging.getLogger("model_governance_openfeature")
FIRST_RETRY = 0.25
RELAXED = 3
"""How many times as long as else between two questions, while changes are announced."""
GAP = 0.02
"""Seconds that lie at least between two questions, however many changes are announced."""
SPREAD = 0.5
"""Seconds over which the confirmations of all processes are spread that learn of a change at once."""
FILES_EVERY = 1.0
_abandoned: list[object] = []


class Link(threading.Thread):
    """One thread with one event loop; it ends with the process, and holds nobody up."""

    def __init__(self, keeper: Keeper) -> None:
        """Prepare it for a keeper; `tried` is set once the engine has answered or has failed to."""
        super().__init__(name="model-governance", daemon=True)
        self.tried = threading.Event()
        self._keeper = keeper
        self._options = keeper.options
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wire: Wire | None = None
        self._ended, self._due, self._to_confirm, self._to_save = (asyncio.Event() for _ in range(4))
        self._last_event = ""
        self._listening = False
        self._settled = False

    def run(self) -> None:
        """Work until told to stop."""
        try:
            asyncio.run(self._main())
        except Exception:  # the last resort: reads go on, and say that the state is stale
            log.exception("The switches are not kept fresh any more")
        finally:
            self.tried.set()

    def stop(self) -> None:
        """End the thread, and wait a little for it."""
        self._call(self._ended.set)
        if self is not threading.current_thread():
            self.join(self._options.timeout)

    def abandon(self) -> None:
        """Let go in a child process of what the parent goes on using.

        Nothing of it may be closed in order, as the parent's event loop would be told; the stream alone is let go, so
        that the engine learns when the parent ends.
        """
        _abandoned.append(self)
        stream = self._wire.stream if self._wire is not None else None
        if stream is not None:
            nothing = os.open(os.devnull, os.O_RDWR)
            with suppress(OSError):
                os.dup2(nothing, stream.fileno())
            os.close(nothing)

    def confirm_soon(self) -> None:
        """Tell the engine soon what is held, from any thread."""
        self._call(self._to_confirm.set)

    def _call(self, call: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(call)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_default_executor(Aside())
        self._wire = wire = Wire(self._options)
        works = (
            self._ask(wire),
            self._listen(wire),
            self._confirm(wire),
            self._watch_age(),
            self._save(),
            self._override(),
        )
        tasks = [asyncio.ensure_future(self._forever(each)) for each in works]
        await self._ended.wait()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await wire.close()

    async def _forever(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:  # a defect of ours in one of them must not end the others
            log.exception("Part of what keeps the switches fresh has failed")

    async def _ask(self, wire: Wire) -> None:
        """Ask for the state at once, when a change is announced, and now and then."""
        failures = 0
        while True:
            self._due.clear()
            self._settled = False
            try:
                await self._fetch(wire)
                failures = 0
            except Unreachable as error:
                failures += 1
                self._keeper.say("engine", f"The engine at {self._options.url} is not reached: {error}")
            self.tried.set()
            await asyncio.sleep(GAP)
            await _either(self._due, self._pause(failures))

    async def _fetch(self, wire: Wire) -> None:
        before = self._keeper.view.held
        held = await wire.fetch(before)
        self._keeper.say("engine", "")
        if self._keeper.view.held is not before:
            self._due.set()  # a change was told meanwhile, and which of the two is newer is not known
            return
        self._take(held)
        self._settled = not self._due.is_set()

    def _take(self, held: Held | None) -> None:
        if self._keeper.refreshed(held):
            self._to_save.set()
            self._to_confirm.set()

    def _pause(self, failures: int) -> float:
        """Return how long to wait before asking again, each process a little differently."""
        if failures:
            return self._backoff(failures)
        usual = self._options.poll * (RELAXED if self._listening else 1)
        return usual * (0.8 + 0.4 * self._options.chance())

    def _backoff(self, failures: int) -> float:
        longest = min(self._options.poll, FIRST_RETRY * 2.0 ** min(failures - 1, 16))
        return longest * (0.5 + 0.5 * self._options.chance())

    async def _listen(self, wire: Wire) -> None:
        """Have changes announced; while that does not work, asking now and then is enough."""
        failures = 0
        while True:
            held = self._keeper.view.held
            if held is not None and held.streams:
                try:
                    await self._hear(wire, held.streams[0])
                except Unreachable as error:
                    log.debug("Changes are not announced: %s", error)
                failures = 1 if self._listening else failures + 1
                self._listening = False
            await asyncio.sleep(self._backoff(failures) if failures else GAP)

    async def _hear(self, wire: Wire, url: str) -> None:
        told: list[str] | None = None
        async with aclosing(wire.events(url, self._last_event, self._options.silence)) as events:
            async for name, value in events:
                if name == "event":
                    told = [] if value == "switches" and wire.is_engine(url) else None
                elif told is not None and name == "data":
                    told.append(value)
                elif told is not None:
                    self._apply(told)
                    told = None
                else:
                    self._heard(name, value)

    def _heard(self, name: str, value: str) -> None:
        """Take a line of the stream that every client understands."""
        if name == "open":
            self._listening = True
        if name == "open" or (name == "data" and self._asks_to_fetch(value)):
            self._due.set()
        elif name == "id":
            self._last_event = value
        elif self._settled and not self._due.is_set():
            self._keeper.alive()

    def _apply(self, told: list[str]) -> None:
        """Take a change over that leads on from what is held; the call to ask that follows it decides about others."""
        view = self._keeper.view
        if view.held is None or view.local:
            return
        try:
            self._take(applied(view.held, told))
        except (ValueError, RecursionError) as error:
            log.debug("A change cannot be followed: %s", error)

    def _asks_to_fetch(self, data: str) -> bool:
        try:
            found = json.loads(data)
        except ValueError:
            return True  # garbled: asking once more than needed does no harm
        if not isinstance(found, dict) or found.get("type") != "refetchEvaluation":
            return False
        view = self._keeper.view
        known = view.held.state if view.held is not None and not view.local else ""
        return not known or found.get("etag") != f'"{known}"'

    async def _confirm(self, wire: Wire) -> None:
        """Tell the engine which change is held, soon after each and now and then."""
        while True:
            await _either(self._to_confirm, self._options.confirm * (0.9 + 0.2 * self._options.chance()))
            await asyncio.sleep(SPREAD * self._options.chance())
            self._to_confirm.clear()
            view, models = self._keeper.view, self._keeper.read
            if not models or view.local or view.held is None:
                continue
            try:
                await wire.confirm(self._keeper.instance, view.held.seq, models)
            except Unreachable as error:
                log.debug("The engine was not told what is held: %s", error)

    async def _watch_age(self) -> None:
        """Tell when the state becomes stale, and when it is fresh again."""
        told = False
        while True:
            await asyncio.sleep(min(max(self._keeper.stale_in, 0.1), 1.0))
            stale = self._keeper.stale
            if stale != told:
                told = stale
                self._keeper.tell("stale" if stale else "fresh", [])

    async def _save(self) -> None:
        """Write the snapshot after each change."""
        while True:
            await self._to_save.wait()
            self._to_save.clear()
            await asyncio.get_running_loop().run_in_executor(None, self._keeper.save)

    async def _override(self) -> None:
        """Look for override files."""
        while self._options.overrides is not None:
            await asyncio.sleep(FILES_EVERY)
            await asyncio.get_running_loop().run_in_executor(None, self._keeper.override)


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, at most for so long."""
    with suppress(Late):
        await within(event.wait(), seconds)
