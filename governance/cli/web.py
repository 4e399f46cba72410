"""The terminal app in a browser: a process of it for each tab, for whoever shows the token of this start."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import textual_serve
from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

PAGE = Path(__file__).parent / "web_page"
STATIC = Path(textual_serve.__file__).parent / "static"
PATIENCE = 10.0
"""Seconds that the process of a closed tab has to end by itself; a call to the engine takes five at most."""
FORCED = 2.0
"""Seconds that pages have to close once the processes of all tabs were killed."""
GREATEST = 1000
"""Columns, or lines, that a terminal has at most."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; font-src 'self'; "
    "img-src data:; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What a browser must not do with our pages; the terminal writes its colours as styles of its own."""
_ENTERED = '<!doctype html><title>gov tui</title><a href="/">Go on to the terminal app</a>\n'

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Door:
    """Who may come in: pages of these hosts alone, with the token of this start."""

    hosts: frozenset[str]
    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def cookie(self) -> str:
        """The name of the cookie; browsers send one to every port of a host, so that it bears ours."""
        return f"gov_tui_{self.port}"

    def refusal(self, request: web.Request) -> str:
        """Return why a request is refused, "" when it may come in.

        A name of somebody else's that leads here (DNS rebinding) is no host of ours; another page of this machine,
        which the browser counts to the same site, has another origin.
        """
        if _host(request.host) not in self.hosts:
            return f"{request.host!r} is no name of this server: open the address that `gov tui --web` printed"
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            return f"a page of {origin} may not reach the terminal app"
        if origin is None and request.path == "/ws":
            return "the terminal app is reached by its own page alone"
        if not self._holds(request.query.get("token", "")) and not self._holds(request.cookies.get(self.cookie, "")):
            return (
                "the token of this start is missing: open the address that `gov tui --web` printed when it started, "
                "which ends in ?token=…; a token of an earlier start does not hold any more"
            )
        return ""

    def _holds(self, shown: str) -> bool:
        return hmac.compare_digest(shown.encode("utf-8", "replace"), self.token.encode())


class Tab(AppService):
    """The process of one tab, which ends with it."""

    def __init__(self, command: Sequence[str], page: web.WebSocketResponse) -> None:
        """Run `command`, and show it on `page`."""
        super().__init__(
            command[0],
            write_bytes=page.send_bytes,
            write_str=page.send_str,
            close=page.close,  # type: ignore[arg-type]  # what it returns is not looked at
            download_manager=DownloadManager(),
        )
        self._words = command

    async def _open_app_process(self, width: int = 80, height: int = 24) -> asyncio.subprocess.Process:
        """Open the process without a shell in between."""
        pipe = asyncio.subprocess.PIPE
        environment = self._build_environment(width=width, height=height)
        made = await asyncio.create_subprocess_exec(*self._words, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
        self._process, self._stdin = made, made.stdin
        return made

    async def run(self) -> None:
        """Show what the process writes until it ends, however it ends; a page must not show what was."""
        try:
            await super().run()
        finally:
            await self.remote_close()

    async def on_meta(self, data: bytes) -> None:
        """Do nothing but end: the app neither opens other pages nor hands files over."""
        if json.loads(data).get("type") == "exit":
            await self.remote_close()

    async def said(self, message: str) -> str:
        """Take what the page says: keys, its size, whether it is looked at; return what to answer."""
        match json.loads(message):
            case ["stdin", str(typed)]:
                await self.send_bytes(typed.encode("utf-8", "replace"))
            case ["resize", {"width": int(width), "height": int(height)}]:
                await self.set_terminal_size(_sized(width), _sized(height))
            case ["focus"]:
                await self.focus()
            case ["blur"]:
                await self.blur()
            case ["alive"]:
                return '["alive"]'
        return ""

    async def stop(self) -> None:
        """End the process, by force where it does not end by itself."""
        try:
            await asyncio.wait_for(super().stop(), PATIENCE)
        except TimeoutError:
            self.kill()
        if self._process is not None:
            await self._process.wait()

    def kill(self) -> None:
        """End the process by force."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()


class Pages:
    """What a browser asks for."""

    def __init__(self, door: Door, command: Sequence[str]) -> None:
        """Let in whom `door` lets in, and run `command` for each tab."""
        self._door, self._command = door, command
        self._open: set[web.WebSocketResponse] = set()
        self._tabs: set[Tab] = set()

    def app(self) -> web.Application:
        """Return the application."""
        made = web.Application(middlewares=[self._checked])
        made.add_routes(
            [
                web.get("/", self._index),
                web.get("/ws", self._tab),
                web.static("/static", STATIC),
                web.static("/page", PAGE),
            ]
        )
        made.on_response_prepare.append(_guarded)
        made.on_shutdown.append(self._close)
        return made

    @web.middleware
    async def _checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refused = self._door.refusal(request)
        if refused:
            return web.Response(status=403, text=f"403: {refused}.\n")
        return await handler(request)

    async def _index(self, request: web.Request) -> web.StreamResponse:
        """Keep the token in a cookie, and out of the address that is seen; then show the page.

        A redirection would not do: a browser that came from another site does not show the new cookie there.
        """
        if "token" not in request.query:
            return web.FileResponse(PAGE / "index.html")
        entered = web.Response(text=_ENTERED, content_type="text/html", headers={"Refresh": "0; url=/"})
        # Another name than this machine's own is that of a proxy which speaks TLS; without it the cookie is not kept.
        secure = not _own(_host(request.host))
        entered.set_cookie(self._door.cookie, self._door.token, secure=secure, httponly=True, samesite="Strict")
        return entered

    async def _tab(self, request: web.Request) -> web.StreamResponse:
        """Run the app for a tab until either ends."""
        page = web.WebSocketResponse(heartbeat=15)
        await page.prepare(request)
        self._open.add(page)
        tab = Tab(self._command, page)
        self._tabs.add(tab)
        try:
            await tab.start(_sized(request.query.get("width", "")), _sized(request.query.get("height", "")))
            async for message in page:
                if message.type is WSMsgType.TEXT:
                    answer = await tab.said(message.data)
                    if answer:
                        await page.send_str(answer)
        finally:
            self._open.discard(page)
            await tab.stop()
            self._tabs.discard(tab)
        return page

    def kill(self) -> int:
        """End the processes of all tabs by force, and return how many tabs there were."""
        for each in self._tabs:
            each.kill()
        return len(self._tabs)

    async def _close(self, app: web.Application) -> None:
        del app
        await asyncio.gather(*(each.close(code=1001) for each in list(self._open)))


async def _guarded(request: web.Request, response: web.StreamResponse) -> None:
    del request
    response.headers.update(HEADERS)


def _host(text: str) -> str:
    """Return the name in a Host header, without its port."""
    try:
        return urlsplit(f"//{text}").hostname or ""
    except ValueError:
        return ""


def _own(host: str) -> bool:
    """Tell whether a host is this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _sized(text: str | int) -> int:
    """Return a width or height within reason."""
    try:
        return min(max(int(text), 1), GREATEST)
    except ValueError:
        return 80


def command(url: str, *, read_only: bool) -> list[str]:
    """Return the command of one tab; the token of the person is in its environment alone."""
    gov = [sys.executable, "-P", "-c", "from governance.cli.main import main; main()"]
    return [*gov, "tui", "--url", url, *(["--read-only"] if read_only else [])]


def serve(listener: socket.socket, door: Door, command: Sequence[str], token: str) -> int:
    """Serve until told to stop and return the exit code; `token` is the person's for the engine, "" for none.

    Whoever tells it twice does not wait: the processes of the tabs end by force, and the code is that of the signal.
    """
    if token:
        os.environ["GOV_TOKEN"] = token
    return asyncio.run(_served(listener, Pages(door, command)))


async def _served(listener: socket.socket, pages: Pages) -> int:
    runner = web.AppRunner(pages.app(), handle_signals=False, access_log=None, shutdown_timeout=PATIENCE + 2)
    told = asyncio.Queue[signal.Signals]()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.put_nowait, number)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    await told.get()
    ending, again = asyncio.create_task(runner.cleanup()), asyncio.create_task(told.get())
    await asyncio.wait({ending, again}, return_when=asyncio.FIRST_COMPLETED)
    if ending.done():
        again.cancel()
        return 0
    open_ = pages.kill()
    await asyncio.wait({ending}, timeout=FORCED)
    forced = f"; the app of {open_} open tab{'' if open_ == 1 else 's'} was ended by force" if open_ else ""
    print(f"gov: stopped at once, as it was told twice{forced}", file=sys.stderr)
    return 128 + again.result()
