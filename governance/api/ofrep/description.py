"""The part of our OpenAPI document that describes the routes of OFREP."""

from __future__ import annotations

from typing import Any

from governance.api.ofrep.routes import EVENTS, FLAGS
from governance.core.flag import KINDS

_TEXT = {"type": "string"}
_ERRORS = ["PARSE_ERROR", "INVALID_CONTEXT", "FLAG_NOT_FOUND", "GENERAL"]
_SECURITY: list[dict[str, list[str]]] = [{"HTTPBearer": []}]
_SCALAR = {"type": ["string", "number", "null"]}
SCHEMAS: dict[str, Any] = {
    "OfrepRequest": {
        "type": "object",
        "properties": {
            "context": {
                "type": ["object", "null"],
                "description": "Who is asked about (`targetingKey`), which `version` answers, and labels.",
                "properties": {"targetingKey": _SCALAR, "version": _SCALAR},
            }
        },
    },
    "OfrepFlag": {
        "type": "object",
        "required": ["key", "value", "variant", "reason", "metadata"],
        "properties": {
            "key": _TEXT,
            "value": {"type": ["boolean", "string", "object"]},
            "variant": _TEXT,
            "reason": {"enum": ["STATIC", "TARGETING_MATCH", "SPLIT", "DEFAULT"]},
            "metadata": {"type": "object", "additionalProperties": {"type": ["boolean", "string", "number"]}},
        },
    },
    "OfrepFlags": {
        "type": "object",
        "required": ["flags", "eventStreams", "metadata"],
        "properties": {
            "flags": {"type": "array", "items": {"$ref": "#/components/schemas/OfrepFlag"}},
            "eventStreams": {"type": "array", "items": {"type": "object", "required": ["type", "endpoint"]}},
            "metadata": {"type": "object"},
        },
    },
    "OfrepFailure": {
        "type": "object",
        "required": ["errorCode", "errorDetails"],
        "properties": {"key": _TEXT, "errorCode": {"enum": _ERRORS}, "errorDetails": _TEXT},
    },
}


def described(document: dict[str, Any]) -> dict[str, Any]:
    """Add the routes to an OpenAPI document."""
    document.setdefault("components", {}).setdefault("schemas", {}).update(SCHEMAS)
    paths = _paths()
    for route in (route for routes in paths.values() for route in routes.values()):
        route["security"] = [{"HTTPBearer": []}]
    document["paths"].update(paths)
    return document


def _paths() -> dict[str, Any]:
    key = {"name": "key", "in": "path", "required": True, "schema": _TEXT}
    key["description"] = f"<model>.{', <model>.'.join(KINDS)}"
    model = {"name": "model", "in": "query", "schema": {"type": "array", "items": _TEXT}}
    model["description"] = "Only the flags of these models."
    known = {"name": "If-None-Match", "in": "header", "schema": _TEXT}
    tag = {"ETag": {"schema": _TEXT}}
    refused = _refused({"400": "What cannot be read."})
    one = {"200": _json("The value of the flag.", "OfrepFlag"), **refused, **_refused({"404": "No such flag."})}
    every = {
        "200": {**_json("The values of all flags.", "OfrepFlags"), "headers": tag},
        "304": {"description": "The caller has them.", "headers": tag},
        **refused,
    }
    told = {"name": "changes", "in": "query", "schema": {"type": "boolean"}}
    told["description"] = "With `true` an event `switches` tells what has changed before clients are told to ask."
    stream = {"description": "Events that say when to ask again.", "content": {"text/event-stream": {}}}
    return {
        FLAGS + "/{key}": {"post": _operation("evaluate_flag", "Evaluate one flag.", [key], one)},
        FLAGS: {"post": _operation("evaluate_flags", "Evaluate all flags.", [model, known], every)},
        EVENTS: {
            "get": {
                "tags": ["ofrep"],
                "security": _SECURITY,
                "operationId": "events_of_flags",
                "summary": "Hear of changes.",
                "description": "Tell at once, and at every change, when to ask again.",
                "parameters": [model, told],
                "responses": {"200": stream, "4XX": _problem(), "5XX": _problem()},
            }
        },
    }


def _operation(name: str, said: str, parameters: list[Any], responses: dict[str, Any]) -> dict[str, Any]:
    return {
        "tags": ["ofrep"],
        "security": _SECURITY,
        "operationId": name,
        "summary": said,
        "description": f"{said} From memory: it never waits for the database.",
        "parameters": parameters,
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/OfrepRequest"}}}},
        "responses": {**responses, "4XX": _problem(), "5XX": _problem()},
    }


def _json(said: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": said, "content": content}


def _refused(statuses: dict[str, str]) -> dict[str, Any]:
    return {status: _json(said, "OfrepFailure") for status, said in statuses.items()}


def _problem() -> dict[str, Any]:
    return {"description": "A problem.", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
