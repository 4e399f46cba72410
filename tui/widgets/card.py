"""What a card says, in short: who answers for the model, which versions there are, what it sees, costs and owes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from governance.views import ModelView
from governance.views.models import VersionSeenView
from tui.known import span
from tui.text import fact, head, safe

_ROLES = (("serving", "serving"), ("fallback", "fallback"), ("rollback_to", "rollback to"), ("shadow", "shadow"))
_TOLD = {
    "kind", "model", "metrics", "rules", "slos", "description", "tier", "labels", "owners", "versions", "truth", "cost",
    "data", "slices", "review", "runbooks", "cadence",
}  # fmt: skip


def versions(found: ModelView, at: datetime) -> Iterator[str]:
    """Yield each version by what it is for, the one that answers now marked, and when each was seen."""
    written, switch = found.card.get("versions") or {}, found.switch
    seen = {each.version: _seen(each, at) for each in found.versions if not found.unseen_why}
    if not written and not seen:
        return
    mode = switch.mode if switch is not None else "live"
    answers = {"live": "serving", "throttle": "serving", "fallback": "fallback"}.get(mode, "")
    since = span(switch.changed_at, at) if switch is not None and switch.changed_at is not None else ""
    yield head("Versions")
    for name, role in _ROLES:
        if written.get(name) not in (None, ""):
            said = (
                f"[$success]● answers now[/] [$muted]{f'since {since}' if since else ''}[/]" if name == answers else ""
            )
            if name == "serving" and not answers:
                said = f"[b $warning]■ {safe(mode)}: its answers are not used[/] [$muted]since {since}[/]"
            said = f"{said} {seen.get(str(written[name]), '')}".strip()
            yield f"  {role:<12} [b]{safe(_version(written[name])):<16}[/] {said}".rstrip()
    canary = written.get("canary")
    if isinstance(canary, Mapping):
        line = f"  {'canary':<12} [b]{safe(str(canary.get('version', ''))):<16}[/] {_share(canary.get('share'))} "
        yield f"{line}{seen.get(str(canary.get('version')), '')}".rstrip()
    others = [each for each in found.versions if not each.roles]
    yield from (f"  {'also seen':<12} [b]{safe(each.version):<16}[/] {_seen(each, at)}" for each in others)
    if found.unseen_why:
        yield f"  [$muted]{safe(found.unseen_why)}[/]"
    rest = {name: value for name, value in written.items() if name in ("prompt", "provider", "retrieval") and value}
    yield from (f"  {name:<12} {safe(str(value))}" for name, value in rest.items())
    yield ""


def _seen(version: VersionSeenView, at: datetime) -> str:
    """Return when a version was seen; that one which should answer never was is no good sign."""
    if version.first is None or version.last is None:
        return "[$warning]never seen[/]" if {"serving", "canary"} & set(version.roles) else "[$muted]never seen[/]"
    before = " or before" if version.earlier else ""
    return f"[$muted]seen[/] {span(version.last, at)} ago[$muted], first {span(version.first, at)} ago{before}[/]"


def card(written: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the card says, the parts that answer who and what first."""
    yield head("Card")
    if written.get("description"):
        yield safe(str(written["description"]))
    for name, said in _facts(written):
        if said:
            yield fact(name, safe(said))
    rest = [name for name in written if name not in _TOLD]
    if rest:
        yield fact("also", f"[$muted]{safe(', '.join(rest))}[/]")
    yield ""


def _facts(written: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    owners, data, truth = (written.get(each) or {} for each in ("owners", "data", "truth"))
    people = [f"team {owners['team']}" if owners.get("team") else ""]
    people += [f"{owners['accountable']} is accountable" if owners.get("accountable") else ""]
    yield "owners", ", ".join(filter(None, [*people, str(owners.get("channel") or "")]))
    yield "tier", str(written.get("tier", ""))
    yield "labels", plain(written.get("labels") or {})
    yield "cadence", plain(written.get("cadence") or {})
    yield "labels come", _truth(truth)
    yield "personal", _personal(data)
    kept = data.get("retention") or {}
    yield "kept", ", ".join(f"{name} {_kept(each)}" for name, each in kept.items())
    yield "may query", ", ".join(data.get("access") or ())
    yield "reads", ", ".join(data.get("depends_on") or ())
    yield "cost", _cost(written.get("cost") or {})
    yield "slices", ", ".join(plain(each) for each in written.get("slices") or ())
    yield "review", ", ".join(f"by {each.get('by')} every {each.get('every')}" for each in written.get("review") or ())
    yield "runbooks", plain(written.get("runbooks") or ())


def plain(value: Any) -> str:
    """Return a value of a card in one line."""
    if isinstance(value, Mapping):
        return "  ".join(f"{name} {plain(each)}" for name, each in value.items() if each not in (None, "", [], {}))
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(each) for each in value)
    return str(value)


def _truth(truth: Mapping[str, Any]) -> str:
    return f"after {truth['delay']}, all after {truth['complete_after']}" if truth.get("complete_after") else ""


def _personal(data: Mapping[str, Any]) -> str:
    features = data.get("features") or {}
    found = [f"{name} ({each['pii']})" for name, each in features.items() if each.get("pii") not in (None, "none")]
    shown = _some(found)
    return (
        f"{len(found)} of {len(features)} features: {shown}" if found else f"none of {len(features)}" * bool(features)
    )


def _some(words: Sequence[str], most: int = 6) -> str:
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def _kept(kept: Mapping[str, Any]) -> str:
    least = f", at least {kept['at_least']}" if kept.get("at_least") else ""
    return f"at most {kept.get('at_most', '?')}{least}"


def _cost(cost: Mapping[str, Any]) -> str:
    currency = cost.get("currency", "USD")
    said = [f"{cost['per_1k']:g} {currency} per 1,000" if cost.get("per_1k") is not None else ""]
    said += [f"{cost['per_day']:g} {currency} a day" if cost.get("per_day") is not None else ""]
    return f"at most {', '.join(filter(None, said))}" if any(said) else ""


def _version(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value.get('name', '')}@{value.get('serving', '')} ({value.get('registry', '')})"
    return str(value)


def _share(share: Any) -> str:
    return f"[$accent]◐ {share:.0%} of the traffic[/]" if isinstance(share, (int, float)) else safe(str(share or ""))
