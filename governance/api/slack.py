"""POST /slack/events: what people do in Slack, over HTTP; and whose Slack accounts are whose.

Slack signs what it sends; it has no token of ours. Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from governance.api.bodies import Closed
from governance.api.gate import SLACK, Doors, Who
from governance.api.problems import problem
from governance.core.duration import in_words
from governance.engine.parts import Engine
from governance.engine.reading import permit_any
from governance.errors import Unavailable
from governance.slack import linking
from governance.views import Page
from governance.views.people import SlackLinkView

if TYPE_CHECKING:
    from slack_bolt import BoltResponse

    from governance.slack.app import Inbound

Inbounds = Callable[[], "Sequence[Inbound]"]
Code = Annotated[
    str, Field(max_length=20, pattern=r"^[A-Za-z2-9]{4}-?[A-Za-z2-9]{4}$", description="As Slack shows it.")
]
Account = Annotated[str, Path(max_length=32, pattern=r"^[UW][A-Z0-9]+$", description="The id of the account in Slack.")]


class LinkBody(Closed):
    """The code that Slack shows to the account; without `confirm` it is only told whose code it is."""

    code: Code
    confirm: bool = True


def events(inbounds: Inbounds, doors: Doors) -> APIRouter:
    """Return the route for Slack itself."""
    router = APIRouter(tags=["slack"], include_in_schema=False)

    @router.post(SLACK)
    async def take(request: Request) -> Response:
        """Answer what Slack signed; whatever else comes is refused, and stands in the log."""
        raw = (await request.body()).decode("utf-8", "replace")
        return await run_in_threadpool(_taken, inbounds(), doors, request, raw)

    return router


def routes(engine: Engine, inbounds: Inbounds) -> APIRouter:
    """Return the routes for people."""
    router = APIRouter(tags=["slack"])

    @router.get("/v1/slack/links")
    def links(who: Who) -> Page[SlackLinkView]:
        """List the Slack accounts that people linked themselves."""
        permit_any(engine, who)
        found = [SlackLinkView(user=x.user, name=x.name, person=x.person, at=x.at) for x in linking.listed(engine)]
        return Page(items=found)

    @router.post("/v1/slack/links")
    def link(who: Who, body: LinkBody) -> SlackLinkView:
        """Link the Slack account that a code was shown to with yourself; it acts in your name from then on."""
        at = engine.clock.now()
        if not body.confirm:
            asked = linking.asked(engine, body.code, at)
            return SlackLinkView(user=asked.user, name=asked.name, person="", at=at)
        made, code, entry = linking.confirm(engine, body.code, actor=who, at=at)
        for each in inbounds():
            each.linked(made, code)
        return SlackLinkView(user=made.user, name=made.name, person=made.person, at=made.at, entry=entry)

    @router.delete("/v1/slack/links/{account}")
    def unlink(who: Who, account: Account) -> SlackLinkView:
        """End the link of an account: your own, or as an administrator any."""
        at = engine.clock.now()
        link, entry = linking.remove(engine, account, actor=who, at=at)
        return SlackLinkView(user=link.user, name=link.name, person=link.person, at=link.at, entry=entry)

    return router


def _taken(inbounds: Sequence[Inbound], doors: Doors, request: Request, raw: str) -> Response:
    found = [each for each in inbounds if each.config.mode == "http"]
    if not found:
        return problem(HTTPStatus.NOT_FOUND, "no notifier takes what Slack sends over HTTP (mode: http)")
    headers, now = dict(request.headers), doors.now()
    reasons = [each.forged(raw, headers, now) for each in found]
    inbound = next((each for each, why in zip(found, reasons, strict=True) if not why), None)
    if inbound is None:
        return _refused(doors, request, reasons[0])
    return _answer(inbound.handle(raw, headers))


def _refused(doors: Doors, request: Request, why: str) -> Response:
    """Note a request that is not from Slack, as a refused login is noted."""
    address = request.client.host if request.client else "unknown"
    with suppress(Unavailable):  # it stays counted, and is refused all the same
        doors.refusals.add(why, address=address, at=doors.now())
    wait = doors.failures.take(address)
    if wait:
        said = f"too many refused requests from this address; try again in {in_words(timedelta(seconds=wait))}"
        return problem(HTTPStatus.TOO_MANY_REQUESTS, said, {"Retry-After": str(wait)})
    return problem(HTTPStatus.UNAUTHORIZED, "this was not signed by Slack, or not just now")


def _answer(response: BoltResponse) -> Response:
    kept = {name: values[0] for name, values in response.headers.items() if name.lower() != "set-cookie"}
    return Response(response.body, response.status, kept)
