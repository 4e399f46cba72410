"""Move an alias of MLflow's registry, which is how a version is rolled back, or set a tag.

Source: https://mlflow.org/docs/latest/rest-api.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, Field

from governance.core.document import Document
from governance.core.performance import Outcome, Request
from governance.remote.asking import asked, found
from governance.remote.config import ServerConfig

if TYPE_CHECKING:
    from governance.remote.call import Caller

_API = "/api/2.0/mlflow"
_NOT_THERE = (400, 404)
"""How the registry says that an alias or a version is not there."""
_READY, _PENDING = "READY", "PENDING_REGISTRATION"


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Name = Annotated[str, Field(min_length=1, max_length=250)]
Version = Annotated[str, Field(pattern=r"^[0-9]{1,18}$"), BeforeValidator(_text)]
Value = Annotated[str, Field(max_length=5_000), BeforeValidator(_text)]


class MlflowConfig(ServerConfig):
    """The address of the tracking server, without /api."""


class MlflowSetAlias(Document):
    """Let an alias of a registered model name a version, which must be there and READY."""

    name: Name
    alias: Name
    version: Version


class MlflowSetTag(Document):
    """Set a tag of a registered model, or of one version of it."""

    name: Name
    key: Name
    value: Value
    version: Version | None = None


class Mlflow:
    """The registry that serving goes by: what an alias names is loaded there."""

    Config: ClassVar[type[BaseModel]] = MlflowConfig
    OPERATIONS: ClassVar[dict[str, type[BaseModel]]] = {"set_alias": MlflowSetAlias, "set_tag": MlflowSetTag}
    OUTPUTS: ClassVar[dict[str, dict[str, str]]] = {
        "set_alias": {"name": "string", "alias": "string", "version": "string", "before": "string"},
        "set_tag": {"name": "string", "key": "string", "value": "string"},
    }
    REPEATS: ClassVar[frozenset[str]] = frozenset({"set_alias", "set_tag"})

    def __init__(self, config: MlflowConfig) -> None:
        self._config = config

    @classmethod
    def configured(cls, config: MlflowConfig, directory: Path) -> Mlflow:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the system from its settings."""
        return cls(config)

    def perform(self, request: Request) -> Outcome:
        """Do it, unless it is so already; `before` is what the alias named until then, "" where it is not known."""
        if _is_tag(request):
            return asked(request, MlflowSetTag, lambda wanted: self._tagged(wanted, dry=False))
        return asked(request, MlflowSetAlias, lambda wanted: self._pointed(wanted, dry=False))

    def dry_run(self, request: Request) -> Outcome:
        """Look whether the model and the version are there and READY, and say what would change."""
        if _is_tag(request):
            return asked(request, MlflowSetTag, lambda wanted: self._tagged(wanted, dry=True))
        return asked(request, MlflowSetAlias, lambda wanted: self._pointed(wanted, dry=True))

    def read_back(self, request: Request) -> Outcome | None:
        """Read the alias, or the tag."""
        return (
            found(request, MlflowSetTag, self._tag) if _is_tag(request) else found(request, MlflowSetAlias, self._alias)
        )

    def _pointed(self, wanted: MlflowSetAlias, *, dry: bool) -> Outcome:
        registry = _Registry(self._config)
        registry.check_version(wanted.name, wanted.version)
        before = registry.aliased(wanted.name, wanted.alias)
        said = f"{wanted.alias} of {wanted.name}"
        outputs = {**wanted.model_dump(), "before": before if before != wanted.version else ""}
        if before == wanted.version:
            return Outcome("done", f"{said} is version {wanted.version} already", outputs)
        was = f"it was {before}" if before else "it named none"
        if dry:
            return Outcome("done", f"{said} would be version {wanted.version}; {was}", outputs)
        return registry.told("/registered-models/alias", wanted.model_dump()) or Outcome(
            "done", f"{said} is version {wanted.version}; {was}", outputs
        )

    def _alias(self, wanted: MlflowSetAlias) -> Outcome:
        now = _Registry(self._config).aliased(wanted.name, wanted.alias)
        outputs = {**wanted.model_dump(), "before": ""}
        said = f"{wanted.alias} of {wanted.name} is {f'version {now}' if now else 'not there'}"
        return Outcome("done" if now == wanted.version else "failed", said, outputs)

    def _tagged(self, wanted: MlflowSetTag, *, dry: bool) -> Outcome:
        registry = _Registry(self._config)
        before = registry.tags(wanted.name, wanted.version).get(wanted.key)
        said = f"tag {wanted.key} of {wanted.name}{f' version {wanted.version}' if wanted.version else ''}"
        outputs = {"name": wanted.name, "key": wanted.key, "value": wanted.value}
        if before == wanted.value:
            return Outcome("done", f"{said} is so already", outputs)
        if dry:
            return Outcome("done", f"{said} would be set", outputs)
        kind = "model-versions" if wanted.version else "registered-models"
        return registry.told(f"/{kind}/set-tag", wanted.model_dump(exclude_none=True)) or Outcome(
            "done", f"{said} is set", outputs
        )

    def _tag(self, wanted: MlflowSetTag) -> Outcome:
        now = _Registry(self._config).tags(wanted.name, wanted.version).get(wanted.key)
        outputs = {"name": wanted.name, "key": wanted.key, "value": wanted.value}
        said = f"tag {wanted.key} of {wanted.name} is {'set' if now == wanted.value else 'not set so'}"
        return Outcome("done" if now == wanted.value else "failed", said, outputs)


def _is_tag(request: Request) -> bool:
    return request.operation.endswith("set_tag")


class _Registry:
    """What is asked of one registry."""

    def __init__(self, config: MlflowConfig) -> None:
        from governance.remote.call import Caller

        self._caller: Caller = Caller(config)

    def check_version(self, name: str, version: str) -> None:
        """Refuse a version that is not there, or cannot be served.

        :raises Ended: saying so.
        """
        from governance.remote.looking import Ended

        found = self._version(name, version)
        status = str(found.get("status", ""))
        if status != _READY:
            said = f"version {version} of {name} is {status or 'in no known state'}, not {_READY}"
            raise Ended(Outcome("failed", said, again=status == _PENDING))

    def aliased(self, name: str, alias: str) -> str:
        """Return the version that an alias names, "" for none."""
        from governance.remote.looking import looked, part, text

        path = f"{_API}/registered-models/alias"
        return text(
            part(looked(self._caller, path, {"name": name, "alias": alias}, none=_NOT_THERE), "model_version"),
            "version",
        )

    def tags(self, name: str, version: str | None) -> dict[str, str]:
        """Return the tags of a model or a version.

        :raises Ended: when it is not there.
        """
        found = self._version(name, version) if version else self._model(name)
        listed = found.get("tags")
        each = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
        return {str(one.get("key")): str(one.get("value")) for one in each}

    def told(self, path: str, body: Mapping[str, Any]) -> Outcome | None:
        """Tell the registry something; None when it took it."""
        from governance.remote.judging import untaken
        from governance.remote.looking import an_object

        answer = self._caller.call("POST", f"{_API}{path}", body)
        if not 200 <= answer.status < 300:
            return untaken(answer)
        an_object(answer)  # a page that asks to sign in is none
        return None

    def _version(self, name: str, version: str) -> Mapping[str, Any]:
        return self._found(
            "/model-versions/get", {"name": name, "version": version}, "model_version", f"version {version} of {name}"
        )

    def _model(self, name: str) -> Mapping[str, Any]:
        return self._found("/registered-models/get", {"name": name}, "registered_model", f"registered model '{name}'")

    def _found(self, path: str, query: Mapping[str, str], inside: str, what: str) -> Mapping[str, Any]:
        from governance.remote.looking import Ended, looked, part

        found = part(looked(self._caller, f"{_API}{path}", query), inside)
        if not found:
            raise Ended(Outcome("failed", f"the registry has no {what}", again=False))
        return found
