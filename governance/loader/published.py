"""The JSON Schemas of our documents, for editors and other programs."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from governance.loader.descriptions import DESCRIPTIONS, EXAMPLES


def json_schema(kind: str, document: type[BaseModel]) -> dict[str, object]:
    """Return the JSON Schema of a kind of document, `kind:` included, with what an editor shows of each field."""
    found: dict[str, Any] = document.model_json_schema()
    _describe(document.__name__, found)
    for name, part in found.get("$defs", {}).items():
        _describe(name, part)
    stated = {"const": kind, "description": f"What this document is: a {kind}."}
    found["properties"] = {"kind": stated, **found["properties"]}
    found["required"] = ["kind", *found.get("required", [])]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def _describe(name: str, schema: dict[str, Any]) -> None:
    """Add descriptions and examples to the fields of one part of a document; the words of its class come first."""
    for field, said in schema.get("properties", {}).items():
        if field in DESCRIPTIONS.get(name, {}):
            said.setdefault("description", DESCRIPTIONS[name][field])
        if field in EXAMPLES.get(name, {}):
            said.setdefault("examples", EXAMPLES[name][field])
