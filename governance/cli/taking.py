"""`gov import`: begin with what other tools know."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from governance.exchange.taken.foreign import Taken

_import = typer.Typer(
    help="Draft a card from what another tool knows; what it cannot say is listed.", no_args_is_help=True
)

File = Annotated[Path, typer.Argument(help="The file to read.")]
Model = Annotated[str, typer.Option(help="The model's name; by default as the file calls it.")]
Team = Annotated[str, typer.Option(help="The team that answers for it.")]
Output = Annotated[str, typer.Option("--output", "-o", help="Where to write the card; - prints it.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    for command in (huggingface, openslo, mlflow):
        _import.command()(command)
    _import.command("prometheus-rules")(prometheus_rules)
    app.add_typer(_import, name="import", rich_help_panel="Author policies")


def huggingface(file: File, model: Model = "", team: Team = "", output: Output = "") -> int:
    """From a model card of the Hugging Face Hub (README.md)."""
    from governance.exchange.taken.foreign import read
    from governance.exchange.taken.hugging_face import hugging_face

    return _done(hugging_face(str(file), read(file)), "huggingface", model, team, output)


def openslo(file: File, model: Model = "", team: Team = "", output: Output = "") -> int:
    """From objectives in OpenSLO v1: SLOs of the card."""
    from governance.exchange.taken.foreign import documents, read
    from governance.exchange.taken.openslo import openslo as taken_over

    return _done(taken_over(documents(str(file), read(file))), "openslo", model or "", team, output, file)


def prometheus_rules(file: File, model: Model = "", team: Team = "", output: Output = "") -> int:
    """From alerting rules of Prometheus (rule files, or PrometheusRule of Kubernetes): rules of the card."""
    from governance.exchange.taken.foreign import documents, read
    from governance.exchange.taken.prometheus_rules import prometheus_rules as taken_over

    return _done(taken_over(documents(str(file), read(file))), "prometheus-rules", model, team, output, file)


def mlflow(
    name: Annotated[str, typer.Argument(help="The registered model.")],
    address: Annotated[str, typer.Option(help="The tracking server; by default the mlflow source of org.yaml.")] = "",
    model: Model = "",
    team: Team = "",
    output: Output = "",
) -> int:
    """From a registered model of MLflow: which version serves, what its run measured."""
    from pydantic import ValidationError

    from governance.draft.workspace import organised
    from governance.errors import InvalidDocument
    from governance.exchange.taken.mlflow import mlflow as taken_over
    from governance.settings import Settings
    from governance.sources.mlflow import MlflowConfig

    known = organised(Settings().policies)
    sources = {each: plugin for each, plugin in (known.sources if known else {}).items() if plugin.kind == "mlflow"}
    source, plugin = next(iter(sources.items()), ("registry", None))
    if not address and plugin is None:
        raise InvalidDocument("say --address: org.yaml names no source of the kind mlflow")
    try:
        config = MlflowConfig.model_validate({"address": address} if address else plugin.settings() if plugin else {})
    except ValidationError as error:
        raise InvalidDocument(f"--address: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error
    return _done(taken_over(name, config, source), "mlflow", model, team, output)


def _done(taken: Taken, kind: str, model: str, team: str, output: str, file: Path | None = None) -> int:
    """Write the card, tell what was left out, and what is still to be filled in."""
    from governance.draft.card import model_name
    from governance.draft.workspace import organised
    from governance.errors import InvalidDocument
    from governance.exchange.taken.names import kebab
    from governance.exchange.taken.written import card_text, notes
    from governance.settings import Settings

    settings = Settings()
    known = organised(settings.policies)
    guessed = str(taken.card.get("model") or "") or kebab(file.name.partition(".")[0] if file else "")
    name = model or model_name(guessed) or "my-model"
    if model_name(name) != name:
        raise InvalidDocument(f"'{name}' cannot be the name of a model: lower-case letters, digits, dots, - and _")
    if not any(taken.card.get(part) for part in ("metrics", "log", "slos", "rules")):
        raise InvalidDocument("\n".join(["nothing could be taken over:", *notes(taken)]))
    owner = team or next(iter(known.teams if known else {}), "ml")
    text = card_text(taken, {"team": owner}, name, f"gov import {kind}")
    for each in notes(taken):
        print(f"gov: note: {each}", file=sys.stderr)
    if output == "-":
        print(text, end="")
    else:
        _write(taken, Path(output) if output else settings.policies / f"{name}.yaml", text, owner)
    return 0


def _write(taken: Taken, path: Path, text: str, team: str) -> None:
    from governance.draft.workspace import organised, schemas, write
    from governance.exchange.taken.written import sources_text
    from governance.loader.writing import scalar
    from governance.policies import KINDS
    from governance.settings import Settings

    policies = Settings().policies
    known = organised(policies)
    org = "\n".join(
        [
            "# yaml-language-server: $schema=../.schema/org.json",
            "kind: org",
            f"teams: {{{scalar(team)}: {{members: []}}}}    # who belongs to it; people are named above the teams",
            "sources:    # the addresses are guessed: fill in yours",
            sources_text(taken),
        ]
    )
    for each in write({path: text}, also={policies / "org.yaml": f"{org}\n", **schemas(KINDS)}):
        if each.suffix == ".yaml":
            print(f"wrote {each}")
    lacking = [name for name in taken.sources if known is not None and name not in known.sources]
    if lacking:
        print(f"gov: org.yaml names no source {', '.join(lacking)}; add below `sources:`", file=sys.stderr)
        print(sources_text(taken), file=sys.stderr)
    print("\nNext:\n  gov check")
