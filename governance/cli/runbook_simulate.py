"""The command `gov runbook simulate`: the way of a run without acting, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from governance.cli.output import Format, FormatOption, print_json, say

if TYPE_CHECKING:
    from governance.core.run_simulation import Assumption, Simulation
    from governance.views.simulation import EndingView, PassedView, SimulationView


def simulate(
    name: Annotated[str, typer.Argument(metavar="RUNBOOK", help="The runbook, as its file names it.")],
    model: Annotated[str, typer.Option(help="The model, as its card names it.")],
    parameter: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter that whoever starts it would say.")
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STEP=WHAT",
            help="What becomes of a step: holds, fails, missing, times-out, refused, unknown, skipped.",
        ),
    ] = None,
    output: FormatOption = Format.text,
) -> int:
    """Show the way of a run without starting one: what is read, asked and called at each step, and all ways to end.

    Nothing is asked of any source or system: conditions are decided by the card and the parameters alone, and where
    these do not decide, they are assumed to hold. Consents are assumed to be given, and acts to be done.
    """
    from governance.views.simulation import simulation_view

    view = simulation_view(_simulated(name, model, _pairs(parameter, "--parameter"), _pairs(assume, "--assume")))
    if output is Format.json:
        print_json(view.model_dump(mode="json", by_alias=True))
    else:
        _print(view)
    return 0


def _simulated(name: str, model: str, given: dict[str, str], assumed: dict[str, str]) -> Simulation:
    from governance import plugins
    from governance.bootstrap import SystemClock
    from governance.core.run_simulation import ASSUMPTIONS, at_its_start, rehearsal, simulated
    from governance.core.suggestion import closest
    from governance.errors import NotFound
    from governance.policies import policies, sound
    from governance.settings import Settings

    settings = Settings()
    loaded = sound(policies([settings.policies], runbooks=settings.runbooks))
    if model not in loaded.plan.by_model:
        raise NotFound(
            f"no card declares the model '{model}'; {closest(model, loaded.plan.by_model) or 'see gov check'}"
        )
    if name not in loaded.plan.runbooks:
        known = sorted(loaded.plan.runbooks)
        raise NotFound(f"no runbook '{name}'; {closest(name, known) or 'known: ' + ', '.join(known)}")
    for what in assumed.values():
        if what not in ASSUMPTIONS:
            raise typer.BadParameter(f"nothing is assumed by '{what}'; one of {', '.join(ASSUMPTIONS)}")
    runbook, policy = loaded.plan.runbooks[name].document, loaded.plan.by_model[model]
    at = SystemClock().now()
    known_acts = plugins.operations(loaded.organisation)
    run = at_its_start(runbook, policy, given, at)
    resting = rehearsal(runbook, policy, loaded.organisation, known_acts)
    return simulated(resting, run, cast("dict[str, Assumption]", assumed), at)


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    found = {}
    for each in given or []:
        name, sign, value = each.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"write {option} name=value, not {each!r}")
        found[name] = value
    return found


def _print(view: SimulationView) -> None:
    said = "".join(f", {name}={value}" for name, value in view.parameters.items())
    say(f"{view.runbook} for {view.model}{said} – nothing is done, this is a simulation")
    say(view.description)
    say()
    for number, each in enumerate(view.steps, start=1):
        _print_step(number, each)
    say()
    why = f": {view.ending.said}" if view.ending.state != "done" and view.ending.said else ""
    say(f"It {_words(view.ending)}{why}.")
    if view.ending.state != "done":
        say("  A person decides then: retry, skip or cancel." if view.ending.state == "stopped" else
            "  A person says then whether it took effect: gov runbook settle.")  # fmt: skip
    say()
    say("It can end so:")
    for way in view.ways:
        where = ", ".join(f"{step} {_ASSUMED[what]}" for step, what in way.where.items())
        say(f"  {_words(way)}" + (f"  – if {where}" if where else "  – if all goes well"))
        if way.undo and way.state != "done":
            say(f"      cancelled there, it is taken back: {', '.join(way.undo)}")
    if view.more:
        say("  and perhaps otherwise: not all ways were tried")


_ASSUMED = {
    "fails": "fails",
    "times-out": "takes too long",
    "refused": "is refused",
    "missing": "lacks data",
    "unknown": "has no known outcome",
    "skipped": "is skipped",
    "holds": "holds",
}
_OUTCOMES = {"done": "✓", "skipped": "↷", "failed": "✗", "timed_out": "✗", "unknown": "?"}


def _words(ending: EndingView) -> str:
    if ending.state == "done":
        return f"ends well after '{ending.step}'"
    return f"stops at '{ending.step}'" + ("" if ending.state == "stopped" else ", and nobody knows if it took effect")


def _print_step(number: int, each: PassedView) -> None:
    visit = f" (for the {each.visit}. time)" if each.visit > 1 else ""
    say(f"{number:>2} {_OUTCOMES.get(each.outcome, '○')} {each.step}{visit} – {each.kind}")
    for line in each.text.rstrip().splitlines():
        say(f"      {line}")
    if each.act and each.outcome != "skipped":
        say(f"      calls {each.act}" + (f" under {each.key}" if each.key else ""))
        for name, value in each.with_.items():
            say(f"        {name}: {value}")
    if each.needed and each.outcome != "skipped":
        who = ", ".join(each.who) or "nobody whom the organisation names"
        count = f"{each.needed} of " if each.kind == "approve" else "one of "
        say(f"      asks {count}{who}" + (f", within {each.within}" if each.within else ""))
    elif each.within:
        say(f"      {'for' if each.kind == 'wait' else 'within'} {each.within}")
    if each.why and (each.kind == "check" or each.outcome != "done"):
        say(f"      {each.outcome.replace('_', ' ')}: {each.why}")
    say(f"      → {each.to or 'it stays here'}")
