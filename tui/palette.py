"""What the command palette finds: every act that does something now, models, incidents and what else has a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.keys import action
from tui.known import GLYPHS
from tui.screens.frame import Frame

if TYPE_CHECKING:
    from tui.app import GovApp

MOST = 60
"""Models and incidents that are offered at once: more nobody reads."""


class Offer(NamedTuple):
    """Something that can be chosen: how it is written, what it is, and what choosing it does."""

    text: str
    about: str
    do: Callable[[], object]


class Found(Provider):
    """Searches what the app knows, without asking the engine."""

    async def discover(self) -> Hits:
        """Offer the acts of the screen before anything is typed."""
        for each in acts(self.screen):
            yield DiscoveryHit(each.text, each.do, each.text, each.about)

    async def search(self, query: str) -> Hits:
        """Offer what fits the words."""
        matcher, app = self.matcher(query), self.app
        for each in (*acts(self.screen), *things(app, query)):  # type: ignore[arg-type]
            score = matcher.match(each.text)
            if score > 0:
                yield Hit(score, matcher.highlight(each.text), each.do, each.text, each.about)


def acts(screen: object) -> Iterator[Offer]:
    """Yield the acts that do something on a screen now."""
    if not isinstance(screen, Frame):
        return
    now = screen.here()
    for name, key in screen.live_keys():
        if not key.off(now) and not key.act.startswith(("move", "command_palette")):
            word = key.label or name.replace("view.", "Go to ").replace("_", " ")
            yield Offer(f"{word} ({screen.app.written(name, key)})", key.about, partial(screen.run_action, action(key)))


def things(app: GovApp, query: str) -> Iterator[Offer]:
    """Yield the models and incidents whose text has the first word of a query."""
    known = app.snapshot
    if known is None:
        return
    word = next(iter(query.lower().split()), "")
    left = MOST
    for each in known.incidents.values():
        text = f"INC-{each.id} {each.model}: {each.title}"
        if left and word in text.lower():
            left -= 1
            about = f"{GLYPHS.get(each.severity, '?')} {each.severity}, {each.status}"
            yield Offer(text, about, partial(app.open_incident, each.id))
    yield from _runbooks(app, word)
    left = MOST
    for row in known.fleet.items:
        if left and word in row.model:
            left -= 1
            yield Offer(row.model, f"model of {row.team}, tier {row.tier}", partial(app.open_model, row.model))


def _runbooks(app: GovApp, word: str) -> Iterator[Offer]:
    """Yield the runbooks whose name or description has a word: choosing one starts it on what is under the cursor."""
    now = app.frame.here() if app.frame is not None else None
    row = now.row if now is not None else None
    if row is None or not row.mode or now is None or now.looks_only or now.offline:
        return
    incident = now.incident
    for each in app.runbooks.get(row.model, ()):
        if word in f"runbook {each.runbook} {each.description}".lower():
            about = each.refused or f"start it on {row.model}: {each.description}"
            yield Offer(
                f"Runbook {each.runbook} on {row.model}", about, partial(app.start_on, row.model, each, incident)
            )
