"""A headless Chromium, driven as its developer tools do: over a web socket, by the DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
from contract.sources.programs import program

_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # which root has none of
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--remote-debugging-port=0",
)
_LISTENS = re.compile(r"DevTools listening on (ws://\S+)")


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._last = socket, 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.requests: list[str] = []
        """The address of all that was asked for, web sockets too."""
        self.complaints: list[str] = []
        """What stands in the console, and what the browser itself has against the page."""
        self._task = asyncio.ensure_future(self._read())

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser for something and return what it answers."""
        self._last += 1
        answer = self._waiting[self._last] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._last, "method": method, "params": parameters})
        return await asyncio.wait_for(answer, 40)

    async def tell(self, script: str) -> Any:
        """Return the value of an expression of JavaScript in the page."""
        found = await self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def go(self, url: str) -> None:
        """Open an address."""
        await self.ask("Page.navigate", url=url)

    async def press(self, *keys: str) -> None:
        """Press keys: single letters, or `Enter` and `Escape`."""
        codes = {"Enter": ("\r", 13), "Escape": ("", 27)}
        for key in keys:
            text, code = codes.get(key, (key, ord(key.upper()[0])))
            what = {"key": key, "windowsVirtualKeyCode": code}
            await self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **what)
            await self.ask("Input.dispatchKeyEvent", type="keyUp", **what)

    async def picture(self, path: Path) -> None:
        """Write what is seen as a PNG."""
        found = await self.ask("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(found["data"]))

    async def close(self) -> None:
        """Close the tab, as a person does."""
        with suppress(ConnectionError):
            await self.ask("Page.close")
        self._task.cancel()
        await self._socket.close()

    async def until(self, found: Callable[[], Any], seconds: float = 40) -> Any:
        """Return what an awaitable gives as soon as that is something."""
        end = time.monotonic() + seconds
        while True:
            value = await found()
            if value:
                return value
            said = "" if time.monotonic() < end else await self.tell("document.body.innerText")
            assert time.monotonic() < end, f"not within {seconds} s; the page says: {said}"
            await asyncio.sleep(0.05)

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if said.get("method") == "Network.requestWillBeSent":
                self.requests.append(said["params"]["request"]["url"])
            elif said.get("method") == "Network.webSocketCreated":
                self.requests.append(said["params"]["url"])
            elif said.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
                self.complaints.append(json.dumps(said["params"]))
            waiting = self._waiting.pop(said.get("id", 0), None)
            if waiting is not None and not waiting.done():
                error = said.get("error")
                waiting.set_exception(AssertionError(error)) if error else waiting.set_result(said["result"])


class Browser:
    """A running browser."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._host, self._session = url.split("/")[2], session

    async def page(self, before: str = "", *, width: int = 1200, height: int = 800) -> Page:
        """Open an empty tab of its own; run a script in every page of it before its own scripts."""
        async with self._session.put(f"http://{self._host}/json/new?about:blank") as answer:
            address = (await answer.json())["webSocketDebuggerUrl"]
        page = Page(await self._session.ws_connect(address, max_msg_size=0))
        for domain in ("Page", "Network", "Runtime", "Log"):
            await page.ask(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await page.ask("Emulation.setDeviceMetricsOverride", **size)
        if before:
            await page.ask("Page.addScriptToEvaluateOnNewDocument", source=before)
        return page


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Browser]:
    """Run a browser with a profile of its own until the block ends."""
    found = program("chromium", "apt-get install chromium")
    log = folder / "chromium.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [found, *_FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"],
            stdout=output, stderr=output, env={**os.environ, "HOME": str(folder)},
        )  # fmt: skip
    try:
        end = time.monotonic() + 40
        while not (said := _LISTENS.search(log.read_text(errors="replace"))):
            assert process.poll() is None, log.read_text(errors="replace")[-2000:]
            assert time.monotonic() < end, "chromium did not start within 40 s"
            await asyncio.sleep(0.05)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(40)) as session:
            yield Browser(said[1], session)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
