"""Start a run of a DAG in Airflow, such as a retraining, and see how it ended (its REST API, version 2).

Sources: https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html (DAGs, their runs) ·
https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/auth-manager/simple/token.html (tokens)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import quote

from pydantic import BaseModel, Field

from governance import settings
from governance.core.document import Document
from governance.core.performance import Outcome, Request
from governance.remote.asking import asked, found
from governance.remote.config import ServerConfig

if TYPE_CHECKING:
    from governance.remote.call import Answer, Caller

LOOK_AGAIN = timedelta(seconds=30)
"""How long a run that goes on is left alone."""
_ENDED, _BROKEN = "success", "failed"
DagId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,250}$")]


class AirflowConfig(ServerConfig):
    """The address of the API server, without /api; `user` and `password_env` are exchanged for a token.

    `prefix` begins the id of each run that is started: engines that share an Airflow need different ones.
    """

    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.~:+-]{1,50}$")] = "governance"


class AirflowTrigger(Document):
    """Start a run of a DAG; its id is made of the key, so that the same act starts one run."""

    dag: DagId
    conf: dict[str, Any] = Field(default_factory=dict)


class AirflowFinished(Document):
    """Wait, by `retry`, for a run of a DAG to succeed; one that failed fails the step."""

    dag: DagId
    run_id: Annotated[str, Field(min_length=1, max_length=250)]


class Airflow:
    """Starts runs and looks at them; a repeat is answered by 409, and the run is looked at."""

    Config: ClassVar[type[BaseModel]] = AirflowConfig
    OPERATIONS: ClassVar[dict[str, type[BaseModel]]] = {"trigger": AirflowTrigger, "finished": AirflowFinished}
    OUTPUTS: ClassVar[dict[str, dict[str, str]]] = {
        "trigger": {"run_id": "string", "state": "string"},
        "finished": {"run_id": "string", "state": "string"},
    }
    REPEATS: ClassVar[frozenset[str]] = frozenset({"trigger", "finished"})

    def __init__(self, config: AirflowConfig) -> None:
        self._config = config

    @classmethod
    def configured(cls, config: AirflowConfig, directory: Path) -> Airflow:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the system from its settings."""
        return cls(config)

    def perform(self, request: Request) -> Outcome:
        """Start the run, or look how it ended."""
        if _looks(request):
            return asked(request, AirflowFinished, self._ended, harmless=True)
        return asked(request, AirflowTrigger, lambda wanted: self._started(wanted, request.key))

    def dry_run(self, request: Request) -> Outcome:
        """Look whether the DAG is there and not paused."""
        if _looks(request):
            return asked(request, AirflowFinished, lambda wanted: self._ready(wanted.dag, wanted.run_id), harmless=True)
        return asked(request, AirflowTrigger, lambda wanted: self._ready(wanted.dag, self.run_id(request.key)))

    def read_back(self, request: Request) -> Outcome | None:
        """Look whether the run of this key is there."""
        if _looks(request):
            return None
        return found(request, AirflowTrigger, lambda wanted: self._found(wanted, request.key))

    def run_id(self, key: str) -> str:
        """Return the id of the run of a key: Airflow allows no slash in it."""
        return f"{self._config.prefix}.{key.replace('/', '.')}"

    def _started(self, wanted: AirflowTrigger, key: str) -> Outcome:
        from governance.remote.judging import untaken
        from governance.remote.looking import an_object

        caller, run_id = self._caller(), self.run_id(key)
        body = {"dag_run_id": run_id, "logical_date": None, "conf": wanted.conf, "note": f"governance {key}"}
        answer = caller.call("POST", f"{_dag(wanted.dag)}/dagRuns", body)
        if answer.status == HTTPStatus.CONFLICT:
            there = self._run(caller, wanted.dag, run_id)
            return _same(there, wanted, run_id) if there is not None else untaken(answer)
        if not 200 <= answer.status < 300:
            return untaken(answer)
        return _outcome(an_object(answer), f"started run {run_id} of {wanted.dag}", run_id)

    def _ready(self, dag: str, run_id: str) -> Outcome:
        from governance.remote.looking import looked

        there = looked(self._caller(), _dag(dag))
        if there is None:
            return Outcome("failed", f"Airflow has no DAG '{dag}'", again=False)
        if there.get("is_paused"):
            return Outcome(
                "failed", f"DAG '{dag}' is paused: its run would wait until somebody unpauses it", again=False
            )
        return Outcome(
            "done", f"DAG '{dag}' is there; its run would be {run_id}", {"run_id": run_id, "state": "dry run"}
        )

    def _found(self, wanted: AirflowTrigger, key: str) -> Outcome:
        run_id = self.run_id(key)
        there = self._run(self._caller(), wanted.dag, run_id)
        return _same(there, wanted, run_id) if there is not None else Outcome("failed", f"there is no run {run_id}")

    def _ended(self, wanted: AirflowFinished) -> Outcome:
        there = self._run(self._caller(), wanted.dag, wanted.run_id)
        if there is None:
            return Outcome("failed", f"'{wanted.dag}' has no run {wanted.run_id}", again=False)
        outcome = _outcome(there, f"run {wanted.run_id} of {wanted.dag}", wanted.run_id)
        state = outcome.outputs["state"]
        if state == _ENDED:
            return outcome
        return Outcome("failed", f"{outcome.detail}", outcome.outputs, again=state != _BROKEN, wait=LOOK_AGAIN)

    def _run(self, caller: Caller, dag: str, run_id: str) -> Mapping[str, Any] | None:
        from governance.remote.looking import looked

        return looked(caller, f"{_dag(dag)}/dagRuns/{quote(run_id, safe='')}")

    def _caller(self) -> Caller:
        """Return who asks, with a token where the settings have a password instead."""
        from governance.remote.call import Caller, Lost, NotSent
        from governance.remote.looking import Ended, an_object, text

        caller = Caller(self._config)
        if not self._config.user:
            return caller
        body = {"username": self._config.user, "password": settings.secret(self._config.password_env).strip()}
        try:
            answer = caller.call("POST", "/auth/token", body)
            token = text(an_object(answer), "access_token", 10_000) if 200 <= answer.status < 300 else ""
        except Lost as error:
            raise NotSent(str(error)) from None  # nothing was asked of a DAG yet
        if not token or not (token.isascii() and token.isprintable()):
            raise Ended(_refused(answer))
        return Caller(self._config, bearer=token)


def _refused(answer: Answer) -> Outcome:
    from governance.remote.judging import untaken

    if 200 <= answer.status < 300:
        return Outcome("failed", "Airflow gave no token for the user and password", again=False)
    return untaken(answer, harmless=True)


def _looks(request: Request) -> bool:
    return request.operation.endswith("finished")


def _dag(dag: str) -> str:
    return f"/api/v2/dags/{quote(dag, safe='')}"


def _same(there: Mapping[str, Any], wanted: AirflowTrigger, run_id: str) -> Outcome:
    """Return the run that is there as done, unless it was started with something else."""
    if (there.get("conf") or {}) != wanted.conf:
        said = f"run {run_id} of {wanted.dag} is there with another conf; two engines need two values of `prefix`"
        return Outcome("failed", said, again=False)
    return _outcome(there, f"run {run_id} of {wanted.dag} is there", run_id)


def _outcome(run: Mapping[str, Any], said: str, run_id: str) -> Outcome:
    from governance.remote.looking import text

    state = text(run, "state", 50) or "unknown"
    return Outcome("done", f"{said}: {state}", {"run_id": run_id, "state": state})
