"""The first fifteen minutes: `gov init` writes a workspace that `gov check` passes and `gov eval` judges."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from governance.errors import InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from governance.core.organisation import Organisation
    from governance.draft.card import Answers, Draft
    from governance.draft.sample import Sample
    from governance.draft.workspace import Place


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel="Author policies")(init)


def init(
    sample: Annotated[
        Path | None, typer.Option("--from", help="A sample of predictions: Parquet (a file or a directory) or CSV.")
    ] = None,
    model: Annotated[str, typer.Option(help="The model's name; by default that of the sample.")] = "",
    description: Annotated[str, typer.Option(help="What it predicts, in one sentence.")] = "",
    team: Annotated[str, typer.Option(help="The team that answers for it.")] = "",
    person: Annotated[str, typer.Option(help="Who answers for it; by default who runs this.")] = "",
    time: Annotated[str, typer.Option(help="The column with the time of each prediction.")] = "",
    column: Annotated[
        list[str] | None, typer.Option(help="A column by its role: --column label=defaulted; may be repeated.")
    ] = None,
) -> int:
    """Write a first card and organisation, drafted from a sample of predictions; nothing is overwritten.

    On a terminal it asks for what no option says.
    """
    from governance.bootstrap import SystemClock
    from governance.draft.workspace import organised
    from governance.settings import Settings

    settings = Settings()
    known = organised(settings.policies)
    wanted = _Wanted(settings.policies, known, model, description, team, person, settings.who())
    if sample is None and not model:
        sample, wanted = _sample(), replace(wanted, brief=True)
    if sample is None:
        return _without_data(wanted)
    return _from_sample(wanted, sample, _columns(column or [], time), SystemClock().now())


@dataclass(frozen=True)
class _Wanted:
    """What the options say, "" where they leave it open, and what there is already."""

    policies: Path
    known: Organisation | None
    model: str
    description: str
    team: str
    person: str
    login: str
    brief: bool = False
    """Whether one question was asked already, so that the sentence is left to the card."""


def _sample() -> Path | None:
    if not _asking():
        raise InvalidDocument(
            "there is no terminal to ask on: say --from FILE with a sample of predictions, or --model NAME "
            "(and --team, --person, --description)"
        )
    question = "A sample of its predictions, in Parquet or CSV (Enter: there is none yet)"
    said = str(typer.prompt(question, default="", show_default=False)).strip()
    return Path(said).expanduser() if said else None


def _without_data(wanted: _Wanted) -> int:
    from governance.draft.card import plain_card
    from governance.draft.workspace import SOURCE, Place, known_source

    answers = _answers(wanted, "my-model")
    place = Place(SOURCE, "data", answers.model)
    if wanted.known is not None:
        place = known_source(wanted.known, place)
    return _written(wanted, answers, plain_card(answers, place.source), place)


def _from_sample(wanted: _Wanted, path: Path, columns: dict[str, str], now: datetime) -> int:
    from governance.draft.card import NoTime, card_of
    from governance.draft.sample import opened
    from governance.draft.workspace import known_source, place_of

    with opened(path) as sample:
        answers = replace(_answers(wanted, path.name.partition(".")[0]), columns=columns)
        place = place_of(path, parquet=sample.parquet)
        if wanted.known is not None:
            place = known_source(wanted.known, place)
        try:
            draft = card_of(sample, answers, place.source, place.table, now)
        except NoTime as unclear:
            if not (_asking() and unclear.candidates):
                raise
            question = f"Which column is the time of the prediction ({', '.join(unclear.candidates)})"
            answers = replace(answers, columns={**columns, "time": str(typer.prompt(question))})
            draft = card_of(sample, answers, place.source, place.table, now)
        _refuse_written(wanted, answers)
        _copy(sample, Path(place.directory) / f"{place.table}.parquet", path)
    return _written(wanted, answers, draft, place, now)


def _answers(wanted: _Wanted, named: str) -> Answers:
    """Return what a person says, asked where there is somebody to ask: at most five questions with that of the time."""
    from governance.draft.card import Answers, model_name

    def said(value: str, question: str, default: str) -> str:
        if value or not _asking():
            return value or default
        return str(typer.prompt(question, default=default, show_default=bool(default)))

    model = said(wanted.model, "The model's name", model_name(named) or "my-model")
    if model_name(model) != model:
        hint = f"; for example '{model_name(model)}'" if model_name(model) else ""
        raise InvalidDocument(
            f"'{model}' cannot be the name of a model: lower-case letters, digits, dots, - and _{hint}"
        )
    sentence = "What does it predict, in one sentence"
    description = wanted.description if wanted.brief else said(wanted.description, sentence, "")
    team = said(wanted.team, "Which team answers for it", _team(wanted))
    person = said(wanted.person, "Who answers for it", _person(wanted))
    _refuse_unknown(wanted.known, team, person)
    return Answers(model, team, person, description=" ".join(description.split()))


def _team(wanted: _Wanted) -> str:
    """Return the team of whoever runs this, else the first there is."""
    teams = wanted.known.teams if wanted.known else {}
    own = [name for name, team in teams.items() if wanted.login in team.members]
    return next(iter([*own, *teams]), "ml")


def _person(wanted: _Wanted) -> str:
    """Return whoever runs this, unless the organisation knows others only: then nobody is guessed."""
    login = re.sub(r"[^\w.-]", "", wanted.login) or "me"
    return "" if wanted.known and wanted.known.people and login not in wanted.known.people else login


def _refuse_unknown(known: Organisation | None, team: str, person: str) -> None:
    from governance.core.suggestion import closest

    if known is None:
        return
    for option, name, there in (("team", team, known.teams), ("person", person, known.people)):
        if there and name and name not in there:
            hint = closest(name, there) or f"known: {', '.join(there)}"
            raise InvalidDocument(f"org.yaml names no {option} '{name}' ({hint}): add it there, or say --{option}")


def _columns(pairs: Sequence[str], time: str) -> dict[str, str]:
    found = {"time": time} if time else {}
    for each in pairs:
        role, equals, name = each.partition("=")
        if not (equals and role and name):
            raise typer.BadParameter(f"{each!r} is no role and column; write --column label=defaulted")
        found[role] = name
    return found


def _refuse_written(wanted: _Wanted, answers: Answers) -> None:
    from governance.draft.workspace import refuse_existing

    refuse_existing([wanted.policies / f"{answers.model}.yaml"])


def _copy(sample: Sample, target: Path, path: Path) -> None:
    """Copy a sample to where the engine reads it, unless it lies there."""
    if sample.parquet and (path.is_dir() or path.suffix == ".parquet"):
        return
    if target.exists():
        raise InvalidDocument(f"{target} is there already, and nothing is overwritten; move it away or rename {path}")
    target.parent.mkdir(parents=True, exist_ok=True)
    sample.copy(target)
    print(f"wrote {target} with the rows of {path}: prediction logs are read as Parquet")


def _written(wanted: _Wanted, answers: Answers, draft: Draft, place: Place, now: datetime | None = None) -> int:
    from governance.draft.card import organisation
    from governance.draft.workspace import schemas, write
    from governance.policies import KINDS

    card, org = wanted.policies / f"{answers.model}.yaml", wanted.policies / "org.yaml"
    also = {org: organisation(answers, place.source, place.directory), **schemas(KINDS)}
    for path in write({card: draft.card}, also=also):
        if path.suffix == ".yaml":
            print(f"wrote {path}")
    for note in draft.notes:
        print(f"gov: note: {note}", file=sys.stderr)
    _print_next(answers.model, draft, now)
    return 0


def _print_next(model: str, draft: Draft, now: datetime | None) -> None:
    """Print three commands that work now."""
    at = ""
    if draft.at is not None and now is not None and abs(now - draft.at) > timedelta(hours=1):
        at = f" --at {draft.at:%Y-%m-%dT%H:%MZ}"
    print("\nNext:")
    print("  gov check")
    print(f"  gov eval {model}{at}{'  # as of the newest row of the sample' if at else ''}")
    print(f"  gov export {model} --to markdown{at}")


def _asking() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
