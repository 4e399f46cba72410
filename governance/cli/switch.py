"""Commands for who takes models out of service and gives them back: switch list, get, pull, restore, approve …"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import ActorOption, Format, FormatOption, acting, print_json, print_table, say, stamp
from governance.cli.switch_batch import Said, preview, print_preview, pull_together, restore_together, selection
from governance.cli.switch_output import (
    COLUMNS,
    facts,
    listed_or,
    meaning,
    print_done,
    print_requested,
    print_switch,
    row,
    setting_facts,
)
from governance.core.problem import printable

if TYPE_CHECKING:
    from governance.core.selection import Selection
    from governance.core.switch import Mode, Scope
    from governance.engine.parts import Engine

_switch = typer.Typer(help="Take models out of service, and give them back.", no_args_is_help=True)
LIVE, FALLBACK, SHADOW, STOPPED = 0, 10, 11, 12
"""What `get --exit-code` says: who answers."""


def _share(text: str) -> float:
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no share; write 25% or 0.25") from None


def _duration(text: str) -> timedelta:
    from governance.core.duration import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _mode(text: str) -> str:
    from governance.core.switch import MODES

    if text not in MODES:
        raise typer.BadParameter(f"no mode '{text}'; known: {', '.join(MODES[1:])}")
    return text


def _number(text: str) -> int:
    try:
        return int(text.upper().removeprefix("INC-"))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no incident; write 35 or INC-35") from None


Model = Annotated[str, typer.Argument(metavar="MODEL", help="The model, as its card names it.")]
Because = Annotated[str, typer.Option(help="Why, for the log and for who is told.")]
Version = Annotated[str, typer.Option(help="Only this version of the model.")]
Label = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="Only requests with this label; repeat it.")
]
Share = Annotated[
    float | None,
    typer.Option(metavar="SHARE", parser=_share, help="Of a throttle: who gets the fallback, such as 25%."),
]
Confirm = Annotated[
    str, typer.Option(metavar="TEXT", help="The model's name again, where the act is grave; of several what is shown.")
]
Where = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="Models of a team, tier, label of their card, or that depends_on; repeat."),
]
Models = Annotated[
    list[str] | None, typer.Argument(metavar="MODEL", help="The model, as its card names it; or several.")
]
ModeArgument = Annotated[
    str, typer.Argument(metavar="MODE", parser=_mode, help="throttle, shadow, fallback or stopped.")
]
Expires = Annotated[
    timedelta | None,
    typer.Option(metavar="TIME", parser=_duration, help="End after this long, such as 2h, if its guards are healthy."),
]
Incident = Annotated[
    int | None, typer.Option(metavar="N", parser=_number, help="The incident that this answers: 35 or INC-35.")
]
Everything = Annotated[bool, typer.Option("--all", help="All models.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would do to each.")]
Digest = Annotated[str, typer.Option(help="Of several: pull only what the preview of this digest showed.")]
Offline = Annotated[
    bool, typer.Option("--offline", help="The engine is away: write a signed file that clients on this home obey.")
]
Approval = Annotated[str, typer.Argument(metavar="ID", help="The request, such as APR-3.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    _switch.command("list")(listed)
    for command in (get, pull, restore, approve, refuse, break_glass):
        _switch.command(command.__name__.replace("_", "-"))(command)
    app.add_typer(_switch, name="switch", rich_help_panel="Answer incidents")


def listed(output: FormatOption = Format.text) -> int:
    """List what is not live, and the restores that wait for a second person."""
    from governance.engine.switching import pending, pulled

    engine = _engine()
    now = engine.clock.now()
    found, waiting = pulled(engine), pending(engine, now)
    if output is Format.json:
        approvals = [each.model_dump(mode="json") for each in waiting]
        print_json({"switches": [facts(each, now) for each in found], "approvals": approvals})
        return 0
    if not found:
        say("every model is live")
    else:
        rows = [row(switch.model, each, now) for switch in found for each in switch.settings]
        print_table(COLUMNS, rows)
    for request in waiting:
        say(f"{request.id} waits for a second person since {stamp(request.requested_at)}: {request.text}")
        say(f"  asked by {request.requested_by}; gov switch approve {request.id} --as {listed_or(request.who_may)}")
    return 0


def get(
    model: Model,
    version: Version = "",
    label: Label = None,
    key: Annotated[str, typer.Option(help="The targeting key of a request: says what a throttle means for it.")] = "",
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code", help="Exit 0 when the model answers, 10 the fallback, 11 in shadow, 12 when stopped."
        ),
    ] = False,
    output: FormatOption = Format.text,
) -> int:
    """Say whether a model answers: all of it, or a request of a version, with labels, of a key."""
    from governance.core.switch import effective, falls_back
    from governance.engine.switching import shown

    engine = _engine()
    switch, now = shown(engine, model), engine.clock.now()
    holding = effective(switch, version, dict(_scope(version, label).labels))
    answers = holding is None or (bool(key) and not falls_back(holding, key))
    code = LIVE if answers else {"shadow": SHADOW, "stopped": STOPPED}.get(holding.mode if holding else "", FALLBACK)
    if output is Format.json:
        print_json({**facts(switch, now), "answers": answers, "holds": setting_facts(holding) if holding else None})
        return code if exit_code else 0
    print_switch(switch, now)
    if holding is not None and (key or version or label):
        say(f"this request: {'the model answers' if answers else meaning(holding)}")
    return code if exit_code else 0


def pull(
    models: Models = None,
    *,
    mode: ModeArgument,
    because: Because = "",
    share: Share = None,
    version: Version = "",
    label: Label = None,
    expires: Expires = None,
    incident: Incident = None,
    confirm: Confirm = "",
    where: Where = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    digest: Digest = "",
    offline: Offline = False,
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Take a model, a part of its requests, or several models out of service; at once."""
    if not because and not dry_run:
        raise typer.BadParameter("say why: --because")
    if len(models or ()) != 1 or where or everything or dry_run:
        if offline or version or label:
            raise typer.BadParameter("several are pulled as a whole, by the engine: no --offline, --version or --label")
        which = selection(models or [], where or [], everything=everything)
        said = Said(acting(actor), because, confirm, digest, incident)
        return _pull_together(which, _as_mode(mode), share, expires, said, output, dry_run=dry_run)
    (model,) = models or [""]
    if offline:
        if expires is not None or incident is not None:
            raise typer.BadParameter(
                "an offline pull has neither --expires nor --incident: nobody is there to keep them"
            )
        return _pull_offline(model, mode, because, share, _scope(version, label), confirm, str(acting(actor)), output)
    from governance.engine import switching

    engine = _engine()
    done = switching.pull(
        engine, model, _as_mode(mode), actor=acting(actor), because=because, at=engine.clock.now(),
        scope=_scope(version, label), share=1.0 if share is None else share, expires=expires, incident=incident,
        confirmed=confirm,
    )  # fmt: skip
    return print_done(done, engine.clock.now(), output)


def restore(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model, as its card names it.")] = "",
    *,
    because: Annotated[str, typer.Option(help="Why, for the log and for who is told.")],
    confirm: Confirm = "",
    seq: Annotated[
        int | None,
        typer.Option(help="The state you decided on, as shown; refuse if it changed. The present one if not given."),
    ] = None,
    to: Annotated[
        str, typer.Option(metavar="MODE", parser=_mode, help="Give back only so far, such as throttle.")
    ] = "live",
    share: Share = None,
    version: Version = "",
    label: Label = None,
    batch: Annotated[
        str, typer.Option(metavar="ID", help="What one act on several pulled, such as BATCH-41: asks for each.")
    ] = "",
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Give a model back, or one by one those of an act on several; a model of tier 1 waits for a second person."""
    from governance.engine import switching

    if bool(model) == bool(batch):
        raise typer.BadParameter("name the model, or the act on several with --batch")
    engine = _engine()
    if batch:
        if version or label or seq is not None or to != "live":
            raise typer.BadParameter("with --batch each model is given back as a whole; for a part name the model")
        return restore_together(engine, batch, Said(acting(actor), because, confirm), output)
    done = switching.restore(
        engine, model, actor=acting(actor), because=because, at=engine.clock.now(), confirmed=confirm,
        seq=switching.shown(engine, model).seq if seq is None else seq, scope=_scope(version, label),
        to=_as_mode(to), share=1.0 if share is None else share,
    )  # fmt: skip
    if isinstance(done, switching.SwitchDone):
        return print_done(done, engine.clock.now(), output)
    return print_requested(done, output)


def approve(approval: Approval, actor: ActorOption = "", output: FormatOption = Format.text) -> int:
    """Consent to a restore that somebody else asked for; it takes effect at once."""
    from governance.engine import switching

    engine = _engine()
    done = switching.approve(engine, approval, actor=acting(actor), at=engine.clock.now())
    return print_done(done, engine.clock.now(), output)


def refuse(approval: Approval, because: Because, actor: ActorOption = "", output: FormatOption = Format.text) -> int:
    """Decline a restore, or take back your own request."""
    from governance.engine import switching

    engine = _engine()
    entry = switching.refuse(engine, approval, actor=acting(actor), because=because, at=engine.clock.now())
    if output is Format.json:
        print_json({"approval": approval, "state": "refused", "entry": entry})
    else:
        say(f"{approval} is refused; sealed as entry {entry} of the decision log")
    return 0


def break_glass(
    model: Model,
    because: Because,
    confirm: Confirm = "",
    version: Version = "",
    label: Label = None,
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Restore alone and at once, in an emergency: everybody is paged, and somebody else reviews it."""
    from governance.engine import switching

    engine = _engine()
    done = switching.break_glass(
        engine, model, actor=acting(actor), because=because, at=engine.clock.now(), confirmed=confirm,
        scope=_scope(version, label),
    )  # fmt: skip
    return print_done(done, engine.clock.now(), output)


def _pull_together(
    which: Selection, mode: Mode, share: float | None, expires: timedelta | None, said: Said, output: Format,
    *, dry_run: bool,
) -> int:  # fmt: skip
    from governance.engine.switching import Order

    engine, order = _engine(), Order(which, mode, 1.0 if share is None else share, expires)
    if dry_run:
        return print_preview(preview(engine, order, said.actor), output)
    return pull_together(engine, order, said, output)


def _pull_offline(
    model: str, mode: str, because: str, share: float | None, scope: Scope, confirm: str, actor: str, output: Format
) -> int:
    from governance.engine.switching import offline_pull
    from governance.settings import Settings

    path = offline_pull(
        Settings().home, model, _as_mode(mode), scope, share=1.0 if share is None else share, because=because,
        actor=actor, confirmed=confirm, at=datetime.now(UTC), fallback=_fallback(model),
    )  # fmt: skip
    if output is Format.json:
        print_json({"file": str(path)})
    else:
        say(f"{path} is written and signed: clients that read this folder obey it now")
        say("the engine enters it in the decision log when it is back; until then nothing else knows of it")
    return 0


def _fallback(model: str) -> str:
    """Return the fallback that the card names, "" where no policies can be read here: a pull must not wait for them."""
    from governance.errors import GovernanceError
    from governance.policies import policies
    from governance.settings import Settings

    try:
        plan = policies([Settings().policies]).plan
    except (GovernanceError, OSError):
        plan = None
    policy = plan.by_model.get(model) if plan is not None else None
    if policy is None:
        print(f"gov: warning: no card here declares {printable(model)!r}; is that its name?", file=sys.stderr)
        return ""
    versions = policy.policy.card.versions
    return (versions.fallback if versions is not None else None) or ""


def _engine() -> Engine:
    from governance.bootstrap import operator
    from governance.settings import Settings

    return operator(Settings())


def _as_mode(text: str) -> Mode:
    from governance.core.switch import MODES

    return next(each for each in MODES if each == text)


def _scope(version: str, label: list[str] | None) -> Scope:
    from governance.core.switch import Scope

    pairs = [each.partition("=") for each in label or ()]
    if any(not equals or not name for name, equals, _ in pairs):
        raise typer.BadParameter("a label is NAME=VALUE, such as --label region=eu")
    return Scope(version, tuple(sorted({name: value for name, _, value in pairs}.items())))
