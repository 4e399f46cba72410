"""The command that says what is asked of a model, and where each value of it is written: explain."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from shutil import get_terminal_size
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import Format, FormatOption, instant, print_json, stamp
from governance.core.problem import printable

if TYPE_CHECKING:
    from governance.policies import Policies
    from governance.settings import Settings
    from governance.views.explained import ExplainedRule, ExplainedView, ExplainedWaiver, ValueView

_WIDTH = 100
"""Columns where there is no terminal that says how many it has."""
_NAME = 18
_WIDE_NAME = 21


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel="Author policies")(explain)


def explain(
    model: Annotated[str, typer.Argument(help="The model.")],
    rule: Annotated[str, typer.Option(help="Only this rule and what it reads, such as drift/psi.")] = "",
    at: Annotated[str, typer.Option(help="As it ruled at this time, out of the engine's database.")] = "",
    output: FormatOption = Format.text,
) -> int:
    """Print the effective policy of a model, with the file, line and column of every value. Offline."""
    from governance.bootstrap import waivers_known
    from governance.engine.explaining import explained, explained_waivers
    from governance.policies import policies
    from governance.settings import Settings

    settings = Settings()
    then = instant(at) if at else None
    found = _ruled_at(settings, then) if then is not None else policies([settings.policies], runbooks=settings.runbooks)
    moment = then or datetime.now(UTC)
    known, asked = waivers_known(settings, found, model, moment)
    if then is not None:
        known, asked = [each for each in known if each.known(then)], []
    waivers = explained_waivers(found.plan, model, known, asked, moment)
    view = explained(found.plan, found.written, model, waivers, rule)
    if output is Format.json:
        print_json(view.model_dump(mode="json"))
    else:
        for line in _page(view):
            print(printable(line).rstrip())
    if found.problems:
        print(f"gov: warning: the policies have {len(found.problems)} problems, see gov check", file=sys.stderr)
    return 0


def _ruled_at(settings: Settings, at: datetime) -> Policies:
    """Return the policies that ruled at an instant, as the engine stored them."""
    from governance.bootstrap import stored_database
    from governance.loader.files import shown
    from governance.policies import stored_policies
    from governance.store import policy_versions

    database = stored_database(settings)
    try:
        with database.read() as connection:
            version = policy_versions.ruling_at(connection, at)
            documents = policy_versions.documents(connection, version.digest)
    finally:
        database.close()
    found = stored_policies(documents, shown(settings.policies))
    return replace(found, plan=replace(found.plan, waivers=(), silences=()))  # those of a file are of today


def _page(view: ExplainedView) -> Iterator[str]:
    yield f"{view.model}: policies {view.version}"
    selecting = [each.pack for each in view.packs if each.selects]
    if selecting:
        yield from _line("packs", ", ".join(selecting), "", 2, _WIDE_NAME)
    for pack in view.packs:
        if not pack.selects:
            yield from _line(f"not {pack.pack}", f"it is for models with {pack.applies_to}", pack.place, 2, _WIDE_NAME)
    yield from _section("card", view.card)
    yield from _section("organisation", view.organisation)
    yield from _section("parameters", view.parameters)
    yield from _section("SLOs", view.slos)
    metrics = [each for each in view.metrics if not each.why_not]
    if metrics:
        yield from ("", "metrics")
    for metric in metrics:
        yield f"  {metric.name}"
        yield from _values(metric.values, 4)
    for title, rules in (
        ("rules", [each for each in view.rules if not each.why_not]),
        ("rules that do not apply", [each for each in view.rules if each.why_not]),
    ):
        yield from ("", title) if rules else ()
        for rule in rules:
            yield from _rule(rule, whole=len(view.rules) == 1)
    missing = [each for each in view.metrics if each.why_not]
    if missing:
        yield from ("", "metrics that this model cannot have")
    for metric in missing:
        yield from _line(metric.name, metric.why_not, "", 2, _WIDE_NAME)


def _section(title: str, values: Sequence[ValueView]) -> Iterator[str]:
    if values:
        yield from ("", title)
        yield from _values(values, 2)


def _rule(rule: ExplainedRule, *, whole: bool) -> Iterator[str]:
    if rule.why_not and not whole:
        place = next((each.place for each in rule.values if each.name == "when"), "")
        yield from _line(rule.rule, rule.why_not, place, 2, _WIDE_NAME)
        return
    yield f"  {rule.rule}"
    if rule.why_not:
        yield from _line("does not apply", rule.why_not, "", 4)
    for waiver in rule.waivers:
        yield from _waiver(waiver)
    yield from _values(rule.values, 4)


def _waiver(waiver: ExplainedWaiver) -> Iterator[str]:
    about = " {" + ", ".join(f"{name}={value}" for name, value in waiver.labels.items()) + "}" if waiver.labels else ""
    ends = f" or {', '.join(waiver.ends_on)}" if waiver.ends_on else ""
    said = {
        "active": f"waived until {stamp(waiver.until)}{ends} by {waiver.by}",
        "refused": f"refused by {waiver.by}",
        "over": f"requested by {waiver.requested_by}; its time was over at {stamp(waiver.until)}",
        "pending": f"waits for approval; would end {stamp(waiver.until)}{ends}",
        "written": f"requested by {waiver.requested_by}; would end {stamp(waiver.until)}{ends}",
    }[waiver.state]
    yield from _line(f"~ {waiver.id}", f"{said}{about}: {waiver.because}", waiver.place, 4)


def _values(values: Sequence[ValueView], indent: int) -> Iterator[str]:
    """Yield each value with its place; those that are built in stand together, after what somebody wrote."""
    widest = max((len(each.name) for each in values if each.kind != "built in"), default=0)
    column = min(max(_NAME, widest), 34)
    for each in values:
        if each.kind == "built in":
            continue
        place = each.place if each.kind != "pack default" else f"{each.place} (default)"
        yield from _line(each.name, each.value, place, indent, column)
        for before in each.replaced:
            yield from _line("", f"{each.effect or 'instead of'}, was {before.value}".replace("of, was", "of"),
                             before.place, indent, column)  # fmt: skip
        if each.effect and not each.replaced:
            yield from _line("", each.effect, "", indent, column)
    inside = ", ".join(f"{each.name} {each.value}" for each in values if each.kind == "built in")
    if inside:
        yield from _line("built in", inside, "", indent, column)


def _line(name: str, value: str, place: str, indent: int = 2, column: int = _NAME) -> Iterator[str]:
    """Yield a name, its value and its place: on one line where they fit, else the value wrapped and the place below."""
    width = get_terminal_size().columns if sys.stdout.isatty() else _WIDTH
    head = f"{' ' * indent}{name:<{column}}  "
    further = " " * (indent + column + 2)
    shown = f"← {place}" if place else ""
    if len(head) + len(value) + 2 + len(shown) <= width:
        yield f"{head}{value}{shown and '  ' + shown}"
        return
    yield from wrap(
        value, max(width, len(further) + 20), initial_indent=head, subsequent_indent=further, break_on_hyphens=False
    ) or [head]
    if shown:
        yield f"{further}{shown}"
