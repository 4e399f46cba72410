"""The pages on problems, which come with the package: what a code means, an example, how to mend it."""

from __future__ import annotations

from functools import lru_cache

from governance.policies import shipped

FOLDER = "docs/problems"


def codes() -> list[str]:
    """Return every code that has a page."""
    return sorted(path.stem for path in shipped(FOLDER).glob("*.md") if path.stem != "README")


@lru_cache(maxsize=256)
def page(code: str) -> str | None:
    """Return the page of a code in Markdown, None when there is none."""
    return (shipped(FOLDER) / f"{code}.md").read_text(encoding="utf-8") if code in codes() else None


def meaning(page: str) -> str:
    """Return the first paragraph of a page."""
    return " ".join(page.split("\n\n")[1].split())


def advice(page: str) -> str:
    """Return the last paragraph of a page: what to do."""
    return " ".join(page.rstrip().split("\n\n")[-1].split())
