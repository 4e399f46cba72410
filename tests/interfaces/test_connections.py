"""Connections to the server, seen from its side."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing

import uvicorn
from fastapi import FastAPI
from uvicorn.server import ServerState

from governance.api.patience import Patience
from governance.api.server import listening


def test_the_pieces_of_an_answer_do_not_wait_for_each_other() -> None:
    options: list[int] = []

    class Watched(Patience):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            accepted = transport.get_extra_info("socket")
            options.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    async def connected() -> None:
        config = uvicorn.Config(FastAPI(), log_config=None)
        with closing(listening((socket.AF_INET, "127.0.0.1", 0))) as listener:
            server = await asyncio.get_running_loop().create_server(
                lambda: Watched(config, ServerState(), {}), sock=listener
            )
            _, writer = await asyncio.open_connection(*listener.getsockname())
            while not options:
                await asyncio.sleep(0.001)
            writer.close()
            server.close()

    asyncio.run(connected())
    assert options == [1]
