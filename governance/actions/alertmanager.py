"""State what fires to an Alertmanager, which groups, routes and silences it (its API, version 2)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from governance import settings
from governance.actions import wording
from governance.core.document import SEVERITIES, Duration, Flag
from governance.core.effect import Effect, Receipt
from governance.core.incident import Finding, Incident
from governance.outbound import Outbound
from governance.posting import posted

_LASTS = 4
"""After how many intervals without a word an alert ends by itself, as those of Prometheus do."""
_ENDED = timedelta(minutes=15)
"""For how long an end is stated again, in case the other side was away."""
_NAME = re.compile(r"[^a-zA-Z0-9_]")


class AlertmanagerConfig(BaseModel):
    """Where it is, which labels each alert has besides its own, and how often everything is stated again.

    `token_env`: the variable with a bearer token. `link`: where an incident is seen, with {incident} in it.
    """

    model_config = ConfigDict(extra="forbid")
    address: Annotated[str, Field(pattern=r"^https?://")]
    token_env: str = ""
    labels: Mapping[Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")], str] = Field(default_factory=dict)
    every: Duration = timedelta(minutes=1)
    link: str = ""
    loopback: Flag = False

    @field_validator("every")
    @classmethod
    def _some_time(cls, value: timedelta) -> timedelta:
        if value < timedelta(seconds=1):
            raise ValueError("everything is stated again once a second at most")
        return value


class Alertmanager:
    """Each finding is an alert; one that is not stated again ends, so all that are open are, at intervals."""

    Config: ClassVar[type[BaseModel]] = AlertmanagerConfig
    FOLDS: ClassVar[str] = "never"
    INCIDENTS_ONLY: ClassVar[bool] = True

    def __init__(self, config: AlertmanagerConfig) -> None:
        """Send as the settings say."""
        self._config, self._outbound = config, Outbound(config.loopback)

    @classmethod
    def configured(cls, config: AlertmanagerConfig, directory: Path) -> Alertmanager:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the action from its settings."""
        return cls(config)

    @property
    def every(self) -> timedelta:
        """How often what is open is to be stated again."""
        return self._config.every

    def perform(self, effect: Effect) -> Receipt:  # noqa: ARG002 (the shape that plug-ins share)
        """Say nothing: what is about no incident is no alert."""
        return Receipt(delivered=True, detail="not about an incident, so no alert")

    def state(self, incidents: Sequence[Incident], at: datetime) -> Receipt:
        """State how the findings of incidents stand at an instant."""
        found = [each for incident in incidents for each in alerts(incident, at, self._config)]
        if not found:
            return Receipt(delivered=True, detail="nothing to state")
        headers = {}
        if self._config.token_env:
            token = settings.secret(self._config.token_env)
            if not token:
                said = f"the environment variable {self._config.token_env} is not set"
                return Receipt(delivered=False, detail=said)
            headers["Authorization"] = f"Bearer {token}"
        address = f"{self._config.address.rstrip('/')}/api/v2/alerts"
        answer = posted(address, json.dumps(found, ensure_ascii=False).encode(), headers, self._outbound)
        return answer if isinstance(answer, Receipt) else answer.receipt("" if answer.status < 400 else answer.text)


def alerts(incident: Incident, at: datetime, config: AlertmanagerConfig) -> Iterator[dict[str, Any]]:
    """Yield the alerts of an incident; one of a severity that no longer holds has ended.

    Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
    """
    for finding in incident.findings:
        if finding.ended is not None and at - finding.ended > _ENDED:
            continue
        moved = any(each.split()[0] in ("worsened", "eased") for each in finding.story)
        others = [each for each in SEVERITIES if each != finding.severity] if moved else []
        yield _alert(incident, finding, finding.severity, finding.ended or at + _LASTS * config.every, config)
        for severity in others:
            yield _alert(incident, finding, severity, max(at, finding.since), config)


def _alert(
    incident: Incident, finding: Finding, severity: str, until: datetime, config: AlertmanagerConfig
) -> dict[str, Any]:
    link = config.link.replace("{incident}", str(incident.id))
    return {
        "labels": _labels(finding, severity, config),
        "annotations": {
            "summary": wording.line(finding.summary),
            "incident": f"INC-{incident.id}",
            **({"basis": finding.basis} if finding.basis else {}),
        },
        "startsAt": finding.since.isoformat(),
        "endsAt": until.isoformat(),
        **({"generatorURL": link} if link else {}),
    }


def _labels(finding: Finding, severity: str, config: AlertmanagerConfig) -> dict[str, str]:
    """Return what identifies an alert there; a label of the metric that is named as one of ours is `exported_…`."""
    key = finding.key
    own = {"alertname": key.rule, "model": key.model, "severity": severity, "kind": key.kind, **config.labels}
    metric = {re.sub(r"^(?=[0-9])", "_", _NAME.sub("_", name)): value for name, value in key.labels}
    return {**{f"exported_{name}" if name in own else name: value for name, value in metric.items()}, **own}
