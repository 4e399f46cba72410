"""What a person chooses in the modal of a kill switch, what is missing in it, and what is sent; nothing here draws."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from governance.client import Client
from governance.views import MayView, ScopeView, SettingView, SwitchDoneView, SwitchView

Act = Literal["pull", "restore", "break-glass"]
PULLS: Mapping[str, str] = {
    "fallback": "the fallback answers",
    "shadow": "the fallback answers, the model's output is only logged",
    "throttle": "a share of the requests gets the fallback",
    "stopped": "nothing answers",
}
VERBS: Mapping[Act, str] = {"pull": "Pull kill switch", "restore": "Restore", "break-glass": "Break the glass"}
DOING: Mapping[Act, str] = {"pull": "pulling", "restore": "restoring", "break-glass": "breaking the glass"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is chosen and typed: for a pull the mode, for a restore the setting that ends and to what it is given back.

    `share`, `expires`, `only` and `to` are as they were typed.
    """

    act: Act
    mode: str = "fallback"
    share: str = ""
    expires: str = ""
    only: str = ""
    to: str = ""
    setting: SettingView | None = None
    reason: str = ""
    typed: str = ""

    @property
    def named(self) -> bool:
        """Tell whether the model's name must be typed."""
        return self.act != "pull" or self.mode == "stopped"


def wrong(chosen: Chosen, switch: SwitchView) -> tuple[str, str]:
    """Return what cannot be done and what is missing, each "" where nothing is; whether the person may is not asked."""
    if chosen.act != "pull" and chosen.setting is None:
        return f"{switch.model} is live already", ""
    if not chosen.reason:
        return "", "a reason is needed"
    if chosen.act == "pull" and chosen.mode == "throttle" and not 0 < (share_of(chosen.share) or 0) < 1:
        return "a share lies between 0% and 100%, such as 50%", ""
    if chosen.expires and re.fullmatch(r"([1-9]\d*[smhdw])+", chosen.expires) is None:
        return "say after how long it ends, as 30m, 4h or 1d; nothing for never", ""
    if chosen.only and scope_of(chosen.only) is None:
        return "say for which requests, as version 7 or country=DE; nothing for all of them", ""
    if chosen.act == "restore" and back_to(chosen.to) is None:
        return "say live, or throttle with the share that still gets the fallback, such as throttle 25%", ""
    return "", ""


def permission(chosen: Chosen, switch: SwitchView) -> MayView | None:
    """Return whether the person may do what is chosen, None where the engine does not say."""
    return switch.may.get(chosen.act)


def body(chosen: Chosen, switch: SwitchView, incident: int | None) -> dict[str, Any]:
    """Return what is sent."""
    if chosen.act != "pull":
        scope = chosen.setting.scope.model_dump() if chosen.setting is not None else {}
        glass: dict[str, Any] = {"because": chosen.reason, "scope": scope, "confirm": chosen.typed}
        if chosen.act == "break-glass":
            return glass
        to, share = back_to(chosen.to) or ("live", None)
        partly = {"to": to, "share": share} if to != "live" else {}
        return {**glass, "seq": switch.seq, **partly}
    found: dict[str, Any] = {"because": chosen.reason, "mode": chosen.mode}
    if chosen.mode == "throttle":
        found["share"] = share_of(chosen.share)
    scope_ = scope_of(chosen.only)
    if scope_ is not None and chosen.only:
        found["scope"] = scope_.model_dump()
    if chosen.expires:
        found["expires"] = chosen.expires
    if incident is not None:
        found["incident"] = incident
    return {**found, "confirm": chosen.typed} if chosen.named else found


def send(client: Client, act: Act, model: str, asked: Mapping[str, Any], key: str) -> SwitchDoneView:
    """Do what was chosen."""
    sent = {"pull": client.pull, "restore": client.restore, "break-glass": client.break_glass}[act]
    return sent(model, asked, key=key)


def share_of(text: str) -> float | None:
    """Return what 50% or 0.5 says, None when it says nothing."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%?)", text.strip())
    return float(found[1]) / (100 if found[2] else 1) if found is not None else None


def scope_of(text: str) -> ScopeView | None:
    """Return the scope that `version 7`, `country=DE` or both say, all requests for nothing; None when it says none."""
    version, labels = "", {}
    for part in text.replace(",", " ").replace("version ", "version=").split():
        name, equals, value = part.partition("=")
        if not equals or not value or re.fullmatch(r"[A-Za-z_]\w*", name) is None:
            return None
        if name == "version":
            version = value
        else:
            labels[name] = value
    return ScopeView(version=version, labels=labels)


def back_to(text: str) -> tuple[str, float | None] | None:
    """Return to which mode, and for a throttle with which share, a restore gives back; None when it says none."""
    said = " ".join(text.split())
    if said in ("", "live"):
        return "live", None
    if said in ("fallback", "shadow"):
        return said, None
    share = share_of(said.removeprefix("throttle "))
    return ("throttle", share) if said.startswith("throttle ") and share is not None and 0 < share < 1 else None


def scope_words(scope: ScopeView) -> str:
    """Return a scope in words."""
    version = [f"version {scope.version}"] if scope.version else []
    return ", ".join([*version, *(f"{name}={value}" for name, value in scope.labels.items())]) or "the whole model"


def worst(switch: SwitchView) -> SettingView | None:
    """Return the most restrictive of what is set."""
    return next((each for each in switch.settings if each.mode == switch.mode), None)
