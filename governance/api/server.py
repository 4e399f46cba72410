"""Where the API listens, and the server that carries it."""

from __future__ import annotations

import ipaddress
import resource
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from governance.api.patience import Patience
from governance.errors import Denied, NotFound, Unavailable

KEEP_ALIVE = 75
"""Seconds that an idle connection lives: longer than clients wait between two questions, or they meet it closing."""
GRACE = 5
"""Seconds that requests under way have when the server stops."""
MOST_FILES = 2**16

Place = tuple[socket.AddressFamily, str, int]


def place(host: str, port: int) -> Place:
    """Return where to listen.

    :raises NotFound: when the host is no address.
    """
    try:
        family, _, _, _, found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise NotFound(f"{host!r} is no address to listen on; write 127.0.0.1") from error
    return family, str(found[0]), port


def is_loopback(where: Place) -> bool:
    """Tell whether only this machine reaches it."""
    return ipaddress.ip_address(where[1].partition("%")[0]).is_loopback


def refuse_open(where: Place, *, known: bool) -> None:
    """Let others reach the server only where it is `known` how they prove who they are.

    :raises Denied: when it is not.
    """
    if not is_loopback(where) and not known:
        raise Denied(
            f"{where[1]} is not loopback, and nobody could prove who they are: make a token first "
            "(gov token create), or set `identity: {oidc: …}` in org.yaml; or serve on 127.0.0.1"
        )


def listening(where: Place) -> socket.socket:
    """Return a socket that listens.

    :raises Unavailable: when the port is taken.
    """
    family, number, port = where
    try:
        return socket.create_server((number, port), family=family)
    except OSError as error:
        raise Unavailable(f"port {port} of {number} cannot be had: {error.strerror}; choose one with --port") from error


def address(listener: socket.socket) -> str:
    """Return the address of a socket as it stands in a URL."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def room() -> int:
    """Let this process have as many open files, and so connections, as the system lets it take; return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return MOST_FILES if soft == resource.RLIM_INFINITY else soft


class _Server(uvicorn.Server):
    """A server that first ends what would never end by itself."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        await super().shutdown(sockets)


def server_of(app: FastAPI, on_stop: Callable[[], None]) -> uvicorn.Server:
    """Return a server that says nothing of each request and knows of no proxy before it; `on_stop` ends its streams."""
    return _Server(
        uvicorn.Config(
            app,
            http=Patience,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
            backlog=4096,
        ),
        on_stop,
    )
