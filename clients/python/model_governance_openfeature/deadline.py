"""One deadline for whatever is awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Late(Exception):
    """It was not done in time."""


async def within(awaited: Awaitable[T], seconds: float) -> T:
    """Await something for so long.

    Unlike `asyncio.wait_for` it never loses a cancellation that comes together with the result (until Python 3.11), and
    it always waits until what is given up has closed what it had opened.

    :raises Late: when it was not done by then.
    """
    task = asyncio.ensure_future(awaited)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    if task.cancelled():
        raise Late
    return task.result()
