"""Compare what was seen with what is expected: only what the author states, each difference with its field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from governance.core.alert import Alert, AlertKey
from governance.core.effect import Effect
from governance.core.incident import Incident
from governance.core.story import Expectation
from governance.engine.entries import ENGINE, HEALTH
from governance.testing.run_comparison import run_differences
from governance.testing.seen import Seen

_STATES = ("inactive", "pending", "firing")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of an expectation that is not so: what was found instead."""

    field: str
    found: str
    wanted: str


def differences(
    expected: Expectation, seen: Seen, delivered: Sequence[Effect], summary: Callable[[AlertKey], str]
) -> Iterator[Difference]:
    """Yield every difference; `delivered` are the messages that reached people, in order."""
    if expected.alert is not None:
        yield from _of_alert(expected, matching(expected, seen.alerts), summary)
    yield from _of_incidents(expected, _incidents(expected, seen))
    yield from _of_effects(expected, seen, delivered)
    if expected.entry is not None and expected.entry not in seen.entries:
        kinds = ", ".join(dict.fromkeys(seen.entries))
        yield Difference("entry", f"the decision log has {kinds or 'no entry'}", expected.entry)
    if expected.run is not None or expected.performed is not None:
        for field, found, wanted in run_differences(expected, seen.runs):
            yield Difference(field, found, wanted)
    if expected.switch is not None and seen.mode(expected.model) != expected.switch:
        yield Difference("switch", f"the kill switch is {seen.mode(expected.model)}", expected.switch)


def matching(expected: Expectation, active: dict[AlertKey, Alert]) -> list[Alert]:
    """Return the alerts that an expectation is about."""
    return [alert for key, alert in active.items() if covers(expected, key)]


def covers(expected: Expectation, key: AlertKey) -> bool:
    """Tell whether an expectation is about an alert: its rule, its kind, and its labels as a subset."""
    kind = ("no_data",) if expected.no_data else ("condition", "final")
    model = expected.model is None or key.model == expected.model or (key.model == ENGINE and key.rule in HEALTH)
    labels = set(expected.labels.items()) <= set(key.labels)
    return key.rule == expected.alert and key.kind in kind and model and labels


def _of_alert(
    expected: Expectation, found: Sequence[Alert], summary: Callable[[AlertKey], str]
) -> Iterator[Difference]:
    """Compare the alert that is furthest: one of many label sets that fires is enough, none must for inactive."""
    best = max(found, key=lambda each: _STATES.index(each.state), default=None)
    state = best.state if best is not None else "inactive"
    wanted = expected.state or "firing"
    if state != wanted:
        field = "state" if expected.state is not None else "alert"
        named = f" {labels_text(best.key)}" if best is not None and best.key.labels and not expected.labels else ""
        yield Difference(field, f"{expected.alert}{named} is {state}", wanted)
        return
    same = [each for each in found if each.state == state]
    severities = {each.severity for each in same}
    if expected.severity is not None and expected.severity not in severities:
        listed = ", ".join(sorted(str(each) for each in severities if each)) or "none"
        yield Difference("severity", f"its severity is {listed}", expected.severity)
    if expected.summary is not None:
        said = [summary(each.key) for each in same]
        if not any(expected.summary in each for each in said):
            yield Difference("summary", f"it says: {' | '.join(dict.fromkeys(said)) or 'nothing'}", expected.summary)


def labels_text(key: AlertKey) -> str:
    """Return the labels of an alert as people read them."""
    return "{" + ", ".join(f"{name}={value}" for name, value in key.labels) + "}" if key.labels else ""


def _incidents(expected: Expectation, seen: Seen) -> list[Incident]:
    """Return the incidents that an expectation is about: those of its model, and of its alert if it names one."""
    asked = any(
        getattr(expected, each) is not None for each in ("incident", "incidents", "findings", "title", "ending")
    )
    if not asked:
        return []
    found = [each for each in seen.incidents if expected.model in (None, each.model)]
    if expected.alert is None or expected.incidents is not None:
        return found
    about = [each for each in found if any(covers(expected, finding.key) for finding in each.findings)]
    return about or found


def _of_incidents(expected: Expectation, found: Sequence[Incident]) -> Iterator[Difference]:
    if expected.incidents is not None and len(found) != expected.incidents:
        listed = "; ".join(each.title for each in found)
        yield Difference(
            "incidents", f"there are {len(found)}{f': {listed}' if listed else ''}", str(expected.incidents)
        )
    newest = found[0] if found else None
    status = newest.status if newest is not None else "none"
    if expected.incident is not None and status != expected.incident:
        said = f"the incident is {status}" if newest is not None else "there is no incident"
        yield Difference("incident", said, expected.incident)
    firing = len(newest.firing) if newest is not None else 0
    if expected.findings is not None and firing != expected.findings:
        yield Difference("findings", f"{firing} findings fire", str(expected.findings))
    for field in ("title", "ending"):
        wanted, said = getattr(expected, field), getattr(newest, field, "")
        if wanted is not None and wanted not in said:
            yield Difference(field, f"the {field} is '{said}'", wanted)


def _of_effects(expected: Expectation, seen: Seen, delivered: Sequence[Effect]) -> Iterator[Difference]:
    told = [each.message.reason for each in delivered]
    for each in expected.effects or ():
        if each not in _kinds(seen, told):
            listed = ", ".join(_kinds(seen, told)) or "none"
            yield Difference("effects", f"the effects are {listed}", each)
    if expected.told is not None and list(expected.told) != list(told):
        yield Difference("told", f"people were told {list(told)}", str(list(expected.told)))
    if expected.message is not None:
        messages = [" | ".join([each.message.title, *each.message.findings]) for each in delivered]
        if not any(expected.message in each for each in messages):
            yield Difference("message", f"people were told {messages[-3:] or 'nothing'}", expected.message)
    if expected.proposes is not None:
        said = list(delivered[-1].message.proposals) if delivered else []
        if said != list(expected.proposes):
            yield Difference("proposes", f"the message proposes {said}", str(list(expected.proposes)))
    if expected.withheld is not None:
        why = [each.receipt for each in seen.effects if each.state == "withheld"]
        if why != list(expected.withheld):
            yield Difference("withheld", f"withheld is {why}", str(list(expected.withheld)))


def _kinds(seen: Seen, told: Sequence[str]) -> list[str]:
    pulled = any(kind.startswith("switch.pulled") for kind in seen.entries)
    withheld = any(each.state == "withheld" for each in seen.effects)
    return [*(["notify"] if told else []), *(["withheld"] if withheld else []), *(["pull"] if pulled else [])]
