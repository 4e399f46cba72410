"""The Markdown card as one self-contained page of HTML: no script, nothing that is fetched."""

from __future__ import annotations

from html import escape

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1c2024;background:#fff}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{border-bottom:1px solid #d0d4d9;padding:.3rem .8rem .3rem 0;"
    "text-align:left;vertical-align:top}code{background:#f0f1f3;padding:0 .2em}"
    "@media(prefers-color-scheme:dark){body{color:#e6e8ea;background:#15181b}code{background:#24282c}}"
)


def page(title: str, markdown: str) -> str:
    """Return a page; markup within the text is shown, not obeyed."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><meta name="viewport" content="width=device-width">'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}<style>{_STYLE}</style></head>\n<body>\n{body}</body></html>\n'
    )
