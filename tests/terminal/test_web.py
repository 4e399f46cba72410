"""The terminal app in a browser: what a headless Chromium shows, and who is let in."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import httpx
import pytest
from aiohttp.test_utils import TestClient, TestServer
from chromium import Page, chromium
from interfaces.serving import GOV, ask
from terminal.world import World, world

from governance.cli.web import Door, Pages

_CATCH = """
Object.defineProperty(Object.prototype, "terminal", {
  configurable: true,
  set(found) {
    window.shown = found;
    Object.defineProperty(this, "terminal", {value: found, writable: true});
  },
});
"""
_TEXT = """
(() => {
  const lines = window.shown?.buffer.active;
  const numbers = [...Array(lines?.length ?? 0).keys()];
  return numbers.map((at) => lines.getLine(at).translateToString(true)).join("\\n");
})()
"""
"""What the terminal in the page shows, of which the page itself gives nothing away: it draws on a canvas."""


class Web:
    """A running `gov tui --web`."""

    def __init__(self, here: World, folder: Path, *arguments: str) -> None:
        folder.mkdir()
        token, self._log = folder / "token", folder / "web.log"
        token.write_text(here.tokens["ana"], encoding="ascii")
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [*GOV, "tui", "--web", "--port", "0", "--url", here.served.url, "--token-file", str(token), *arguments],
                cwd=folder, stdout=output, stderr=output,
            )  # fmt: skip
        self.url = self._until(r"on (http://\S+)\n")
        self.origin, _, self.token = self.url.partition("/?token=")
        self.port = self.origin.rpartition(":")[2]
        self.http = httpx.Client(base_url=self.origin, trust_env=False, timeout=40)

    def _until(self, words: str) -> str:
        end = time.monotonic() + 40
        while not (found := re.search(words, self.printed)):
            assert self.process.poll() is None, self.printed
            assert time.monotonic() < end, self.printed
            time.sleep(0.05)
        return found[1]

    @property
    def printed(self) -> str:
        """All that it printed."""
        return self._log.read_text(encoding="utf-8")

    @property
    def apps(self) -> list[int]:
        """The processes of the tabs."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(each) for each in listed.read_text(encoding="ascii").split()]

    def close(self) -> None:
        """End it."""
        self.http.close()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running engine with a critical incident."""
    made = world(tmp_path_factory.mktemp("web") / "engine")
    yield made
    made.close()


@pytest.fixture(scope="module")
def web(here: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The app in a browser, as ana."""
    made = Web(here, tmp_path_factory.mktemp("served") / "ana")
    yield made
    made.close()


async def shows(page: Page, *texts: str) -> str:
    """Wait until the terminal in the page shows all of these; return all that it shows."""

    async def found() -> str:
        shown = str(await page.tell(_TEXT))
        return shown if all(each in shown for each in texts) else ""

    return str(await page.until(found))


async def entered(web: Web) -> aiohttp.ClientSession:
    """Return a session of somebody who opened the address, as a browser does."""
    session = aiohttp.ClientSession(
        cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Origin": web.origin}, timeout=aiohttp.ClientTimeout(40)
    )
    async with session.get(web.url) as answer:
        assert answer.status == 200, await answer.text()
    return session


async def received(tab: aiohttp.ClientWebSocketResponse, text: bytes) -> None:
    """Read what an app writes until it has written a text."""
    seen, end = b"", time.monotonic() + 40
    while text not in seen:
        seen += (await tab.receive(40)).data
        assert time.monotonic() < end, seen.decode(errors="replace")[-5000:]


def gone(web: Web, process: int) -> bool:
    """Tell whether the process of a tab has ended."""
    return process not in web.apps


def test_a_browser_shows_the_fleet_and_takes_an_incident(here: World, web: Web, tmp_path: Path) -> None:
    async def story() -> None:
        async with chromium(tmp_path) as browser:
            page = await browser.page(_CATCH)
            await page.go(web.url)
            await shows(page, "▲ 1 critical", "loans", "● live", "nobody yet")
            await page.press("a")
            await shows(page, "acknowledged")
            assert await page.tell("location.href") == f"{web.origin}/", "the token is out of sight"
            assert await page.tell("document.cookie") == "", "no script reads it"
            (first,) = web.apps
            other = await browser.page(_CATCH)
            await other.go(f"{web.origin}/")
            await shows(other, "acknowledged")
            (second,) = set(web.apps) - {first}
            await other.close()
            here.served.until(lambda: gone(web, second))
            assert web.apps == [first], "each tab has an app of its own, which ends with it"
            web.process.send_signal(signal.SIGSTOP)
            await page.until(lambda: page.tell("document.body.innerText.includes('what you see may be old')"))
            web.process.send_signal(signal.SIGCONT)
            await page.until(lambda: page.tell("!document.body.innerText.includes('what you see may be old')"))
            os.kill(first, signal.SIGKILL)
            await page.until(lambda: page.tell("document.body.innerText.includes('has ended')"))
            await page.tell("document.getElementById('again').click()")
            await shows(page, "acknowledged")
            local = (web.origin, web.origin.replace("http", "ws"), "data:")
            assert [each for each in page.requests if not each.startswith(local)] == []
            assert [each for each in page.requests if each.endswith(".ttf")], "the letters are ours"

    asyncio.run(story())
    incident = here.incident()
    assert incident is not None
    assert incident.acknowledged_by == "ana"
    here.served.until(lambda: not web.apps)


def test_nobody_comes_in_without_the_token(web: Web) -> None:
    for path in (
        "/",
        "/?token=",
        "/?token=wrong",
        "/?token=w%C3%B6ng",
        "/ws",
        "/static/js/textual.js",
        "/page/page.js",
    ):
        answer = web.http.get(path, headers={"Origin": web.origin, "Cookie": f"gov_tui_{web.port}=wrong"})
        assert answer.status_code == 403, path
        assert "open the address that `gov tui --web` printed" in answer.text
    assert web.apps == []


def test_the_token_stays_where_it_was_shown(web: Web) -> None:
    answer = web.http.get(web.url)
    assert answer.status_code == 200
    assert answer.headers["Set-Cookie"].endswith("; HttpOnly; Path=/; SameSite=Strict")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert web.token not in answer.text


@pytest.mark.parametrize(
    ("path", "headers", "said"),
    [
        ("/", {"Host": "rebound.example"}, "is no name of this server"),
        ("/ws", {"Host": "rebound.example", "Origin": "http://rebound.example"}, "is no name of this server"),
        ("/", {"Host": ""}, "is no name of this server"),
        ("/ws", {"Origin": "https://evil.example"}, "a page of https://evil.example may not"),
        ("/ws", {"Origin": "http://127.0.0.1:1"}, "a page of http://127.0.0.1:1 may not"),
        ("/ws", {"Origin": "null"}, "a page of null may not"),
        ("/ws", {}, "by its own page alone"),
    ],
)
def test_pages_of_others_do_not_come_in_even_with_the_cookie(
    web: Web, path: str, headers: dict[str, str], said: str
) -> None:
    """As a page does that the person looks at in the same browser, which sends the cookie along."""
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    cookie = {"Cookie": f"gov_tui_{web.port}={web.token}", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    answer = web.http.get(path, headers={**(upgrade if path == "/ws" else {}), **cookie, **headers})
    assert answer.status_code == 403
    assert said in answer.text
    assert web.apps == []


def test_it_only_looks_and_the_persons_token_is_in_no_command_line(here: World, tmp_path: Path) -> None:
    served = Web(here, tmp_path / "looks", "--read-only")

    async def story() -> int:
        async with await entered(served) as session:
            tab = await session.ws_connect(f"{served.origin}/ws?width=130&height=60")
            await received(tab, b"INC-1")
            await tab.send_str('["stdin", "?"]')
            await received(tab, b"--read-only")
            (app,) = served.apps
            told = Path(f"/proc/{app}/cmdline").read_bytes()
            assert b"tui" in told
            assert here.tokens["ana"].encode() not in told
            served.process.terminate()
            async for _ in tab:
                pass
            return app

    try:
        app = asyncio.run(story())
        assert served.process.wait(40) == 0, served.printed
    finally:
        served.close()
    assert here.tokens["ana"] not in served.printed
    assert not Path(f"/proc/{app}").exists(), "an open tab ends with what serves it"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_whoever_stops_it_twice_does_not_wait_for_a_tab_that_hangs(
    here: World, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    served = Web(here, tmp_path / "twice")

    async def story() -> int:
        async with await entered(served) as session:
            tab = await session.ws_connect(f"{served.origin}/ws?width=80&height=24")
            await received(tab, b"\x1b[?1049h")  # it draws, so that it would end by itself
            (app,) = served.apps
            os.kill(app, signal.SIGSTOP)
            served.process.send_signal(number)
            async for _ in tab:  # until it is closed: the first signal was heard
                pass
            assert served.process.poll() is None, "it waits for the app"
            served.process.send_signal(number)
            return app

    try:
        app = asyncio.run(story())
        assert served.process.wait(40) == code, served.printed
    finally:
        served.close()
    said = "gov: stopped at once, as it was told twice; the app of 1 open tab was ended by force"
    assert served.printed.splitlines()[2:] == [said]
    end = time.monotonic() + 20
    while Path(f"/proc/{app}").exists():  # whoever inherits it may take a moment to bury it
        assert time.monotonic() < end, "the app of the tab lives on"
        time.sleep(0.05)


def test_it_listens_on_loopback_alone_unless_a_name_is_allowed(tmp_path: Path) -> None:
    refused = ask(tmp_path, "tui", "--web", "--host", "::", "--port", "0")
    assert refused.returncode == 3
    assert "sees the token, which is not encrypted" in refused.stderr
    assert "--allow-host NAME" in refused.stderr
    misplaced = ask(tmp_path, "tui", "--allow-host", "gov.example")
    assert misplaced.returncode == 2
    assert "are for --web" in misplaced.stderr


def test_a_package_that_is_missing_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    monkeypatch.delitem(sys.modules, "governance.cli.web", raising=False)
    done = ask(tmp_path, "tui", "--web")
    assert done.returncode == 4
    assert "pip install 'model-governance[web]'" in done.stderr


def test_a_name_that_is_allowed_is_reached_through_tls_alone(here: World, tmp_path: Path) -> None:
    door = Door(frozenset({"127.0.0.1", "gov.example"}), 1)

    async def story() -> None:
        async with TestClient(TestServer(Pages(door, ["false"]).app())) as client:
            named = {"Host": "gov.example", "Origin": "https://gov.example"}
            answer = await client.get("/", params={"token": door.token}, headers=named)
            assert answer.status == 200
            assert "; Secure" in answer.headers["Set-Cookie"]

    asyncio.run(story())
