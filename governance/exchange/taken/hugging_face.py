"""A model card of the Hugging Face Hub as the beginning of a card.

Source: https://huggingface.co/docs/hub/model-cards. What it claims of quality is no evidence: it is kept as notes.
"""

from __future__ import annotations

import re
from typing import Any

from governance.errors import InvalidDocument
from governance.exchange.taken.foreign import Foreign, Note, Taken, documents, listing, mapping, texts
from governance.exchange.taken.names import kebab

_KEPT = ("license", "language", "library_name", "base_model", "pipeline_tag")
_KNOWN = {*_KEPT, "tags", "datasets", "metrics", "model-index", "model_name", "thumbnail", "widget", "inference"}
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_LONGEST = 300


def hugging_face(file: str, text: str) -> Taken:
    """Return a card with what a README.md of the Hub says of its model.

    :raises InvalidDocument: when it has no front matter
    """
    text = text.replace("\r\n", "\n")
    front = _FRONT.match(text)
    if front is None:
        raise InvalidDocument(f"{file}:1:1: no front matter: a model card of the Hub begins with --- and its metadata")
    found = documents(file, front[1], first_line=2)
    document = found[0] if found else Foreign(file, {}, {})
    data = mapping(document.data)
    body = text[front.end() :]
    card: dict[str, object] = {"model": kebab(_name(data, body)) or "my-model"}
    description = _description(body)
    if description:
        card["description"] = description
    labels = {name: _joined(data[name]) for name in _KEPT if data.get(name)}
    if labels:
        card["labels"] = labels
    card["log"] = _log(data)
    datasets = [texts(each) for each in listing(data.get("datasets")) if isinstance(each, str)]
    if datasets:
        card["data"] = {"depends_on": datasets}
    notes = [*_claims(document), *_left(document)]
    sources: dict[str, dict[str, object]] = {"predictions": {"kind": "parquet", "path": "data"}}
    return Taken(file, card, sources, tuple(notes))


def _log(data: dict[str, Any]) -> dict[str, object]:
    regression = "regression" in str(data.get("pipeline_tag", "")) or "forecasting" in str(data.get("pipeline_tag", ""))
    columns = {"time": "scored_at", "request": "request_id", "version": "version", "score": "score"}
    return {
        "source": "predictions",
        "table": "predictions",
        **({"predicts": "number"} if regression else {}),
        "columns": columns,
    }


def _name(data: dict[str, Any], body: str) -> str:
    index = listing(data.get("model-index"))
    named = mapping(index[0]).get("name") if index else None
    title = re.search(r"^#\s+(?:Model Card for\s+)?(.+)$", body, re.MULTILINE | re.IGNORECASE)
    return texts(named or data.get("model_name") or (title[1] if title else ""))


def _description(body: str) -> str:
    """Return the first paragraph of prose."""
    without = re.sub(r"<!--.*?-->|```.*?```", "", body, flags=re.DOTALL)
    for paragraph in re.split(r"\n\s*\n", without):
        plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)|<[^>]+>|[*_`]", lambda found: found[1] or "", paragraph)
        lines = [line for line in plain.splitlines() if not re.match(r"\s*(#|\||[-*+] |>|={3})", line)]
        text = texts(" ".join(lines))
        if len(text.split()) > 3:
            return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return ""


def _claims(document: Foreign) -> list[Note]:
    notes = []
    for at, model in enumerate(listing(mapping(document.data).get("model-index"))):
        for number, result in enumerate(listing(mapping(model).get("results"))):
            where = ("model-index", at, "results", number)
            data = texts(mapping(mapping(result).get("dataset")).get("name") or mapping(result).get("dataset"))
            for index, metric in enumerate(listing(mapping(result).get("metrics"))):
                named = mapping(metric)
                claim = f"{texts(named.get('type') or named.get('name'))} {texts(named.get('value'))}"
                said = f"claimed, not measured here: {claim} on {data or 'no named data'}"
                notes.append(Note(document.line(*where, "metrics", index), said))
    return notes


def _left(document: Foreign) -> list[Note]:
    data = mapping(document.data)
    tags = [texts(each) for each in listing(data.get("tags"))]
    notes = [Note(document.line("tags"), f"tags are not taken over: {', '.join(tags)}")] if tags else []
    return notes + [
        Note(document.line(name), f"`{texts(name)}` has no counterpart") for name in data if name not in _KNOWN
    ]


def _joined(value: object) -> str:
    return ", ".join(texts(each) for each in value) if isinstance(value, list) else texts(value)
