"""Several kill switches by one command: shown first, confirmed by typing, and given back model by model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from governance.cli.output import Format, print_json, print_table, say
from governance.errors import GovernanceError

if TYPE_CHECKING:
    from governance.core.authority import Actor
    from governance.core.selection import Selection
    from governance.engine.parts import Engine
    from governance.engine.switching import Order
    from governance.views.batches import BatchForeseenView, BatchItemView, BatchView, ForeseenView

PREVIEW = ("model", "tier", "what", "fallback", "also hit", "why")
OUTCOME = ("model", "outcome", "entry", "why")
REFUSED = 3
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Said:
    """What was said on the command line beside which models: who, why, what was typed, and what was shown before."""

    actor: Actor
    because: str
    confirm: str = ""
    digest: str = ""
    incident: int | None = None


def selection(models: list[str], where: list[str], *, everything: bool) -> Selection:
    """Return which models are meant by names, `--where` and `--all`."""
    from governance.core.selection import Selection

    pairs = [each.partition("=") for each in where]
    if any(not equals or not name or not value for name, equals, value in pairs):
        raise typer.BadParameter("--where is NAME=VALUE, such as team=fraud, tier=1, depends_on=clicks, region=eu")
    if (bool(models), bool(where), everything).count(True) != 1:
        raise typer.BadParameter("say which models: their names, or --where, or --all; one of the three")
    return Selection(tuple(models), tuple(sorted((name, value) for name, _, value in pairs)), everything)


def preview(engine: Engine, order: Order, actor: Actor) -> BatchForeseenView:
    """Return what a pull of several would do; which processes read the switches is only known to who serves them."""
    from governance.engine.batch_views import foreseen_view
    from governance.engine.reading import readable
    from governance.engine.switching import foresee

    found = foresee(engine, order, actor=actor, at=engine.clock.now(), readable=readable(engine, actor))
    return foreseen_view(engine, found)


def print_preview(found: BatchForeseenView, output: Format) -> int:
    """Print what a pull of several would do, and what to type."""
    if output is Format.json:
        print_json(found.model_dump(mode="json"))
        return 0
    print_table(PREVIEW, [_foreseen(each) for each in found.items])
    counts = f"{found.unchanged} unchanged, {found.refused} refused"
    say(f"{found.which} in {found.environment or 'this environment'}: {found.pull} to {found.mode}, {counts}")
    for warning in found.warnings:
        say(f"warning: {warning}")
    if found.dependants:
        say(f"also hit, as they rest on them: {_some(found.dependants)}")
    say(found.limit)
    if found.pull:
        say(f'nothing has changed yet; to do it: --confirm "{found.confirm}" --digest {found.digest}')
    return 0


def pull_together(engine: Engine, order: Order, said: Said, output: Format) -> int:
    """Show what a pull of several would do, ask for the typed confirmation, do it, and say what became of each."""
    from governance.engine.batch_views import batch_view
    from governance.engine.reading import readable
    from governance.engine.switch_views import nobody_confirms
    from governance.engine.switching import pull_together as pull

    found, typed = preview(engine, order, said.actor), said.confirm
    if not typed and found.pull and output is Format.text and sys.stdin.isatty():
        print_preview(found, output)
        typed = _typed(f"type {found.confirm} to confirm")
    batch = pull(
        engine, order, actor=said.actor, because=said.because, at=engine.clock.now(),
        shown=said.digest or found.digest, confirmed=typed, readable=readable(engine, said.actor),
        incident=said.incident,
    )  # fmt: skip
    return print_outcome(batch_view(engine, batch, nobody_confirms), output)


def print_outcome(done: BatchView, output: Format) -> int:
    """Print what became of each; the exit code is 3 where one was refused, or left."""
    code = REFUSED if done.refused or done.left else 0
    if output is Format.json:
        print_json(done.model_dump(mode="json"))
        return code
    rows = [(each.model, each.outcome, str(each.entry or "–"), each.said) for each in done.items]
    print_table(OUTCOME, rows)
    say(f"{done.said}; sealed as entry {done.entry} of the decision log")
    say(f"give them back, one by one: gov switch restore --batch {done.batch} --because …")
    return code


def restore_together(engine: Engine, batch: str, said: Said, output: Format) -> int:
    """Give back what an act on several set, asking for each what a restore of it alone asks."""
    from governance.engine.batch_views import batch_view
    from governance.engine.switch_views import nobody_confirms

    found = batch_view(engine, batch, nobody_confirms)
    held = [each for each in found.items if each.held]
    named = {each.strip() for each in said.confirm.split(",") if each.strip()}
    unknown = sorted(named - {each.model for each in held})
    if unknown:
        raise typer.BadParameter(f"{batch} does not hold {', '.join(unknown)}; gov switch list says what does")
    done = [_given_back(engine, each, said, output, named) for each in held]
    if output is Format.json:
        print_json({"batch": batch, "models": done})
    elif not done:
        say(f"{batch} holds nothing any more")
    for each in found.items:
        if each.outcome == "pulled" and not each.held and output is Format.text:
            say(f"{each.model}: {each.said}")
    return REFUSED if any(each["outcome"] == "refused" for each in done) else 0


def _given_back(engine: Engine, item: BatchItemView, said: Said, output: Format, named: set[str]) -> dict[str, Any]:
    """Restore one model, once its name is typed; what is refused is said, and ends nothing."""
    from governance.engine import switching

    model, seq = item.model, switching.shown(engine, item.model).seq
    typed = model if model in named else ""
    if not named and output is Format.text and sys.stdin.isatty():
        people = switching.people_to_restore(engine, model)
        second = "; of tier 1, so a second person must approve" if people > 1 else ""
        say(f"{model}: {item.said}{second}")
        typed = _typed(f"type {model} to give it back, or nothing to leave it")
    if not typed:
        told = {"model": model, "outcome": "left", "said": f"not confirmed (--confirm {model})"}
    else:
        told = _restored(engine, model, seq, typed, said)
    if output is Format.text:
        say(f"{model}: {told['outcome']}: {told['said']}")
    return told


def _restored(engine: Engine, model: str, seq: int, typed: str, said: Said) -> dict[str, Any]:
    from governance.engine import switching

    try:
        done = switching.restore(
            engine, model, actor=said.actor, because=said.because, at=engine.clock.now(), seq=seq, confirmed=typed
        )
    except GovernanceError as error:
        return {"model": model, "outcome": "refused", "said": str(error)}
    if isinstance(done, switching.SwitchDone):
        told = f"seq {done.switch.seq}, entry {done.entry} of the decision log"
        return {"model": model, "outcome": "given back", "said": told, "entry": done.entry}
    request, who = done.approval.id, " or ".join(done.who_may) or "SOMEBODY-ELSE"
    told = f"{request} waits for a second person: gov switch approve {request} --as {who}"
    return {"model": model, "outcome": "asked for", "said": told, "approval": request, "entry": done.entry}


def _typed(question: str) -> str:
    """Ask on the terminal; an end of the input is nothing."""
    print(f"{question}: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _foreseen(each: ForeseenView) -> tuple[str, ...]:
    health = f"{each.fallback.name} ({each.fallback.state})" if each.fallback is not None else "none"
    return (
        each.model,
        str(each.tier),
        f"{each.does}: {each.said}" if each.does != "refused" else each.does,
        health,
        _some(each.dependants) or "–",
        "; ".join(_notes(each)) or "–",
    )


def _notes(each: ForeseenView) -> Iterator[str]:
    if each.does == "refused":
        yield each.said
    yield from (f"goes on: {one}" for one in each.covers)
    yield from each.warnings


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
