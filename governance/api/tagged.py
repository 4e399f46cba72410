"""Answers that are not sent again to whoever has them: `ETag` names one, and 304 says that it still holds."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Header, Response

from governance.views import View

Known = Annotated[str, Header(alias="If-None-Match", max_length=1000, description="The `ETag` of an answer you have.")]
UNCHANGED: dict[int | str, dict[str, Any]] = {
    HTTPStatus.NOT_MODIFIED.value: {"description": "What you have still holds."}
}


def tagged(view: View, known: str) -> Response:
    """Return a view as JSON with its tag, or 304 without a body where that is one of the tags that are `known`."""
    body = view.model_dump_json().encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag}
    if tag in (each.strip().removeprefix("W/") for each in known.split(",")):
        return Response(status_code=HTTPStatus.NOT_MODIFIED.value, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
