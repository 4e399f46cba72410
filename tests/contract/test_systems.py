"""The systems that an organisation acts on: named in org.yaml, checked at their position, kept while they stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance import bootstrap, plugins
from governance.core.operation import wrong_parameters
from governance.core.organisation import Organisation
from governance.core.own_act import OWN_ACTS
from governance.policies import policies
from governance.settings import Settings


def problems(directory: Path, text: str) -> list[str]:
    (directory / "org.yaml").write_text(f"kind: org\n{text}\n", encoding="utf-8")
    return [f"{each.position.line}:{each.position.column} {each.message}" for each in policies([directory]).problems]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("acts: {registry: {kind: mlfow}}", "2:25 no kind 'mlfow'"),
        ("acts: {switch: {kind: http}}", "2:16 'switch' is the engine itself; give this system another name"),
        ("acts: {My.System: {kind: http}}", "2:8 must match ^[a-z0-9]"),
    ],
)
def test_what_is_wrong_with_a_system_is_told_at_its_position(tmp_path: Path, text: str, problem: str) -> None:
    assert any(problem in each for each in problems(tmp_path, text))


def test_the_engine_acts_on_itself_without_any_settings() -> None:
    offered = plugins.operations(Organisation())
    assert offered.items() >= OWN_ACTS.items()
    assert offered["switch.pull"].outputs["seq"] == "int"
    assert offered["switch.pull"].summary == "Take the run's model, or one scope of it, out of service."


@pytest.mark.parametrize(
    ("act", "asked", "wrong"),
    [
        ("switch.pull", {"mode": "fallback", "reason": "x"}, []),
        ("switch.pull", {"mode": "fallback"}, [(("reason",), "give `reason`")]),
        ("switch.pull", {"mode": "{parameters.mode}", "reason": "{incident.title}"}, []),
        ("switch.pull", {"mode": "live", "reason": "{x}"}, [(("mode",), "Input should be 'throttle', 'shadow'")]),
        ("switch.pull", {"mode": "throttle", "reason": "x"}, [((), "a throttle needs the `share`")]),
        ("switch.pull", {"mode": "throttle", "share": "{x}", "reason": "x"}, []),
        (
            "switch.pull",
            {"mode": "fallback", "reason": "x", "labels": {"a": "{x}"}, "to": 1},
            [(("to",), "Extra inputs")],
        ),
        (
            "switch.pull",
            {"mode": "fallback", "reason": "x", "expires": "10s"},
            [(("expires",), "Input should be greater")],
        ),
        ("incident.link", {"address": "javascript:alert(1)"}, [(("address",), "String should match pattern")]),
        ("evidence.record", {"kind": "praised"}, [(("kind",), "Input should be 'trained'")]),
    ],
)
def test_parameters_are_judged_but_for_what_is_still_open(act, asked, wrong) -> None:
    found = wrong_parameters(OWN_ACTS[act], asked, lambda value: isinstance(value, str) and "{" in value)
    assert [each.path for each in found] == [path for path, _ in wrong]
    assert all(each.message.startswith(said) for each, (_, said) in zip(found, wrong, strict=True))


def test_an_engine_keeps_the_systems_that_are_configured_as_before(tmp_path: Path) -> None:
    policies_ = tmp_path / "policies"
    policies_.mkdir()
    (policies_ / "org.yaml").write_text("kind: org\n", encoding="utf-8")
    engine = bootstrap.engine(Settings(home=tmp_path / ".gov", policies=policies_), base=tmp_path)
    again = bootstrap.ruling(policies([policies_]), engine.database, tmp_path, engine)
    assert {name: id(each) for name, each in again.acts.items()} == {
        name: id(each) for name, each in engine.acts.items()
    }
