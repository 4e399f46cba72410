"""How `gov gate` is told: a table for people, JUnit XML for continuous integration."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from governance.cli.output import ago, number, print_table, say, stamp

if TYPE_CHECKING:
    from governance.views.gate import GateRuleView, GateView, RowsView


def print_gate(view: GateView, now: datetime) -> None:
    """Print what failed with its terms, the rest as a table, and what tells nothing of a version."""
    say(f"{view.model}@{view.version}" + (f", next to {view.serving} which serves" if view.serving else ""))
    for rows in filter(None, (view.judged_on, view.compared_with)):
        if rows.rows:
            say(f"  {_rows(rows, now)}")
    if view.judged_on is not None and view.judged_on.rows:
        say("  each metric of the log is over all these rows, whatever window a summary names")
    say()
    for each in view.rules:
        if each.outcome == "fail":
            _print_failure(each, view.serving)
    others = [each for each in view.rules if each.outcome != "fail"]
    marks = {"pass": "✓", "waived": "~", "error": "!"}
    rows_ = [
        (
            f"{marks.get(each.outcome, '?')} {each.outcome}",
            f"{each.rule} {_set(each.labels)}".strip(),
            _values(each.inputs),
            _values(each.serving_inputs) or "–",
            each.reason,
        )
        for each in others
    ]
    if rows_:
        print_table(("verdict", "rule", "candidate", "serving", "why"), rows_)
    _print_left(view)
    counts = Counter(each.outcome for each in view.rules)
    listed = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "no rule could be asked"
    verdict = {"pass": "may serve", "fail": "must not serve", "unjudged": "cannot be judged"}[view.outcome]
    say(f"{view.model}@{view.version} {verdict}: {listed}")
    if view.outcome == "unjudged":
        print(
            "gov: missing data is no pass: let more rows come, or say --from with an offline evaluation",
            file=sys.stderr,
        )


def _rows(rows: RowsView, now: datetime) -> str:
    where = f"of {rows.offline}" if rows.offline else "of the prediction log"
    apart = "" if rows.told_apart else "; no column tells versions apart, so that all are taken for this one"
    age = f"the newest {ago(rows.newest, now)}" if rows.newest else ""
    return f"{rows.version}: {rows.rows:,} rows {where}, {stamp(rows.oldest)} to {stamp(rows.newest)}, {age}{apart}"


def _print_left(view: GateView) -> None:
    """Say once why rules are not judged, with the rules that it holds for."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for each in view.not_judged:
        by_reason[each.reason].append(each.rule)
    if by_reason:
        say("Not judged:")
        for reason, rules in by_reason.items():
            say(f"  · {', '.join(rules)}: {reason}")
        say()


def _print_failure(each: GateRuleView, serving: str) -> None:
    say(f"✗ {each.severity}: {each.summary}")
    say(f"    {each.rule} {_set(each.labels)}".rstrip() + f"   ({each.origin})")
    for term in each.terms:
        values = ", ".join(f"{name} = {_shown(value)}" for name, value in term.values.items())
        truth = {True: "true", False: "false", None: "not known"}[term.true]
        say(f"    {term.text}  is {truth}" + (f"  ({values})" if values else ""))
    if each.serving:
        say(f"    {serving} which serves: {each.serving}, {_values(each.serving_inputs) or 'no values'}")
    say()


def _values(inputs: list[dict[str, object]]) -> str:
    return ", ".join(f"{str(each['name']).replace('metrics.', '')} {_shown(each['value'])}" for each in inputs)


def _shown(value: object) -> str:
    if value is None:
        return "–"
    return number(value) if isinstance(value, float) else str(value)


def _set(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f"{name}={value}" for name, value in labels.items()) + "}" if labels else ""


def write_junit(view: GateView, path: Path) -> None:
    """Write the result as JUnit XML: a case per rule instance, a rule that tells nothing of a version is skipped."""
    import xml.etree.ElementTree as ET

    from governance.core.problem import printable

    suite = ET.Element("testsuite", name=f"gov gate {view.model}@{view.version}", timestamp=view.at.isoformat())
    counts: Counter[str] = Counter()
    for each in view.rules:
        case = ET.SubElement(suite, "testcase", classname=view.model, name=f"{each.rule} {_set(each.labels)}".strip())
        if each.outcome == "fail":
            counts["failures"] += 1
            ET.SubElement(case, "failure", message=printable(each.summary), type=each.severity or "").text = printable(
                _values(each.inputs)
            )
        elif each.outcome not in {"pass", "waived"}:
            counts["errors"] += 1
            ET.SubElement(case, "error", message=printable(each.reason), type=each.outcome)
    for left in view.not_judged:
        counts["skipped"] += 1
        case = ET.SubElement(suite, "testcase", classname=view.model, name=left.rule)
        ET.SubElement(case, "skipped", message=printable(left.reason))
    suite.set("tests", str(len(view.rules) + len(view.not_judged)))
    for name in ("failures", "errors", "skipped"):
        suite.set(name, str(counts[name]))
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
