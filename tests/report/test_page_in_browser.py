"""The report in a real browser: it fetches nothing, complains of nothing, and can be read on screens and on paper."""

from __future__ import annotations

import asyncio
from pathlib import Path

from chromium import Browser, Page, chromium
from report.world import END, World
from transcripts.workspace import Workspace

_TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_CUT = """[...document.querySelectorAll('td, th, summary, dd, h1, p')].filter(each => {
  const box = each.getBoundingClientRect()
  return box.width > 0 && each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display != 'inline'
}).map(each => each.textContent.slice(0, 60))"""
_OPEN = "document.querySelectorAll('details').forEach(each => each.open = true)"
_HIDDEN = """[...document.querySelectorAll('details:not([open]) td')].filter(
  each => !each.checkVisibility({contentVisibilityAuto: true})).length"""
_GROUND = "getComputedStyle(document.body).backgroundColor"
_BAD = """<!doctype html><title>x</title><img src="http://127.0.0.1:9/x"><script>console.error('said')</script>"""


def test_it_is_whole_in_a_browser(audited: World, tmp_path: Path) -> None:
    done = Workspace(audited.directory).ask("export", "fleet", "--at", f"{END:%Y-%m-%dT%H:%MZ}")
    (tmp_path / "fleet.html").write_text(done.stdout, encoding="utf-8")
    (tmp_path / "bad.html").write_text(_BAD, encoding="utf-8")

    async def story() -> None:
        async with chromium(tmp_path) as browser:
            page = await opened(browser, tmp_path / "fleet.html")
            assert await page.tell("document.title") == "Fleet report: audited"
            assert await page.tell("document.querySelectorAll('svg.plot').length") == 2
            await page.until(lambda: page.tell(f"{_HIDDEN} > 50"))  # models are closed at first
            await on_paper(page)
            await page.tell("document.querySelector('a[href=\"#m-fraud\"]').click()")
            await page.until(lambda: page.tell("document.querySelectorAll('details[open]').length == 1"))
            assert await page.tell("document.querySelector('details[open] summary b').textContent") == "fraud"
            await page.tell(_OPEN)
            for width in (1280, 390):
                await sized(page, width)
                assert await page.tell(_TOO_WIDE) <= 0, f"nothing leaves a screen of {width} pixels"
                assert await page.tell(_CUT) == [], f"and no text is cut at {width}"
            await in_the_dark(page)
            assert page.requests == [(tmp_path / "fleet.html").as_uri()], "nothing else is fetched"
            assert page.complaints == []
            other = await opened(browser, tmp_path / "bad.html")
            assert len(other.requests) > 1, "what is fetched would be seen"
            await other.until(lambda: heard(other))

    asyncio.run(story())


async def opened(browser: Browser, path: Path) -> Page:
    """Open a file and wait until it is whole."""
    page = await browser.page(width=1280, height=1000)
    await page.go(path.as_uri())
    await page.until(lambda: page.tell("document.readyState == 'complete' && location.protocol == 'file:'"))
    return page


async def heard(page: Page) -> bool:
    """Tell whether a complaint was heard."""
    return any("said" in each for each in page.complaints)


async def sized(page: Page, width: int) -> None:
    """Look at it on a screen of that width."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    await page.ask("Emulation.setDeviceMetricsOverride", **size)
    await page.until(lambda: page.tell(f"innerWidth == {width}"))


async def on_paper(page: Page) -> None:
    """See that what is closed on a screen is printed."""
    await page.ask("Emulation.setEmulatedMedia", media="print")
    await page.until(lambda: page.tell(f"{_HIDDEN} == 0"))
    await page.ask("Emulation.setEmulatedMedia", media="")
    await page.until(lambda: page.tell(f"{_HIDDEN} > 50"))


async def in_the_dark(page: Page) -> None:
    """See that the page follows what its reader prefers, and that paper stays white."""
    light = await page.tell(_GROUND)
    dark = {"name": "prefers-color-scheme", "value": "dark"}
    await page.ask("Emulation.setEmulatedMedia", media="", features=[dark])
    await page.until(lambda: page.tell(f"{_GROUND} != '{light}'"))
    await page.ask("Emulation.setEmulatedMedia", media="print", features=[dark])
    await page.until(lambda: page.tell(f"{_GROUND} == 'rgb(255, 255, 255)'"))
