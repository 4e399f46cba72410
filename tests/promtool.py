"""The same rules and series told to Prometheus's own `promtool test rules` and to ours."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from scenarios.story import Story

from governance.core.duration import format_duration
from governance.core.notation import name, points
from governance.engine.parts import Engine
from governance.testing.seen import Seen

EVERY = timedelta(minutes=10)
"""Longer than the 5 minutes for which Prometheus takes a sample that is missing for the one before it."""

States = Mapping[tuple[tuple[str, str], ...], str]
"""The state of each label set that is pending or firing."""


@dataclass(frozen=True)
class Case:
    """One rule in both languages, `{m}` standing for a name that no other case uses, and its series."""

    told: str
    promql: str
    cel: str
    series: Mapping[str, str]
    for_: str = ""
    keep: str = ""
    no_data: Mapping[str, Any] = field(default_factory=lambda: {"then": "keep"})


def labels_of(case: Case) -> dict[str, list[str]]:
    """Return the metrics of a case with their labels."""
    return {said.metric: [key for key, _ in said.labels] for said in map(name, case.series)}


def named(text: str, index: int) -> str:
    """Give a case names of its own."""
    return text.replace("{m}", f"c{index}_")


def ours(cases: Sequence[Case], every: timedelta = EVERY) -> list[list[States]]:
    """Return, for each case, the states after every beat of our engine, as long as its own series last."""
    rules, metrics, series = [], {}, {}
    for index, case in enumerate(cases):
        clocks = {"for": case.for_, "keep_firing_for": case.keep}
        rules.append(
            {"rule": f"case-{index}", "when": named(case.cel, index), "no_data": dict(case.no_data)}
            | {key: value for key, value in clocks.items() if value}
        )
        for key, labels in labels_of(case).items():
            metric = named(key.replace("m_", "{m}", 1), index)
            metrics[metric] = {"source": "s", "query": metric, "labels": labels, "every": format_duration(every)}
        series |= {named(key.replace("m_", "{m}", 1), index): text for key, text in case.series.items()}
    card = {"model": "m", "owners": {"team": "t"}, "metrics": metrics, "rules": rules}
    play = Story({"every": format_duration(every), "card": card, "series": series, "allow": [r["rule"] for r in rules]})
    found: list[list[States]] = [[] for _ in cases]

    def watch(_engine: Engine, seen: Seen, _at: datetime) -> None:
        states: dict[str, dict[Any, str]] = defaultdict(dict)
        for key, alert in seen.alerts.items():
            if key.kind == "condition":
                states[key.rule][key.labels] = alert.state
        for index in range(len(cases)):
            found[index].append(states[f"case-{index}"])

    play.watch = watch
    played = play.run()
    assert not played.failures, "\n".join(each.render() for each in played.failures)
    return [seen[: _length(case)] for case, seen in zip(cases, found, strict=True)]


def _length(case: Case) -> int:
    return max(len(points(each)) for each in case.series.values())


def documents(
    cases: Sequence[Case], states: Sequence[Sequence[States]], every: timedelta = EVERY
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return Prometheus's rules, and the unit tests that these states are all that its alerts show."""
    rules, tests = [], []
    for index, (case, seen) in enumerate(zip(cases, states, strict=True)):
        alert = f"case{index}"
        clocks = {"for": case.for_, "keep_firing_for": case.keep}
        rules.append(
            {"alert": alert, "expr": named(case.promql, index)} | {key: value for key, value in clocks.items() if value}
        )
        tests.append(
            {
                "interval": format_duration(every),
                "name": case.told,
                "input_series": [
                    {"series": named(key.replace("m_", "{m}", 1), index), "values": _theirs(text)}
                    for key, text in case.series.items()
                ],
                "promql_expr_test": [
                    {
                        "expr": f'ALERTS{{alertname="{alert}"}}',
                        "eval_time": f"{int(beat * every / timedelta(minutes=1))}m",
                        "exp_samples": [{"labels": each, "value": 1} for each in _samples(alert, now)],
                    }
                    for beat, now in enumerate(seen)
                ],
            }
        )
    groups = {"groups": [{"name": "cases", "interval": format_duration(every), "rules": rules}]}
    return groups, {"rule_files": ["rules.yaml"], "evaluation_interval": format_duration(every), "tests": tests}


def _samples(alert: str, now: States) -> Iterator[str]:
    for labels, state in now.items():
        inner = ", ".join(f'{key}="{value}"' for key, value in (("alertname", alert), ("alertstate", state), *labels))
        yield f"ALERTS{{{inner}}}"


def _theirs(text: str) -> str:
    """Write samples one by one: older versions of promtool read `axn` otherwise than newer ones."""
    return " ".join("_" if each is None else "stale" if each == "stale" else repr(each) for each in points(text))


def promtool(
    program: str, folder: Path, cases: Sequence[Case], states: Sequence[Sequence[States]], every: timedelta = EVERY
) -> str:
    """Let promtool judge whether these are the states; return what it says against it, "" when it agrees."""
    groups, tests = documents(cases, states, every)
    (folder / "rules.yaml").write_text(yaml.safe_dump(groups), encoding="utf-8")
    (folder / "tests.yaml").write_text(yaml.safe_dump(tests), encoding="utf-8")
    done = subprocess.run(
        [program, "test", "rules", "tests.yaml"], cwd=folder, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr
