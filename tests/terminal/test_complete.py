"""Every operation of the API that changes something can be done in the terminal app, or it is said why not.

What an act asks the engine for is not written down here but observed: each act of the table of keys is done as its
screen does it, its form is sent by the real client, and what the client asks for is noted.
"""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from interfaces.inside import inside
from terminal.played import Played, client_of, recorded
from textual.screen import Screen

import tui.switching
from governance.client import Client
from governance.errors import GovernanceError
from governance.views import ApprovalView, FleetRow, IncidentView, SilenceView, StepView, VersionView, WaiverView
from governance.views.notifications import DeliveryView
from governance.views.runs import RunView
from tui.app import GovApp
from tui.form import Asked
from tui.keys import GROUPS, Key, _acts, keys_of
from tui.known import Snapshot
from tui.screens import VIEWS
from tui.screens.approvals import Approvals
from tui.screens.batch import BatchModal
from tui.screens.frame import Frame
from tui.screens.incident import IncidentScreen
from tui.screens.marking import Marking
from tui.screens.model import ModelScreen
from tui.screens.pick import Pick
from tui.screens.policies import Policies
from tui.screens.responding import Responding
from tui.screens.run import RunActs, RunScreen
from tui.screens.switch import SwitchModal

SERVING = "processes that serve models ask or report it, not people"
AUTHORS = "who writes policies does it where the files are (gov plan, gov apply); a responder approves, and goes back"
LINKING = "each person does it once, in a shell, with the code that Slack shows them (gov slack link)"
NEEDLESS: Mapping[str, str] = {
    "POST /ofrep/v1/evaluate/flags": SERVING,
    "POST /ofrep/v1/evaluate/flags/{key}": SERVING,
    "POST /v1/confirmations": SERVING,
    "POST /v1/samples": "pipelines push their metrics with a token of their own",
    "POST /v1/alertmanager": "a webhook: Alertmanager sends its alerts",
    "POST /slack/events": "a webhook: Slack sends what is pressed there",
    "POST /v1/policies/plan": AUTHORS,
    "POST /v1/runbooks/{runbook}/simulate": "changes nothing; who starts a runbook reads its steps, or starts a drill",
    "POST /v1/slack/links": LINKING,
    "DELETE /v1/slack/links/{account}": LINKING,
}
"""What changes something, or looks as if, and no responder needs, with why."""
LOCAL = {"mark", "mark_shown"}
"""Acts that change only what is marked on the screen."""
AT = datetime.fromisoformat("2026-01-31T12:00:00Z")
MODEL = "fraud-scorer"


class Noted(Played):
    """Answers what is asked as an engine did, notes what is to be changed, and refuses it."""

    def __init__(self) -> None:
        super().__init__("ana", recorded())
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Note it."""
        if request.method != "GET":
            self.asked.append(f"{request.method} {request.url.path}")
        if request.method == "GET" or request.url.path.endswith("/preview"):
            return super().handle_request(request)
        return httpx.Response(409, json={"detail": "it is only noted"})


class Desk(GovApp):
    """The app without a terminal: what would be asked in a thread is asked at once, and what opens is filled in."""

    def __init__(self) -> None:
        self.wire = Noted()
        super().__init__(client_of(self.wire))
        client = self.client
        incidents = {each.id: each for each in client.incidents()}
        approvals = tuple(client.approvals())
        self.snapshot = Snapshot(client.whoami(), client.fleet(points=10), incidents, approvals, AT)

    def ask(self, about: str, question: Callable[[], Screen[Any] | str], *, acts: bool = False) -> None:
        """Ask at once."""
        del about, acts
        with suppress(GovernanceError):
            found = question()
            assert isinstance(found, Screen)
            self.push_screen(found)

    def push_screen(self, screen: Any, *more: Any, **and_more: Any) -> Any:
        """Do what a person can do there."""
        del more, and_more
        if isinstance(screen, Pick):
            next(each for each in screen._offered if not each.why_not).chosen()
        else:
            sends = {SwitchModal: tui.switching.send, BatchModal: BatchModal}[type(screen)]
            for name in re.findall(r"client\.(\w+)", inspect.getsource(sends)):
                self.sent(lambda name=name: called(self.client, name))

    def open_form(self, asked: Asked) -> None:
        """Fill in the form, and send it."""
        said = {each.name: each.value or (each.choices[0][0] if each.choices else "x") for each in asked.fields}
        self.sent(lambda: asked.send(self.client, {**said, "into": "1"}, "key"))

    def sent(self, send: Callable[[], object]) -> None:
        """Send what was filled in."""
        with suppress(GovernanceError):  # it is noted, and refused
            send()


def called(client: Client, name: str) -> object:
    """Call a method of the client with anything."""
    method = getattr(client, name)
    given = {"key": "key", "model": MODEL, "batch": "BAT-1", "body": {}}
    return method(**{each: given[each] for each in inspect.signature(method).parameters})


class Running(RunActs):
    """A place where a run is under the cursor."""

    def __init__(self, desk: Desk, run: RunView) -> None:
        self.app, self._run = desk, run

    @property
    def run_(self) -> RunView | None:
        """The run."""
        return self._run


class Here(Responding):
    """A place where a model and its incident are under the cursor."""

    def __init__(self, desk: Desk) -> None:
        assert desk.snapshot is not None
        self.app, self._known = desk, desk.snapshot

    @property
    def row(self) -> FleetRow | None:
        """A model."""
        return self._known.row(MODEL)

    @property
    def incident(self) -> IncidentView | None:
        """Its incident."""
        row = self.row
        return self._known.incident_of(row) if row is not None else None


def runs(act: str) -> Iterator[RunView]:
    """Yield runs on which an act can be done, of a step or as a whole."""
    step = StepView(step="a", kind="instruct", glyph="▶", state="waiting", text="", can=[act])
    run = RunView.model_validate(recorded()["ana GET /v1/runs/RUN-1"][1])
    waits = step.model_copy(update={"approval": "APR-1"})
    for can in (["pause", "cancel"], ["resume", "cancel"]):
        yield run.model_copy(update={"steps": [waits], "can": can})


def places(group: str, act: str, desk: Desk) -> Iterator[object]:
    """Yield where an act of a group is done, with what is under the cursor there."""
    lost = DeliveryView.model_construct(incident=1, model=MODEL, notifier="hook", text="", receipt="", to=[], may=None)
    approval = ApprovalView.model_construct(id="APR-1", text="", model=MODEL, requested_by="bo")
    if group == "run":
        yield from (Running(desk, each) for each in runs(act))
    elif group == "approval":
        yield of(Approvals, app=desk, chosen=approval)
        yield of(Policies, app=desk, request=approval)
    elif group == "policies":
        common = {"id": "WVR-1", "model": MODEL, "rule": "r", "because": ""}
        yield of(Policies, app=desk, chosen=WaiverView.model_construct(**common), found=None)
        yield of(Policies, app=desk, chosen=SilenceView.model_construct(**common), found=None)
        versions = [VersionView.model_validate(each) for each in recorded()["ana GET /v1/policies"][1]["items"]]
        yield of(Policies, app=desk, chosen=versions[-1], found=None)
    elif group == "telling":
        yield of(IncidentScreen, app=desk, number=1, _undelivered=(lost,))
    elif group == "marks":
        yield of(Marking, app=desk, shown=[MODEL], incident=None)
    else:
        yield Here(desk)
        if act == "pull":
            yield of(Marking, app=desk, marked={MODEL}, row=None)


def of(screen: type[Any], **has: object) -> object:
    """Return what an act of a screen sees of it."""
    acts = {name: act for name, act in inspect.getmembers(screen, inspect.isfunction) if name.startswith("action_")}
    made = SimpleNamespace(**has)
    for name, act in acts.items():
        setattr(made, name, act.__get__(made))
    return made


ACTS = [(group, key) for group, keys in GROUPS.items() for key in keys if _acts in key.needs and key.act not in LOCAL]


@pytest.fixture(scope="module")
def reached() -> Mapping[str, set[str]]:
    """What is asked to be changed, by the acts that do it."""
    desk = Desk()
    found: dict[str, set[str]] = defaultdict(set)
    for group, key in ACTS:
        before = len(desk.wire.asked)
        for place in places(group, key.act, desk):
            getattr(place, f"action_{key.act}")()
        assert len(desk.wire.asked) > before, f"{group}.{key.act} asks the engine for nothing"
        for each in desk.wire.asked[before:]:
            found[each].add(f"{group}.{key.act}")
    return found


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The description of the API."""
    made = inside(tmp_path_factory.mktemp("complete") / "own")
    made.engine.database.close()
    found: dict[str, Any] = made.client._app.openapi()  # type: ignore[attr-defined]
    return found


def changing(document: Mapping[str, Any]) -> set[str]:
    """Return the routes that change something."""
    paths = document["paths"].items()
    return {f"{verb.upper()} {path}" for path, routes in paths for verb in routes if verb != "get"}


def route_of(asked: str, routes: set[str]) -> str:
    """Return the route that takes what is asked for, one that is written out before one with a name in its place."""
    fits = [each for each in routes if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), asked)]
    return min(fits, key=lambda each: each.count("{"), default=asked)


def lacking(routes: set[str], reached: Mapping[str, set[str]]) -> set[str]:
    """Return the routes that no act reaches and for which no reason is given."""
    return routes - {route_of(each, routes) for each in reached} - set(NEEDLESS)


def test_each_operation_is_an_act_or_has_a_reason(document: dict[str, Any], reached: Mapping[str, set[str]]) -> None:
    routes = changing(document)
    assert not lacking(routes, reached), "make it an act of the terminal app, or say above why no responder needs it"
    done = {route_of(each, routes): acts for each, acts in reached.items()}
    assert done.keys() <= routes, "the app asks for what the API does not have"
    hidden = {"POST /slack/events"}  # left out of the description, as it is for Slack alone
    assert NEEDLESS.keys() - routes == hidden, "a reason is given for what is no more"
    assert not NEEDLESS.keys() & done.keys(), "an act reaches what nobody needs, it is said"
    assert done["POST /v1/notifications/retry"] == {"telling.tell_again"}
    assert done["POST /v1/switches/{model}/break-glass"] == {"incident.pull", "incident.restore"}


def test_an_operation_that_is_new_is_missed(document: dict[str, Any], reached: Mapping[str, set[str]]) -> None:
    more = {**document["paths"], "/v1/incidents/{number}/forget": {"post": {}}, "/v1/levels/{level}": {"put": {}}}
    found = lacking(changing({"paths": more}), reached)
    assert found == {"POST /v1/incidents/{number}/forget", "PUT /v1/levels/{level}"}


SCREENS: tuple[type[Frame], ...] = (*VIEWS.values(), IncidentScreen, ModelScreen, RunScreen)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda each: each.__name__)
def test_each_act_is_done_on_a_screen_that_binds_its_keys(screen: type[Frame]) -> None:
    bound = {getattr(each, "action", "") for each in screen.BINDINGS}
    for _, key in keys_of(each for each in screen.KEYS if each != "list"):
        assert callable(getattr(screen, f"action_{key.act}", None)), key.act
        assert key.act in bound


def test_each_act_is_on_some_screen() -> None:
    here: set[Key] = {key for screen in SCREENS for _, key in keys_of(screen.KEYS)}
    assert [key.act for _, key in ACTS if key not in here] == []
