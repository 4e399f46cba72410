"""Keys that come in a burst, over a slow line or when one types ahead: each finds what the one before it did."""

from __future__ import annotations

import asyncio
from collections import deque

from textual import events
from textual.app import App

HOPS = 50
"""Turns of the loop that a key has to go from what has the focus up to the app, and to do what it does."""
LOOK = 0.005
"""Seconds between two looks at whether what a key opens is there."""


class InOrder(App[None]):
    """An app that passes a key on only when what the last one did is done.

    Otherwise all keys of a burst go to what has the focus when it begins: `/ana` would open the filter, and then take
    an incident by its `a`.
    """

    _keys: deque[events.Key]
    _passing: asyncio.Task[None] | None = None

    @property
    def opens(self) -> bool:
        """Whether the last key may still open what the next ones are for."""
        return False

    def drop_keys(self) -> None:
        """Forget the keys that were typed ahead: what they were for does not open."""
        if self._passing is not None:
            self._keys.clear()

    async def on_event(self, event: events.Event) -> None:
        """Hold a key back while another one is under way."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
        elif self._passing is not None and not self._passing.done():
            self._keys.append(event)
        else:
            self._keys = deque()
            await super().on_event(event)
            self._passing = asyncio.create_task(self._pass_on())

    async def _pass_on(self) -> None:
        await self._settled()
        while self._keys:
            await super().on_event(self._keys.popleft())
            await self._settled()

    async def _settled(self) -> None:
        """Wait until a key has done what it does, and what it opens has the focus."""
        await _hops()
        while self.is_running and (self.opens or not self.screen.is_mounted):
            await asyncio.sleep(LOOK)
            if not self.opens and self.screen.is_mounted:
                await _hops()


async def _hops() -> None:
    for _ in range(HOPS):
        await asyncio.sleep(0)
