"""Commands for runbooks and their runs: runbook list, show, run, runs, status, tick, approve, refuse, retry …"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import ActorOption, Format, FormatOption, acting, print_json, print_table, say
from governance.cli.runbook_output import COLUMNS, print_done, print_run, print_runbook, row
from governance.cli.runbook_simulate import simulate

if TYPE_CHECKING:
    from governance.engine.parts import Engine
    from governance.engine.running import RunDone
    from governance.store.runs import Which

_runbook = typer.Typer(help="Start runbooks, and answer what their runs ask.", no_args_is_help=True)


def _run_id(text: str) -> str:
    found = re.fullmatch(r"(?:RUN-)?([1-9][0-9]*)", text.upper())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no run; write 12 or RUN-12")
    return f"RUN-{found[1]}"


def _asked_by(text: str) -> str:
    return text.upper() if re.fullmatch(r"APR-[0-9]+", text.upper()) else _run_id(text)


def _which(text: str) -> str:
    if text not in {"open", "ended", "all"}:
        raise typer.BadParameter(f"no state {text!r}; known: open, ended, all")
    return text


def _incident(text: str) -> int:
    try:
        return int(text.upper().removeprefix("INC-"))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no incident; write 35 or INC-35") from None


Run = Annotated[str, typer.Argument(metavar="RUN", help="The run: 12 or RUN-12.", parser=_run_id)]
Asks = Annotated[str, typer.Argument(metavar="RUN", help="The run, or what asks: RUN-12 or APR-3.", parser=_asked_by)]
Name = Annotated[str, typer.Argument(metavar="RUNBOOK", help="The runbook, as its file names it.")]
Model = Annotated[str, typer.Option(help="The model, as its card names it.")]
Because = Annotated[str, typer.Option(help="Why, for the log.")]
Maybe = Annotated[str, typer.Option("--because", help="Why, or what you saw, for the log.")]
StepOption = Annotated[str, typer.Option("--step", help="The step that you mean; refuse if the run is at another.")]
IncidentOption = Annotated[
    int | None, typer.Option("--incident", metavar="N", parser=_incident, help="What it is about: 35 or INC-35.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    _runbook.command("list")(listed)
    _runbook.command()(simulate)
    for command in (show, run, runs, status, tick, approve, refuse, retry, skip, settle, pause, resume, cancel):
        _runbook.command(command.__name__)(command)
    app.add_typer(_runbook, name="runbook", rich_help_panel="Answer incidents")


def listed(model: Model = "", output: FormatOption = Format.text) -> int:
    """List the runbooks; of a model, whether each can be started for it."""
    from governance.engine.running.showing import all_runbooks, runbook_views

    engine = _engine()
    found = runbook_views(engine, model) if model else all_runbooks(engine)
    if output is Format.json:
        print_json([each.model_dump(mode="json") for each in found])
        return 0
    if not found:
        say("no runbooks: write one into runbooks/, or see gov init")
        return 0
    said = [(each.runbook, each.refused or "yes", each.description) for each in found]
    if model:
        print_table(("runbook", "can start", "what"), said)
    else:
        print_table(
            ("runbook", "steps", "what"), [(each.runbook, str(len(each.steps)), each.description) for each in found]
        )
    return 0


def show(name: Name, model: Model = "", output: FormatOption = Format.text) -> int:
    """Show what a runbook asks for and each of its steps."""
    from governance.engine.running.showing import runbook_view
    from governance.engine.running.starting import runbook_of

    engine = _engine()
    view = runbook_view(engine, runbook_of(engine, name), model)
    if output is Format.json:
        print_json(view.model_dump(mode="json"))
    else:
        print_runbook(view, model)
    return 0


def run(
    name: Name,
    model: Annotated[str, typer.Option(help="The model, as its card names it.")],
    because: Because,
    parameter: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="What the runbook asks for; repeat it.")
    ] = None,
    incident: IncidentOption = None,
    label: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="The labels of the finding; repeat it.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask nobody and change nothing: say at each step what it would do.")
    ] = False,
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Start a runbook for a model; gov serve drives it on."""
    from governance.engine import running

    engine = _engine()
    done = running.start(
        engine, name, model, actor=acting(actor), because=because, at=engine.clock.now(),
        parameters=_pairs(parameter, "parameter", "version=3"), incident=incident or 0,
        labels=_pairs(label, "label", "region=eu"), dry_run=dry_run,
    )  # fmt: skip
    return _print_done(engine, done, "is started", output)


def runs(
    model: Annotated[str, typer.Option(help="Only of this model.")] = "",
    incident: IncidentOption = None,
    state: Annotated[str, typer.Option(parser=_which, metavar="STATE", help="open, ended or all.")] = "open",
    output: FormatOption = Format.text,
) -> int:
    """List runs, newest first; by default those that are under way."""
    from governance.engine.running import showing

    engine = _engine()
    at = engine.clock.now()
    which: Which = state  # type: ignore[assignment]  # the parser let no other through
    found = showing.views(engine, showing.listed(engine, model=model, incident=incident or 0, state=which), at)
    if output is Format.json:
        print_json([each.model_dump(mode="json") for each in found])
    elif not found:
        say(f"no {'' if state == 'all' else state + ' '}runs")
    else:
        print_table(COLUMNS, [row(each, at) for each in found])
    return 0


def status(run_: Run, output: FormatOption = Format.text) -> int:
    """Show a run: what became of each step, who or what it waits for, and what can be done now by whom."""
    from governance.engine.running import showing

    engine = _engine()
    view = showing.run_view(engine, showing.found(engine, run_), engine.clock.now())
    if output is Format.json:
        print_json(view.model_dump(mode="json"))
    else:
        print_run(view, engine.clock.now())
    return 0


def tick(
    run_: Run, because: Maybe = "", step: StepOption = "", actor: ActorOption = "", output: FormatOption = Format.text
) -> int:
    """Say that what a step asks people to do is done."""
    from governance.engine import running

    engine = _engine()
    done = running.tick(engine, run_, step=step, because=because, actor=acting(actor), at=engine.clock.now())
    return _print_done(engine, done, "goes on", output)


def approve(
    asks: Asks, because: Maybe = "", step: StepOption = "", actor: ActorOption = "", output: FormatOption = Format.text
) -> int:
    """Consent to what a run asks for; who started it does not count."""
    from governance.engine import running

    engine, who = _engine(), acting(actor)
    at = engine.clock.now()
    if asks.startswith("APR"):
        done, _ = running.approve_request(engine, asks, because=because, actor=who, at=at)
    else:
        done = running.approve(engine, asks, step=step, because=because, actor=who, at=at)
    return _print_done(engine, done, "has your consent", output)


def refuse(
    asks: Asks, because: Because, step: StepOption = "", actor: ActorOption = "", output: FormatOption = Format.text
) -> int:
    """Refuse what a run asks for, for everybody; its step has failed then."""
    from governance.engine import running

    engine, who = _engine(), acting(actor)
    at = engine.clock.now()
    if asks.startswith("APR"):
        done, _ = running.refuse_request(engine, asks, because=because, actor=who, at=at)
    else:
        done = running.refuse(engine, asks, step=step, because=because, actor=who, at=at)
    return _print_done(engine, done, "is refused", output)


def retry(
    run_: Run, because: Maybe = "", step: StepOption = "", actor: ActorOption = "", output: FormatOption = Format.text
) -> int:
    """Have the step that failed tried again."""
    from governance.engine import running

    engine = _engine()
    done = running.retry(engine, run_, step=step, because=because, actor=acting(actor), at=engine.clock.now())
    return _print_done(engine, done, "tries again", output)


def skip(
    run_: Run, because: Because, step: StepOption = "", actor: ActorOption = "", output: FormatOption = Format.text
) -> int:
    """Go on without the step where the run is; consent is never skipped."""
    from governance.engine import running

    engine = _engine()
    done = running.skip(engine, run_, step=step, because=because, actor=acting(actor), at=engine.clock.now())
    return _print_done(engine, done, "goes on without the step", output)


def settle(
    run_: Run,
    because: Because,
    took_effect: Annotated[
        bool, typer.Option("--took-effect/--no-effect", help="What you found where the act was to take effect.")
    ],
    step: StepOption = "",
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Say whether an act took effect of which the engine could not find that out."""
    from governance.engine import running

    engine = _engine()
    done = running.settle(
        engine, run_, step=step, took_effect=took_effect, because=because, actor=acting(actor), at=engine.clock.now()
    )
    return _print_done(engine, done, "knows now", output)


def pause(run_: Run, because: Maybe = "", actor: ActorOption = "", output: FormatOption = Format.text) -> int:
    """Let a run begin nothing new; what is under way is finished, and deadlines go on."""
    from governance.engine import running

    engine = _engine()
    done = running.pause(engine, run_, because=because, actor=acting(actor), at=engine.clock.now())
    return _print_done(engine, done, "is paused", output)


def resume(run_: Run, because: Maybe = "", actor: ActorOption = "", output: FormatOption = Format.text) -> int:
    """Let a paused run go on."""
    from governance.engine import running

    engine = _engine()
    done = running.resume(engine, run_, because=because, actor=acting(actor), at=engine.clock.now())
    return _print_done(engine, done, "goes on", output)


def cancel(
    run_: Run,
    because: Because,
    undo: Annotated[bool, typer.Option("--undo/--no-undo", help="Take back what it did, the last first.")] = True,
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """End a run, and take back what it did."""
    from governance.engine import running

    engine = _engine()
    done = running.cancel(engine, run_, because=because, undo=undo, actor=acting(actor), at=engine.clock.now())
    return _print_done(engine, done, "is to end", output)


def _print_done(engine: Engine, done: RunDone, what: str, output: Format) -> int:
    from governance.engine.running import showing

    at = engine.clock.now()
    view = showing.run_view(engine, done.run, at)
    if output is Format.json:
        facts = {"entry": done.entry, "because_allowed": done.because_allowed}
        print_json({**view.model_dump(mode="json"), **facts})
        return 0
    print_done(view, done.entry, done.because_allowed, what)
    return 0


def _pairs(given: list[str] | None, what: str, example: str) -> dict[str, str]:
    pairs = [each.partition("=") for each in given or ()]
    if any(not equals or not name for name, equals, _ in pairs):
        raise typer.BadParameter(f"a {what} is NAME=VALUE, such as --{what} {example}")
    return {name: value for name, _, value in pairs}


def _engine() -> Engine:
    from governance.bootstrap import operator
    from governance.settings import Settings

    return operator(Settings())
