"""A page as a reader sees it: its texts, its addresses and its tables, by the parser of the standard library."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "br", "img", "link", "input", "wbr"}
_FETCHED = ("src", "srcset", "href", "xlink:href", "data", "poster", "action", "background", "formaction", "ping")


@dataclass
class Page(HTMLParser):
    """What a page holds; `asked` is whatever a browser would fetch, or run."""

    html: str
    ids: list[str] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read it."""
        super().__init__()
        self._cell = False
        self.feed(self.html)
        assert self.open == [], "every element is closed"
        self.asked += re.findall(r"url\(\s*([^)]*)|@import([^;]*)", "".join(self._styles()))

    def _styles(self) -> list[str]:
        return re.findall(r"<style>(.*?)</style>", self.html, re.DOTALL)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        if tag not in _VOID:
            self.open.append(tag)
        self._attributes(tag, dict(attrs))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._cell = True

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element without content."""
        self._attributes(tag, dict(attrs))

    def _attributes(self, tag: str, attrs: dict[str, str | None]) -> None:
        if attrs.get("id"):
            self.ids.append(str(attrs["id"]))
        for name, value in attrs.items():
            if name.startswith("on") or (name in _FETCHED and tag != "a"):
                self.asked.append(f"{tag} {name}={value}")
            if name == "style" and "url" in str(value):
                self.asked.append(f"{tag} style={value}")
        if tag in ("script", "iframe", "object", "embed", "base", "link", "form"):
            self.asked.append(tag)
        if tag == "a":
            self.anchors.append(str(attrs.get("href")))

    def handle_endtag(self, tag: str) -> None:
        """Note the end of an element."""
        assert self.open.pop() == tag, f"{tag} is not nested"
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        """Note a text."""
        if self._cell:
            self.rows[-1][-1] += data

    def row(self, *beginning: str) -> list[str]:
        """Return the first row whose cells begin so."""
        return next(
            each
            for each in self.rows
            if len(each) >= len(beginning) and all(a.startswith(b) for a, b in zip(each, beginning, strict=False))
        )


def section(html: str, anchor: str) -> str:
    """Return the element with an id, to its own end."""
    start = re.search(rf'<(\w+) id="{re.escape(anchor)}">', html)
    assert start is not None, f"no #{anchor}"
    depth = 0
    for each in re.finditer(rf"<(/?){start[1]}\b[^>]*>", html[start.start() :]):
        depth += -1 if each[1] else 1
        if depth == 0:
            return html[start.start() : start.start() + each.end()]
    raise AssertionError(f"#{anchor} does not end")
