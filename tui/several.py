"""What is chosen in the modal of several kill switches, what is missing, and what is sent; nothing here draws."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.views.batches import BatchForeseenView
from tui.switching import share_of


@dataclass(frozen=True, slots=True)
class Several:
    """What is chosen and typed for all models; `share` and `expires` are as they were typed."""

    mode: str = "fallback"
    share: str = ""
    expires: str = ""
    reason: str = ""
    typed: str = ""


def unclear(chosen: Several) -> str:
    """Return why it cannot be asked what this would do, "" where it can."""
    if chosen.mode == "throttle" and not 0 < (share_of(chosen.share) or 0) < 1:
        return "a share lies between 0% and 100%, such as 50%"
    if chosen.expires and re.fullmatch(r"([1-9]\d*[smhdw])+", chosen.expires) is None:
        return "say after how long it ends, as 30m, 4h or 1d; nothing for never"
    return ""


def wrong(chosen: Several, found: BatchForeseenView) -> tuple[str, str]:
    """Return what is refused and what is missing, each "" where nothing is."""
    if not found.pull:
        refused = next((each.said for each in found.items if each.does == "refused"), "")
        return refused or f"all {found.unchanged} are restricted as much already", ""
    return ("", "") if chosen.reason else ("", "a reason is needed")


def asked(chosen: Several, models: Sequence[str]) -> dict[str, Any]:
    """Return the body that asks what it would do."""
    found: dict[str, Any] = {"models": list(models), "mode": chosen.mode}
    if chosen.mode == "throttle":
        found["share"] = share_of(chosen.share)
    return {**found, "expires": chosen.expires} if chosen.expires else found


def body(
    chosen: Several, question: Mapping[str, Any], found: BatchForeseenView, incident: int | None
) -> dict[str, Any]:
    """Return what is sent: what was asked, with what was shown of it and what was typed."""
    about = {"incident": incident} if incident is not None else {}
    return {**question, **about, "because": chosen.reason, "digest": found.digest, "confirm": chosen.typed}
