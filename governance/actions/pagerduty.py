"""Trigger, acknowledge and resolve in PagerDuty, which escalates itself (Events API, version 2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from governance import settings
from governance.actions import wording
from governance.core.document import Flag
from governance.core.effect import Effect, Receipt
from governance.outbound import Outbound
from governance.posting import Answer, posted

_ADDRESS = "https://events.pagerduty.com/v2/enqueue"
_SUMMARY = 1024
"""Characters of the longest summary that is taken."""
_FINDINGS = 50
_ACCEPTED, _INVALID = 202, 400
_ACTIONS = {"resolved": "resolve", "acknowledged": "acknowledge"}


class PagerDutyConfig(BaseModel):
    """Which variable holds the routing key of a service, and where events go (EU: events.eu.pagerduty.com).

    `prefix` begins each dedup key: engines that share a routing key need different ones. `link`: where an incident is
    seen, with {incident} in it.
    """

    model_config = ConfigDict(extra="forbid")
    routing_key_env: Annotated[str, Field(min_length=1)]
    address: str = _ADDRESS
    prefix: Annotated[str, Field(min_length=1, max_length=200)] = "gov"
    link: str = ""
    loopback: Flag = False


class PagerDuty:
    """One alert per incident: whatever is told of it has its dedup key, so that nothing is doubled."""

    Config: ClassVar[type[BaseModel]] = PagerDutyConfig
    FOLDS: ClassVar[str] = "never"
    INCIDENTS_ONLY: ClassVar[bool] = True
    HEARS: ClassVar[frozenset[str]] = frozenset({"acknowledged"})

    def __init__(self, config: PagerDutyConfig) -> None:
        """Send as the settings say."""
        self._config, self._outbound = config, Outbound(config.loopback)

    @classmethod
    def configured(cls, config: PagerDutyConfig, directory: Path) -> PagerDuty:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the action from its settings."""
        return cls(config)

    def perform(self, effect: Effect) -> Receipt:
        """Send the event; it is accepted with 202, and refused with 400 and the reasons."""
        if not effect.incident:
            return Receipt(delivered=True, detail="not about an incident, so no event")
        key = settings.secret(self._config.routing_key_env)
        if not key:
            said = f"the environment variable {self._config.routing_key_env} is not set"
            return Receipt(delivered=False, detail=said)
        content = json.dumps({"routing_key": key, **event(effect, self._config)}, ensure_ascii=False).encode()
        answer = posted(self._config.address, content, {"Idempotency-Key": effect.key}, self._outbound)
        return answer if isinstance(answer, Receipt) else _receipt(answer)


def event(effect: Effect, config: PagerDutyConfig) -> dict[str, Any]:
    """Return the event without its routing key.

    Source: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
    """
    message = effect.message
    action = _ACTIONS.get(message.reason, "trigger")
    known = {"event_action": action, "dedup_key": f"{config.prefix}-{message.incident}"[:255]}
    if action != "trigger":
        return known
    link = wording.linked(config.link, message)
    details = {
        "findings": [wording.line(each) for each in message.findings[:_FINDINGS]],
        "count": len(message.findings),
        "proposals": list(message.proposals),
        "reason": message.reason,
        "status": message.status,
    }
    payload = {
        "summary": wording.line(f"{wording.subject(message)}: {message.title}")[:_SUMMARY],
        "source": message.model,
        "severity": message.severity,  # critical, warning and info are PagerDuty's words too
        "timestamp": message.at.isoformat(),
        "component": message.model,
        "custom_details": details,
    }
    client: dict[str, Any] = {"client": "Model governance"}
    if link:
        client |= {"client_url": link, "links": [{"href": link, "text": wording.subject(message)}]}
    return {**known, "payload": payload, **client}


def _receipt(answer: Answer) -> Receipt:
    """Return the answer as a receipt, with the reasons of a refusal."""
    said = _reasons(answer.text) if answer.status == _INVALID else ""
    receipt = answer.receipt(said)
    if receipt.delivered and answer.status != _ACCEPTED:
        return Receipt(delivered=False, detail=f"HTTP {answer.status}, which is not how PagerDuty accepts an event")
    return receipt


def _reasons(text: str) -> str:
    try:
        found = json.loads(text)
        return "; ".join(str(each) for each in found.get("errors") or [found["message"]])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
