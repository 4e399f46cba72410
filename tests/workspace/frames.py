"""WebSocket frames (RFC 6455, section 5.2): whole ones, unmasked from a server and masked to it."""

from __future__ import annotations

import asyncio
import os
import struct

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    """Return the kind of the next frame, what it says, and its bytes as they came."""
    head = await reader.readexactly(2)
    kind, size = head[0] & 0x0F, head[1] & 0x7F
    if size >= 126:
        more = await reader.readexactly(2 if size == 126 else 8)
        head += more
        size = int.from_bytes(more)
    mask = b""
    if head[1] & 0x80:
        mask = await reader.readexactly(4)
    body = await reader.readexactly(size)
    said = bytes(byte ^ mask[place % 4] for place, byte in enumerate(body)) if mask else body
    return kind, said, head + mask + body


def text_frame(text: str, *, masked: bool) -> bytes:
    """Return a frame that says a text."""
    body = text.encode()
    return _head(len(body), masked=masked) + (_masked(body) if masked else body)


def _head(size: int, *, masked: bool) -> bytes:
    bit = 0x80 if masked else 0
    if size < 126:
        return struct.pack("!BB", 0x80 | TEXT, bit | size)
    if size < 1 << 16:
        return struct.pack("!BBH", 0x80 | TEXT, bit | 126, size)
    return struct.pack("!BBQ", 0x80 | TEXT, bit | 127, size)


def _masked(body: bytes) -> bytes:
    mask = os.urandom(4)
    return mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(body))
