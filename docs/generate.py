"""Write what the documentation takes from the code: JSON Schemas, measures, rules of packs, examples of problems."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import act_pages
import problem_pages
import yaml

from governance.core.duration import format_duration
from governance.core.measure import MEASURES
from governance.core.pack import Pack
from governance.core.rule import Rule
from governance.core.runbook import Goto, Runbook, Step
from governance.loader.published import json_schema
from governance.policies import KINDS, shipped

HERE = Path(__file__).parent


def pages() -> dict[Path, str]:
    """Return every generated file with its text."""
    schemas = {
        HERE / "schema" / f"{kind}.json": json.dumps(json_schema(kind, document), indent=2) + "\n"
        for kind, document in KINDS.items()
    }
    own = {
        HERE / "measures.md": measures(),
        HERE / "pack-rules.md": pack_rules(),
        HERE / "act-operations.md": act_pages.operations(),
        HERE / "shipped-runbooks.md": shipped_runbooks(),
        problem_pages.PAGES / "README.md": problem_pages.index(),
    }
    return {**schemas, **own}


def measures() -> str:
    """Return the page of measures: what each means and needs, and the standard metrics made of it."""
    text = (shipped("policies") / "packs" / "standard.yaml").read_text(encoding="utf-8")
    pack = Pack.model_validate({key: value for key, value in yaml.safe_load(text).items() if key != "kind"})
    standard: dict[str, list[str]] = {}
    for name, metric in pack.metrics.items():
        window = format_duration(metric.window) if metric.window else "1h"
        least = f", at least {metric.min_samples} rows" if metric.min_samples else ""
        standard.setdefault(metric.measure or "", []).append(f"`{name}` ({window}{least})")
    rows = [
        f"| `{name}` | {each.description} | {each.unit or '–'} | {', '.join(each.needs) or '–'} | "
        f"{', '.join(by or 'whole' for by in each.by)} | {'yes' if each.needs_truth else 'no'} | "
        f"{', '.join(standard.get(name, ['–']))} |"
        for name, each in MEASURES.items()
    ]
    head = [
        "# Measures over the prediction log",
        "",
        "Generated from `governance/core/measure.py` and `policies/packs/standard.yaml` by `make docs`.",
        "",
        "A card's metric names one as `measure:`; the pack `standard` makes metrics of them for every card whose log",
        "maps the columns they need. Windows end at full hours, those that need the truth at the label watermark.",
        "A feature whose column no file ever had, and a table of labels (once labels are due) or of the reference that",
        "never had a file, are an error that names them: they are taken for misspelt, not for missing data.",
        "",
        "`where` is a condition in SQL over the log's columns: the measure is that of the rows for which it is true,",
        "as if there were no others, also in the training-time rows that it is compared with. A distribution is",
        "compared with `against`: `{reference: training}` (the default), `{window: 28d}` (the time before the window)",
        'or `{version: "2013.01"}` (what that version saw before the window). Each `where`, and each version that is',
        "compared with, has counts of its own, for which the log's files are read once more.",
        "",
        "| measure | meaning | unit | columns needed | split by | needs truth | standard metrics (window) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows]) + "\n"


def pack_rules() -> str:
    """Return the page of the rules of the shipped packs: what each asks, exactly."""
    lines = [
        "# The rules of the shipped packs",
        "",
        "Generated from `policies/packs/` by `make docs`; [packs](packs.md) says what they are for. A card sets a",
        "parameter with `parameters: {<pack>/<parameter>: …}`.",
    ]
    for path in sorted((shipped("policies") / "packs").glob("*.yaml")):
        text = yaml.safe_load(path.read_text(encoding="utf-8"))
        if text["kind"] != "pack":
            continue
        pack = Pack.model_validate({key: value for key, value in text.items() if key != "kind"})
        if pack.rules:
            lines += _pack(pack)
    return "\n".join(lines) + "\n"


def _pack(pack: Pack) -> Iterator[str]:
    yield from ("", f"## {pack.pack}", "", pack.description or "")
    yield from ("", f"For models with `{pack.applies_to}`." if pack.applies_to else "For every model.")
    if pack.parameters:
        yield from ("", "| parameter | default | stricter |", "| --- | --- | --- |")
    for name, each in pack.parameters.items():
        shown = format_duration(each.default) if isinstance(each.default, timedelta) else f"{each.default:g}"
        yield f"| {name} | {shown} | {each.tighter or '–'} |"
    for rule in pack.rules:
        yield from _rule(pack, rule)


def _rule(pack: Pack, rule: Rule) -> Iterator[str]:
    yield from ("", f"### {pack.pack}/{rule.rule}", "")
    for severity, text in rule.conditions().items():
        yield f"- {severity}: `{' '.join(text.split())}`"
    said = {
        "for models with": rule.applies_to and f"`{' '.join(rule.applies_to.split())}`",
        "for each": rule.for_each and ", ".join(f"`{name}` of `{text}`" for name, text in rule.for_each.items()),
        "for": rule.for_ and format_duration(rule.for_),
        "keeps firing for": rule.keep_firing_for and format_duration(rule.keep_firing_for),
        "a card may loosen it": "no" if rule.overridable is False else None,
        "without data": rule.no_data and f"{rule.no_data.then}, {rule.no_data.severity}"
        if rule.no_data and rule.no_data.then == "alert"
        else rule.no_data and "keeps its state",
        "remedy": rule.remedy and " ".join(rule.remedy.split()),
        "evidence for": rule.controls and ", ".join(rule.controls),
    }
    yield from (f"- {name}: {value}" for name, value in said.items() if value)


def shipped_runbooks() -> str:
    """Return the page of the shipped runbooks: when each helps, and what it does step by step."""
    found = []
    for path in sorted(shipped("runbooks").glob("*.yaml")):
        text = yaml.safe_load(path.read_text(encoding="utf-8"))
        if text["kind"] == "runbook":
            found.append(Runbook.model_validate({key: value for key, value in text.items() if key != "kind"}))
    lines = [
        "# The shipped runbooks",
        "",
        "Generated from `runbooks/` by `make docs`; [runbooks](runbooks.md) says how to write and run one,",
        "[drills](drills.md) how they are practised. One of your own with the same name takes its place.",
        "",
        "| runbook | when | proves |",
        "| --- | --- | --- |",
        *(f"| [{each.runbook}](#{each.runbook}) | {each.description} | {each.proves or '–'} |" for each in found),
    ]
    for each in found:
        lines += _runbook(each)
    return "\n".join(lines) + "\n"


def _runbook(runbook: Runbook) -> Iterator[str]:
    yield from ("", f"## {runbook.runbook}", "", runbook.description, "")
    needs = " ".join((runbook.applies_to or "").split())
    yield f"For models with `{needs}`." if needs else "For every model."
    if runbook.parameters:
        yield from ("", "| parameter | default | is |", "| --- | --- | --- |")
    for name, parameter in runbook.parameters.items():
        default = parameter.default
        shown = format_duration(default) if isinstance(default, timedelta) else str(default)
        yield f"| `{name}` | {f'`{shown}`' if shown else '–'} | {parameter.description} |"
    yield from ("", "| step | does | else |", "| --- | --- | --- |")
    yield from (f"| {each.step} | {_does(each)} | {_else(each)} |" for each in runbook.steps)


def _does(step: Step) -> str:
    """Return what a step does, in a line; the texts that people read are in the file."""
    said = {
        "instruct": "a person looks or works, and ticks",
        "check": f"is it so? {_line(step.text)}",
        "approve": f"{_people(step)} decides: {_line(step.text)}",
        "act": f"`{step.act}`: {_line(step.text)}",
        "wait": f"waits for {format_duration(step.wait) if step.wait else ''}",
        "notify": "tells people",
    }[step.kind]
    when = f", when `{' '.join(step.when.split())}`" if step.when else ""
    return f"{said}{when}{_onward(step)}"


def _people(step: Step) -> str:
    consent = step.approve
    if consent is None:
        return ""
    who = f"{consent.people} {consent.role}s" if consent.people > 1 else f"one {consent.role}"
    return who if consent.not_ == "nobody" else f"{who} who did not start it"


def _onward(step: Step) -> str:
    if isinstance(step.then, Goto):
        return f"; then back to {step.then.step}, {step.then.at_most} times at most"
    return f"; then {step.then}" if step.then else ""


def _else(step: Step) -> str:
    said = []
    if step.timeout is not None:
        said.append(f"after {format_duration(step.timeout)}: {step.on_timeout or step.on_failure}")
    refuses = step.kind == "approve" or (step.kind == "check" and step.timeout is None)
    if refuses or (step.kind == "act" and step.on_failure != "stop"):
        word = {"approve": "refused", "check": "no"}.get(step.kind, "failed")
        said.append(f"{word}: {step.on_failure}")
    if step.undo is not None:
        said.append(f"cancelled: `{step.undo.act}`")
    return "; ".join(said) or "–"


def _line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    problems = {path: problem_pages.filled(path.read_text(encoding="utf-8")) for path in problem_pages.paths()}
    for path, text in {**problems, **pages()}.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(HERE.parent))
