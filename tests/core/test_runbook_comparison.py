"""A runbook that acts on less consent than before is loosened, however it is written; anything else is only changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from governance.core.authored import Authored
from governance.core.runbook import Runbook
from governance.core.runbook_comparison import runbook_changes

STEPS = """
- {step: look, instruct: Look at it.}
- {step: consent, approve: {role: approver, people: 2}, timeout: 1h}
- {step: pull, act: switch.pull, with: {mode: fallback, because: drift}}
- {step: tell, notify: {message: Done.}}
- {step: note, act: incident.note, with: {text: done}}
"""


@dataclass(frozen=True, slots=True)
class Alone:
    """A document of which nothing else is asked."""

    document: Runbook

    @property
    def source(self) -> Any:
        raise NotImplementedError


def _runbook(steps: str) -> dict[str, Authored[Runbook]]:
    written = {"runbook": "r", "description": "d", "steps": yaml.safe_load(steps)}
    return {"r": Alone(Runbook.model_validate(written))}


def _changes(new: str, old: str = STEPS) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.effect, each.reasons) for each in runbook_changes(_runbook(old), _runbook(new))]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("people: 2", "people: 1", "consent asks 1 instead of 2 before pull"),
        ("people: 2", "people: 2, not: nobody", "consent may be given by whoever started it"),
        ("role: approver", "role: responder", "consent asks the role responder, was approver"),
        ("- {step: consent, approve: {role: approver, people: 2}, timeout: 1h}\n", "", "pull can be done without"),
        ("timeout: 1h}", "timeout: 1h, on_timeout: continue}", "pull can be done without"),
        ("timeout: 1h}", "on_failure: pull}", "pull can be done without"),
        ("timeout: 1h}", "when: card.tier == 1}", "pull can be done without"),
        ("instruct: Look at it.}", "instruct: Look at it., then: pull}", "pull can be done without"),
        (
            "- {step: consent",
            "- {step: early, act: switch.pull, with: {mode: stopped}}\n- {step: consent",
            "early is new",
        ),
    ],
)
def test_less_consent_before_an_act_loosens(old: str, new: str, reason: str) -> None:
    assert old in STEPS
    ((effect, reasons),) = _changes(STEPS.replace(old, new, 1))
    assert effect == "loosened"
    assert any(reason in each for each in reasons), reasons


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("people: 2", "people: 3"),
        ("Look at it.", "Look at it twice."),
        ("timeout: 1h}", "timeout: 2h}"),
        ("step: consent", "step: agreed"),
        ("- {step: tell", "- {step: more, act: incident.note, with: {text: x}}\n- {step: tell"),
        ("- {step: look", "- {step: first, approve: {role: approver}}\n- {step: look"),
        ("- {step: note, act: incident.note, with: {text: done}}\n", ""),
    ],
)
def test_as_much_consent_or_more_only_changes(old: str, new: str) -> None:
    assert old in STEPS
    assert _changes(STEPS.replace(old, new, 1)) == [("changed", ())]


def test_a_condition_of_a_consent_cannot_be_told() -> None:
    conditional = STEPS.replace("timeout: 1h}", "when: card.tier == 1}")
    ((effect, reasons),) = _changes(conditional.replace("card.tier == 1", "card.tier == 2"), conditional)
    assert effect == "loosened"
    assert reasons == ("when consent is asked changed; whether that is stricter cannot be told",)


def test_new_and_gone_runbooks_and_the_same_one() -> None:
    assert [each.line for each in runbook_changes({}, _runbook(STEPS))] == ["added runbook r"]
    assert [each.line for each in runbook_changes(_runbook(STEPS), {})] == ["removed runbook r"]
    assert not runbook_changes(_runbook(STEPS), _runbook(STEPS))
