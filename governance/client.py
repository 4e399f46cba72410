"""A typed client of the HTTP API: what the terminal app, and commands against a running engine, speak through.

Every call raises one of our errors: Unavailable when the engine does not answer in time (Unreached where no connection
was made, so that nothing was sent), Denied, Conflict, NotFound or InvalidDocument with the sentence that it answered.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError
from pydantic_core import from_json

from governance.errors import Conflict, Denied, GovernanceError, InvalidDocument, NotFound, Unavailable, Unreached
from governance.views import (
    AlertView,
    AppliedView,
    ApprovalDoneView,
    ApprovalView,
    CheckView,
    EntryView,
    FleetRow,
    FleetView,
    IncidentDoneView,
    IncidentView,
    MayView,
    ModelView,
    Page,
    PolicyView,
    ProofView,
    RunningView,
    SilenceDoneView,
    SilenceView,
    SwitchDoneView,
    SwitchView,
    TimelineLine,
    VerdictsView,
    VersionView,
    View,
    WaiverView,
    WhoamiView,
)
from governance.views.budgets import BudgetView
from governance.views.explained import ExplainedView
from governance.views.on_call import OnCallView
from governance.views.people import PermissionsView, SlackLinkView
from governance.views.plan import PlanView
from governance.views.runs import RunbookView, RunDoneView, RunView
from governance.views.series import SeriesView

if TYPE_CHECKING:
    from governance.views.simulation import SimulationView

V = TypeVar("V", bound=View)
TIMEOUT = 5.0
"""Seconds that a call may take in all but the stream of events."""
COMPILING = 120.0
"""Seconds that the engine may take to check, compile and compare policies."""
SILENCE = 5.0
"""Seconds without a sign of life after which the stream of events is given up; the engine gives one each second."""
OVERLAP = timedelta(seconds=1)
"""By how much more is asked for than since the last picture: what became known while that was made may lack in it."""
COMMITTED = timedelta(seconds=5)
"""By how much the engine tells of incidents and switches from before an instant: their acts may have been under way."""
PAGE = 500
"""Elements of a list that are asked for at once."""
_ERRORS: Mapping[int, type[GovernanceError]] = {
    HTTPStatus.UNAUTHORIZED: Denied,
    HTTPStatus.FORBIDDEN: Denied,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.PRECONDITION_FAILED: Conflict,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One decision as the stream tells it: its number in the log, its kind, and what it is about."""

    seq: int
    kind: str
    subject: Mapping[str, str]


AGENT = "model-governance"
TERMINAL_APP = "model-governance-tui"


class Client:
    """Speaks to one engine as one person; for any number of threads."""

    def __init__(self, url: str, token: str = "", agent: str = AGENT) -> None:
        """Speak to the engine at `url`, such as http://127.0.0.1:8750, with a token when it asks for one.

        `agent` is what speaks: its name tells the engine through which channel somebody acts.
        """
        self.url = url.rstrip("/")
        self.heard: Callable[[], object] = lambda: None
        """Called for each answer, by whichever thread asked: the engine lives."""
        headers = {"User-Agent": agent, **({"Authorization": f"Bearer {token}"} if token else {})}
        # The proxy settings of a shell are not for an engine that is named by its address.
        # Without TLS nobody's certificate is looked at, and to load all that could be trusted takes a while.
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if self.url.startswith("http:") else True
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT, trust_env=False, verify=verify)

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def whoami(self) -> WhoamiView:
        """Return who the engine takes us for."""
        return self._get("/v1/whoami", WhoamiView)

    def fleet(self) -> FleetView:
        """Return the whole fleet, worst first."""
        return self._fleet()

    def fleet_since(self, known: FleetView) -> FleetView:
        """Return the models that may have changed since the fleet was known, with the tallies of these."""
        return self._fleet(since=(known.as_of - OVERLAP).isoformat())

    def _fleet(self, **query: Any) -> FleetView:
        """Return all parts of the fleet as of the first: a row that moved on between two parts counts where it is."""
        first = page = self._part_of_fleet(limit=PAGE, **query)
        rows = {row.model: row for row in page.items}
        while page.next is not None:
            page = self._part_of_fleet(limit=PAGE, cursor=page.next, **query)
            for row in page.items:
                rows.pop(row.model, None)
                rows[row.model] = row
        return first.model_copy(update={"items": list(rows.values()), "next": None})

    def incidents(self, status: str = "open") -> list[IncidentView]:
        """Return incidents, newest first."""
        return self._whole("/v1/incidents", Page[IncidentView], status=status)

    def incident(self, number: int) -> IncidentView:
        """Return one incident, with the remedy and the place of the rule of each finding."""
        return self._get(f"/v1/incidents/{number}", IncidentView)

    def may(self, model: str = "") -> dict[str, MayView]:
        """Return whether we may do each act on a model ("": on the engine as a whole), and why or else who may."""
        return self._get("/v1/may", PermissionsView, model=model).acts

    def alerts(self) -> list[AlertView]:
        """Return the alerts that are pending or firing, worst first."""
        return self._whole("/v1/alerts", Page[AlertView])

    def acknowledge(self, number: int, *, version: int, key: str) -> None:
        """Take an incident as it was at `version`."""
        self._post(f"/v1/incidents/{number}/acknowledge", {"version": version}, key)

    def resolve(self, number: int, *, version: int, because: str, key: str) -> None:
        """Close an incident by hand."""
        self._post(f"/v1/incidents/{number}/resolve", {"version": version, "because": because}, key)

    def answer(self, number: int, act: str, body: Mapping[str, Any], *, key: str) -> IncidentDoneView:
        """Answer an incident: note {text}, snooze {version, until, because}, severity, hand-over, escalate, merge."""
        return IncidentDoneView.model_validate(self._post(f"/v1/incidents/{number}/{act}", body, key))

    def timeline(self, number: int, after: int = -1) -> list[TimelineLine]:
        """Return what became of an incident, oldest first; only what came after an entry."""
        found: list[TimelineLine] = []
        page = self._get(f"/v1/incidents/{number}/timeline", Page[TimelineLine], limit=PAGE, after=after)
        while page.next is not None:
            found.extend(page.items)
            page = self._get(f"/v1/incidents/{number}/timeline", Page[TimelineLine], limit=PAGE, after=page.next)
        return [*found, *page.items]

    def model(self, model: str) -> ModelView:
        """Return a model: what its card says, how it is, and its switch."""
        return self._get(f"/v1/models/{_part(model)}", ModelView)

    def policy(self, model: str) -> PolicyView:
        """Return the effective policy of a model, with where each part is written."""
        return self._get(f"/v1/models/{_part(model)}/policy", PolicyView)

    def verdicts(self, model: str, at: datetime | None = None) -> VerdictsView:
        """Return what was last judged; with an instant what is judged as of it, with the parts of what fails."""
        asked: dict[str, Any] = {"at": at.isoformat()} if at is not None else {}
        return self._get(f"/v1/models/{_part(model)}/verdicts", VerdictsView, **asked)

    def series(self, model: str) -> list[SeriesView]:
        """Return what a model's rules look at with its last values, those of rules that fail first."""
        return self._get(f"/v1/models/{_part(model)}/series", Page[SeriesView]).items

    def budgets(self, model: str) -> list[BudgetView]:
        """Return a model's service level objectives with what is left of their budgets, the least first."""
        return self._get(f"/v1/models/{_part(model)}/budgets", Page[BudgetView]).items

    def explained(self, model: str) -> ExplainedView:
        """Return every value of a model's policy with its place, and what it took the place of."""
        return self._get(f"/v1/models/{_part(model)}/explained", ExplainedView)

    def switch(self, model: str) -> SwitchView:
        """Return the kill switch of a model, with what one must know before pulling it."""
        return self._get(f"/v1/switches/{_part(model)}", SwitchView)

    def switches(self) -> list[SwitchView]:
        """Return the kill switches of all models, those that are not live first."""
        return self._whole("/v1/switches", Page[SwitchView])

    def pull(self, model: str, body: Mapping[str, Any], *, key: str) -> SwitchDoneView:
        """Pull a kill switch: {mode, because, share, scope, expires, incident, confirm}."""
        return SwitchDoneView.model_validate(self._post(f"/v1/switches/{_part(model)}/pull", body, key))

    def restore(self, model: str, body: Mapping[str, Any], *, key: str) -> SwitchDoneView:
        """Restore a kill switch, or ask for the second person: {because, seq, scope, confirm}."""
        return SwitchDoneView.model_validate(self._post(f"/v1/switches/{_part(model)}/restore", body, key))

    def break_glass(self, model: str, body: Mapping[str, Any], *, key: str) -> SwitchDoneView:
        """Restore one scope alone and at once, which pages everybody and is reviewed: {because, scope, confirm}."""
        return SwitchDoneView.model_validate(self._post(f"/v1/switches/{_part(model)}/break-glass", body, key))

    def approvals(self) -> list[ApprovalView]:
        """Return the two-person acts that wait for somebody."""
        return self._whole("/v1/approvals", Page[ApprovalView])

    def on_call(self, days: int = 0) -> list[OnCallView]:
        """Return who is on call by each schedule, with the shifts of so many days ahead."""
        return self._get("/v1/oncall", Page[OnCallView], days=days).items

    def waivers(self) -> list[WaiverView]:
        """Return the waivers in force, those that end first before the others."""
        return self._whole("/v1/waivers", Page[WaiverView])

    def silences(self) -> list[SilenceView]:
        """Return the silences that hold, the newest first."""
        return self._whole("/v1/silences", Page[SilenceView])

    def waive(self, body: Mapping[str, Any], *, key: str) -> ApprovalView:
        """Ask that a rule is not enforced: {model, rule, because, until, labels, ends_on}; a second person approves."""
        return ApprovalDoneView.model_validate(self._post("/v1/waivers", body, key)).approval

    def withdraw_waiver(self, waiver: str, *, because: str, key: str) -> None:
        """End a waiver now."""
        self._post(f"/v1/waivers/{_part(waiver)}/withdraw", {"because": because}, key)

    def mute(self, body: Mapping[str, Any], *, key: str) -> SilenceView:
        """Mute notifications for a while: {because, until, model, rule, labels, models, maintenance}."""
        return SilenceDoneView.model_validate(self._post("/v1/silences", body, key)).silence

    def end_silence(self, silence: str, *, because: str, key: str) -> None:
        """End a silence now."""
        self._post(f"/v1/silences/{_part(silence)}/end", {"because": because}, key)

    def approve(self, approval: str, *, key: str, because: str = "") -> None:
        """Be the second person of an act; a run notes why."""
        self._post(f"/v1/approvals/{_part(approval)}/approve", {"because": because} if because else {}, key)

    def refuse(self, approval: str, *, because: str, key: str) -> None:
        """Refuse to be the second person of an act, for everybody."""
        self._post(f"/v1/approvals/{_part(approval)}/refuse", {"because": because}, key)

    def runbooks(self, model: str) -> list[RunbookView]:
        """Return the runbooks for a model: what each is for, whether it can be started, and what it asks for."""
        return self._get("/v1/runbooks", Page[RunbookView], model=model).items

    def simulate(self, runbook: str, body: Mapping[str, Any]) -> SimulationView:
        """Return the way of a run without starting one: {model, parameters, assume}."""
        from governance.views.simulation import SimulationView  # who follows runs does not need what it rests on

        return SimulationView.model_validate(self._post(f"/v1/runbooks/{_part(runbook)}/simulate", body, ""))

    def runs(self, *, model: str = "", incident: int = 0, state: str = "open") -> list[RunView]:
        """Return runs, newest first; `state` is open, ended or all."""
        return self._whole("/v1/runs", Page[RunView], model=model, incident=incident, state=state)

    def run(self, run: str) -> RunView:
        """Return one run: its steps, what each asks, and what can be done now by whom."""
        return self._get(f"/v1/runs/{_part(run)}", RunView)

    def start_run(self, model: str, body: Mapping[str, Any], *, key: str) -> RunDoneView:
        """Start a runbook for a model: {runbook, because, parameters, incident, labels, dry_run}."""
        return RunDoneView.model_validate(self._post(f"/v1/models/{_part(model)}/runs", body, key))

    def on_run(self, run: str, act: str, body: Mapping[str, Any], *, key: str) -> RunDoneView:
        """Act on a run: tick, retry, pause, resume {version, step, because}, skip, settle {…, took_effect}, cancel."""
        return RunDoneView.model_validate(self._post(f"/v1/runs/{_part(run)}/{act}", body, key))

    def slack_code(self, code: str) -> SlackLinkView:
        """Return which Slack account a code was shown to."""
        return SlackLinkView.model_validate(self._post("/v1/slack/links", {"code": code, "confirm": False}, ""))

    def link_slack(self, code: str) -> SlackLinkView:
        """Link the Slack account that a code was shown to with whoever the token is of."""
        return SlackLinkView.model_validate(self._post("/v1/slack/links", {"code": code}, ""))

    def slack_links(self) -> list[SlackLinkView]:
        """Return the Slack accounts that people linked."""
        return self._get("/v1/slack/links", Page[SlackLinkView]).items

    def unlink_slack(self, user: str) -> SlackLinkView:
        """End the link of a Slack account."""
        with self._reached():
            answer = self._http.delete(f"/v1/slack/links/{_part(user)}")
        return SlackLinkView.model_validate(_checked(answer))

    def log(self, *, after: int | None = None, limit: int = PAGE, kind: str = "", model: str = "") -> list[EntryView]:
        """Return entries of the decision log in order: those after one, or the newest."""
        place = {"after": after} if after is not None else {}
        return self._get("/v1/log", Page[EntryView], limit=limit, kind=kind, model=model, **place).items

    def proof(self, seq: int) -> ProofView:
        """Return an entry with the proof that it is in the log."""
        return self._get(f"/v1/log/{seq}", ProofView)

    def versions(self) -> list[VersionView]:
        """Return the newest versions of the policies, newest first."""
        return self._get("/v1/policies", Page[VersionView]).items

    def running(self) -> RunningView:
        """Return the version of the policies that rules, with its texts."""
        return self._get("/v1/policies/running", RunningView)

    def plan(self, body: Mapping[str, Any]) -> PlanView:
        """Return what policies would change, and what they would have told: {texts, days}."""
        return PlanView.model_validate(self._post("/v1/policies/plan", body, "", timeout=COMPILING))

    def check(self) -> CheckView:
        """Return what is wrong with the policies that the engine read last."""
        return self._get("/v1/policies/check", CheckView)

    def pending(self, days: float = 30) -> PlanView:
        """Return what the version that waits for a second person would change; NotFound when none waits."""
        return self._get("/v1/policies/pending", PlanView, timeout=COMPILING, days=days)

    def apply(self, body: Mapping[str, Any], *, key: str) -> AppliedView:
        """Let policies rule: {texts} or {version}."""
        return AppliedView.model_validate(self._post("/v1/policies/apply", body, key, timeout=COMPILING))

    def events(self, after: int | None = None) -> Iterator[Event | None]:
        """Yield what is decided from now on (after an event: from the next one), and None for each sign of life.

        :raises Unavailable: when the stream ends, or nothing was heard for `SILENCE` seconds.
        """
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": str(after)} if after is not None else {})}
        timeout = httpx.Timeout(TIMEOUT, read=SILENCE)
        with self._reached(), self._http.stream("GET", "/v1/events", headers=headers, timeout=timeout) as answer:
            if answer.status_code != HTTPStatus.OK:
                answer.read()
                raise _error(answer)
            yield None
            data = ""
            for line in answer.iter_lines():
                name, _, value = line.partition(":")
                if name == "data":
                    data += value.strip()
                elif line == "" and data:
                    yield _event(data)
                    data = ""
                elif name == "":
                    yield None
        raise Unavailable(f"{self.url} ended the stream of events")

    def _get(self, path: str, kind: type[V], /, **query: Any) -> V:
        url, content = self._content(path, query)
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            raise Unavailable(f"what answers at {url} is no engine of ours") from error

    def _part_of_fleet(self, **query: Any) -> FleetView:
        """Return a page of the fleet, each row read by itself: whoever draws meanwhile waits for one, not for all."""
        url, content = self._content("/v1/fleet", query)
        try:
            said = from_json(content)
            page = FleetView.model_validate({**said, "items": []})
            return page.model_copy(update={"items": [FleetRow.model_validate(each) for each in said["items"]]})
        except (ValidationError, ValueError, LookupError, TypeError) as error:
            raise Unavailable(f"what answers at {url} is no engine of ours") from error

    def _content(self, path: str, query: Mapping[str, Any]) -> tuple[httpx.URL, bytes]:
        with self._reached():
            answer = self._http.get(path, params=query)
        self.heard()
        if not answer.is_success:
            raise _error(answer)
        url, content = answer.url, answer.content
        del answer  # it is part of a cycle: held any longer, its bytes stay until the oldest garbage is collected
        return url, content

    def _whole(self, path: str, kind: type[Page[V]], **query: Any) -> list[V]:
        """Return all parts of a list."""
        page = self._get(path, kind, limit=PAGE, **query)
        found = list(page.items)
        while page.next is not None:
            page = self._get(path, kind, limit=PAGE, cursor=page.next, **query)
            found.extend(page.items)
        return found

    def _post(self, path: str, body: Mapping[str, Any], key: str, timeout: float = TIMEOUT) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        with self._reached():
            answer = self._http.post(path, json=dict(body), headers=headers, timeout=timeout)
        return _checked(answer)

    def _reached(self) -> _Reached:
        return _Reached(self.url)


class _Reached:
    """Turns what can go wrong on the way into a sentence."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, httpx.ReadTimeout):
            raise Unavailable(f"the engine at {self._url} does not answer") from error
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.InvalidURL)):
            raise Unreached(f"no engine is reached at {self._url}: {error}") from error
        if isinstance(error, httpx.HTTPError):
            raise Unavailable(f"no engine is reached at {self._url}: {error}") from error


def _checked(answer: httpx.Response) -> Any:
    if answer.is_success:
        try:
            return answer.json()
        except ValueError as error:
            raise Unavailable(f"what answers at {answer.url} is no engine of ours") from error
    raise _error(answer)


def _error(answer: httpx.Response) -> GovernanceError:
    try:
        said = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        said = f"{answer.url} answered {answer.status_code} {answer.reason_phrase}"
    if answer.status_code == HTTPStatus.CONFLICT and "Retry-After" in answer.headers:
        return Unavailable(said)  # the first request under this key is still under way: what becomes of it is not known
    if answer.status_code in _ERRORS:
        return _ERRORS[answer.status_code](said)
    return Unavailable(said) if answer.is_server_error else InvalidDocument(said)


def _event(data: str) -> Event | None:
    try:
        said = json.loads(data)
        return Event(int(said["seq"]), str(said["kind"]), dict(said["subject"]))
    except (ValueError, KeyError, TypeError):
        return None  # a sign of life all the same


def _part(text: str) -> str:
    return quote(text, safe="")
