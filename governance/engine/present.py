"""The values of a finding as they were judged last, beside those with which it began: a summary keeps the latter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from governance.core.expression import displayed
from governance.core.verdict import Input
from governance.engine.parts import Engine
from governance.views import FindingView


def with_present(engine: Engine, findings: Sequence[FindingView]) -> list[FindingView]:
    """Return findings, those that fire still with their values of now, as far as this process has judged them."""
    return [_with_present(engine, each) if each.ended is None else each for each in findings]


def _with_present(engine: Engine, finding: FindingView) -> FindingView:
    inputs = {each.name: each for each in _inputs(engine, finding) if each.value is not None and each.time is not None}
    now = {name: each.value for name, each in inputs.items() if name in finding.values}
    if not now:
        return finding
    at = max(each.time for name, each in inputs.items() if name in now and each.time is not None)
    return finding.model_copy(update={"now": now, "now_at": at, "change": "; ".join(_changes(finding, now))})


def _inputs(engine: Engine, finding: FindingView) -> tuple[Input, ...]:
    verdicts = engine.latest.of(finding.model)
    found = (each for each in verdicts if each.rule == finding.rule and dict(each.labels) == finding.labels)
    verdict = next(found, None)
    return verdict.inputs if verdict is not None else ()


def _changes(finding: FindingView, now: dict[str, float | None]) -> Iterator[str]:
    """Say of each value that reads otherwise than in the summary what it is now, and what it was."""
    for name, value in now.items():
        was = finding.values[name]
        if was is not None and displayed(value) != displayed(was):
            yield f"{name.removeprefix('metrics.')} is {displayed(value)} now, {displayed(was)} {_when(finding)}"


def _when(finding: FindingView) -> str:
    """Return of which moment the summary tells: it is said anew where a finding fires again, spreads or worsens."""
    return "when it began" if len(finding.story) <= 1 else "when it last fired or worsened"
