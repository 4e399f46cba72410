"""Errors as problem details.

Source: https://www.rfc-editor.org/rfc/rfc9457
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as AnyHTTPException

from governance.core.problem import printable
from governance.engine.permission import RefusedAct
from governance.errors import Conflict, Denied, GovernanceError, InvalidDocument, NotFound, Unavailable, Unknown

STATUS: Mapping[type[GovernanceError], HTTPStatus] = {
    InvalidDocument: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Denied: HTTPStatus.FORBIDDEN,
    Unknown: HTTPStatus.UNAUTHORIZED,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: {
        "description": said,
        "content": {
            "application/problem+json": {
                "schema": {
                    "type": "object",
                    "required": ["type", "title", "status", "detail"],
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                    },
                }
            }
        },
    }
    for status, said in {"4XX": "What was asked is refused.", "5XX": "It cannot be done now."}.items()
}
"""How the errors of every route are described."""
_MOST = 20
"""Problems of one body that are listed."""


def register(app: FastAPI, noted: Callable[[RefusedAct], None]) -> None:
    """Let every error of the app become a problem; acts that are refused to somebody are `noted` before."""

    def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, RefusedAct)  # registered for it alone  # noqa: S101
        noted(error)
        return _ours(request, error)

    app.exception_handler(RefusedAct)(refused)
    app.exception_handler(GovernanceError)(_ours)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(AnyHTTPException)(_other)
    app.exception_handler(Exception)(_unexpected)


def problem(status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """Return a problem; `more` are members beside the standard ones."""
    members = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail, **more}
    text = json.dumps(members)  # ASCII, so that no text of a client can break it
    return Response(text, status.value, dict(headers or {}), "application/problem+json")


def _ours(request: Request, error: Exception) -> Response:  # noqa: ARG001 (the framework's shape)
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)
    return problem(status, "\n".join(printable(line) for line in str(error).splitlines()))


def _invalid(request: Request, error: Exception) -> Response:  # noqa: ARG001 (the framework's shape)
    assert isinstance(error, RequestValidationError)  # registered for it alone  # noqa: S101
    found = error.errors()
    broken = next((each for each in found if each["type"] == "json_invalid"), None)
    if broken is not None:
        said = str(broken.get("ctx", {}).get("error", "it cannot be parsed"))
        return problem(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {said} at character {broken['loc'][-1]}")
    errors = [_said(each["loc"], str(each["msg"])) for each in found[:_MOST]]
    listed = [f"{each['field']}: {each['message']}" for each in errors]
    rest = [f"and {len(found) - _MOST} more problems"] if len(found) > _MOST else []
    headers = all(each["loc"][0] == "header" for each in found)
    status = HTTPStatus.BAD_REQUEST if headers else HTTPStatus.UNPROCESSABLE_ENTITY
    return problem(status, "\n".join([*listed, *rest]), errors=errors)


def _said(location: Sequence[Any], message: str) -> dict[str, str]:
    if tuple(location) == ("body",):
        return {"field": "body", "message": "must be a JSON object, sent as Content-Type: application/json"}
    place = location[1:] if location[0] == "body" else location
    return {"field": printable(".".join(str(part)[:100] for part in place)), "message": printable(message)}


def _other(request: Request, error: Exception) -> Response:  # noqa: ARG001 (the framework's shape)
    assert isinstance(error, AnyHTTPException)  # registered for it alone  # noqa: S101
    return problem(HTTPStatus(error.status_code), printable(str(error.detail)), error.headers)


def _unexpected(request: Request, error: Exception) -> Response:  # noqa: ARG001 (the framework's shape)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a mistake in this program; its log says more")


def too_large(limit: int) -> HTTPException:
    """Return the refusal of a body that is larger than `limit` bytes."""
    said = f"a body has at most {limit:,} bytes; send the samples in several pushes"
    return HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE.value, said, {"Connection": "close"})


def too_slow(seconds: float) -> HTTPException:
    """Return the refusal of a body that did not arrive in time."""
    said = f"the body did not arrive within {seconds:.0f} s"
    return HTTPException(HTTPStatus.REQUEST_TIMEOUT.value, said, {"Connection": "close"})
