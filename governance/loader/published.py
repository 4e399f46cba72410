"""The JSON Schemas of our documents, for editors and other programs."""

from __future__ import annotations

from pydantic import BaseModel


def json_schema(kind: str, document: type[BaseModel]) -> dict[str, object]:
    """Return the JSON Schema of a kind of document, `kind:` included."""
    found = document.model_json_schema()
    found["properties"] = {"kind": {"const": kind}, **found["properties"]}
    found["required"] = ["kind", *found.get("required", [])]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
