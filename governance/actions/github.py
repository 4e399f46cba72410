"""Start a workflow of GitHub Actions, such as a retraining, and see how its run ended.

Sources: https://docs.github.com/rest/actions/workflows (dispatch, GET of a workflow) ·
https://docs.github.com/rest/actions/workflow-runs (list and GET of runs) ·
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api ·
https://github.blog/changelog/2026-02-19-workflow-dispatch-api-now-returns-run-ids (return_run_details)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, Field

from governance.core.document import Document, Duration, Flag
from governance.core.performance import Outcome, Request
from governance.remote.asking import asked, found
from governance.remote.config import ServerConfig

if TYPE_CHECKING:
    from governance.remote.call import Answer, Caller

LOOK_AGAIN = timedelta(seconds=30)
"""How long a run that goes on is left alone."""
_REACH = timedelta(days=7)
"""How far back the run of a key is looked for."""
_PAGES, _PAGE = 3, 100
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_ABSENT = (403, 404, 422)


class GithubConfig(Document):
    """Which repository (`owner/name`), and the variable that holds a token which may write its actions.

    `address`: that of the API, for GitHub Enterprise.
    """

    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$")]
    token_env: Annotated[str, Field(min_length=1)]
    address: str = "https://api.github.com"
    timeout: Duration = timedelta(seconds=10)
    loopback: Flag = False

    @property
    def server(self) -> ServerConfig:
        """Where it is asked."""
        return ServerConfig(
            address=self.address,
            token_env=self.token_env,
            headers=_HEADERS,
            timeout=self.timeout,
            loopback=self.loopback,
        )


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


Text = Annotated[str, Field(max_length=10_000), BeforeValidator(_text)]


class GithubDispatch(Document):
    """Start a run of a workflow that has `workflow_dispatch`.

    `key_input` is the input that takes the key of the act: where the workflow shows it in its `run-name`, the run is
    found again, and never started twice.
    """

    workflow: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$"), BeforeValidator(_text)]
    ref: Annotated[str, Field(pattern=r"^[^\s~^:?*\[\\]{1,250}$")] = "main"
    inputs: dict[str, Text] = Field(default_factory=dict, max_length=25)
    key_input: str = ""


class GithubFinished(Document):
    """Wait, by `retry`, for a run to succeed; one that ended otherwise fails the step."""

    run_id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$"), BeforeValidator(_text)]


class Github:
    """Starts workflows of one repository; GitHub knows no keys, so that a run is recognised by its name."""

    Config: ClassVar[type[BaseModel]] = GithubConfig
    OPERATIONS: ClassVar[dict[str, type[BaseModel]]] = {"dispatch": GithubDispatch, "finished": GithubFinished}
    OUTPUTS: ClassVar[dict[str, dict[str, str]]] = {
        "dispatch": {"run_id": "string", "url": "string"},
        "finished": {"run_id": "string", "url": "string", "conclusion": "string"},
    }
    REPEATS: ClassVar[frozenset[str]] = frozenset({"finished"})

    def __init__(self, config: GithubConfig) -> None:
        self._config = config
        self._path = f"/repos/{config.repository}/actions"

    @classmethod
    def configured(cls, config: GithubConfig, directory: Path) -> Github:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the system from its settings."""
        return cls(config)

    def perform(self, request: Request) -> Outcome:
        """Start the run, unless one with this key is there; or look how it ended."""
        if _looks(request):
            return asked(request, GithubFinished, lambda wanted: self._ended(wanted, request.at), harmless=True)
        return asked(request, GithubDispatch, lambda wanted: self._started(wanted, request))

    def dry_run(self, request: Request) -> Outcome:
        """Look whether the workflow is there and active, and the ref is there."""
        if _looks(request):
            return asked(request, GithubFinished, lambda _: self._reached())
        return asked(request, GithubDispatch, self._ready)

    def read_back(self, request: Request) -> Outcome | None:
        """Look for the run with the key in its name; one that is not there may still come."""
        if _looks(request):
            return None
        return found(request, GithubDispatch, lambda wanted: self._found(self._caller(), wanted, request))

    def _started(self, wanted: GithubDispatch, request: Request) -> Outcome:
        from governance.remote.looking import an_object

        caller = self._caller()
        there = self._found(caller, wanted, request)
        if there is not None:
            return there
        key = {wanted.key_input: request.key} if wanted.key_input else {}
        body = {"ref": wanted.ref, "inputs": {**wanted.inputs, **key}, "return_run_details": True}
        answer = caller.call("POST", f"{self._workflow(wanted)}/dispatches", body)
        if not 200 <= answer.status < 300:
            return _untaken(answer, request.at)
        run = an_object(answer)  # empty for a server that does not tell the run
        return _outcome(f"started {wanted.workflow} on {wanted.ref}", run.get("workflow_run_id"), run.get("html_url"))

    def _found(self, caller: Caller, wanted: GithubDispatch, request: Request) -> Outcome | None:
        from governance.remote.looking import looked

        if not wanted.key_input:
            return None
        since = f"{request.at.astimezone(UTC) - _REACH:%Y-%m-%dT%H:%M:%SZ}"
        query = {"event": "workflow_dispatch", "created": f">={since}", "per_page": str(_PAGE)}
        named = re.compile(rf"(?<![\w/-]){re.escape(request.key)}(?![\w/-])")
        for page in range(1, _PAGES + 1):
            answer = looked(caller, f"{self._workflow(wanted)}/runs", {**query, "page": str(page)})
            listed = (answer or {}).get("workflow_runs")
            runs = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
            for run in runs:
                if named.search(str(run.get("display_title", ""))):
                    return _outcome(f"a run of {wanted.workflow} has this key", run.get("id"), run.get("html_url"))
            if len(runs) < _PAGE:
                break
        return None

    def _ready(self, wanted: GithubDispatch) -> Outcome:
        from governance.remote.looking import looked, text

        caller = self._caller()
        there = looked(caller, self._workflow(wanted))
        if there is None:
            return Outcome("failed", f"{self._config.repository} has no workflow {wanted.workflow}", again=False)
        state = text(there, "state") or "in no known state"
        if state != "active":
            return Outcome("failed", f"the workflow {wanted.workflow} is {state}, not active", again=False)
        commit = f"/repos/{self._config.repository}/commits/{quote(wanted.ref, safe='')}"
        if looked(caller, commit, none=_ABSENT) is None:
            return Outcome("failed", f"{self._config.repository} shows no ref '{wanted.ref}'", again=False)
        return _outcome(f"{wanted.workflow} would be started on {wanted.ref}", "0", "")

    def _reached(self) -> Outcome:
        from governance.remote.looking import looked

        if looked(self._caller(), f"{self._path}/workflows", {"per_page": "1"}) is None:
            return Outcome("failed", f"there is no repository {self._config.repository}", again=False)
        return Outcome("done", "the run would be looked at", {"run_id": "0", "url": "", "conclusion": "dry run"})

    def _ended(self, wanted: GithubFinished, at: datetime) -> Outcome:
        from governance.remote.looking import an_object, text

        answer = self._caller().call("GET", f"{self._path}/runs/{wanted.run_id}")
        if not 200 <= answer.status < 300:
            return _untaken(answer, at, harmless=True)
        run = an_object(answer)
        status, conclusion = text(run, "status", 50), text(run, "conclusion", 50)
        outputs = {"run_id": wanted.run_id, "url": text(run, "html_url"), "conclusion": conclusion}
        said = f"run {wanted.run_id} is {conclusion or status or 'in no known state'}"
        if status == "completed" and conclusion == "success":
            return Outcome("done", said, outputs)
        return Outcome("failed", said, outputs, again=status != "completed", wait=LOOK_AGAIN)

    def _workflow(self, wanted: GithubDispatch) -> str:
        return f"{self._path}/workflows/{wanted.workflow}"

    def _caller(self) -> Caller:
        from governance.remote.call import Caller

        return Caller(self._config.server)


def _looks(request: Request) -> bool:
    return request.operation.endswith("finished")


def _untaken(answer: Answer, at: datetime, *, harmless: bool = False) -> Outcome:
    """Return what an answer means; a 403 may only be a limit, of which GitHub says when it ends."""
    from governance.remote.judging import LONGEST_WAIT, untaken

    outcome, reset = untaken(answer, harmless=harmless), answer.headers.get("x-ratelimit-reset", "")
    if answer.status not in (403, 429):
        return outcome
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit() and len(reset) < 12:
        wait = min(max(timedelta(seconds=int(reset) - at.timestamp()), timedelta()), LONGEST_WAIT)
        return Outcome("failed", outcome.detail, wait=wait)
    return Outcome("failed", outcome.detail, again="retry-after" in answer.headers or outcome.again, wait=outcome.wait)


def _outcome(said: str, run: object, url: object) -> Outcome:
    run_id = str(run) if isinstance(run, (int, str)) else ""
    shown = url if isinstance(url, str) and url.startswith("https://") else ""
    detail = f"{said}{f', run {run_id}' if run_id not in ('', '0') else ''}"
    return Outcome("done", detail, {"run_id": run_id, "url": shown[:500]})
