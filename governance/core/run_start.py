"""What a run begins with: whether the runbook is for the model, and the values of its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from governance.core.card import Card
from governance.core.expression import (
    Context,
    EvaluationFailed,
    ExpressionError,
    Missing,
    Program,
    compile_expression,
    compile_template,
)
from governance.core.incident import Incident
from governance.core.metric import Labels
from governance.core.run_bindings import parameter_value, seen_card, seen_incident
from governance.core.run_sight import write
from governance.core.run_vocabulary import at_start, card_is_whole, of_card
from governance.core.runbook import Runbook, RunbookParameter
from governance.core.suggestion import closest
from governance.errors import InvalidDocument


def why_not(runbook: Runbook, card: Card | Mapping[str, object]) -> str:
    """Return why a runbook is not for a model, "" where it is."""
    if runbook.applies_to is None:
        return ""
    context = Context({"card": seen_card(card)})
    try:
        program = _compiled(runbook.applies_to)
        if program.evaluate({}, context) is True:
            return ""
        false = [each.line for each in program.explain({}, context) if each.outcome is False]
    except (EvaluationFailed, ExpressionError, Missing) as error:
        return f"it cannot be told whether '{runbook.runbook}' is for this model: {error}"
    return f"'{runbook.runbook}' {UNFIT}: {_in_words(false)}"


UNFIT = "is not for this model"
_HAS = re.compile(r"has\(card\.([\w.]+)\)")


def _in_words(false: Sequence[str]) -> str:
    """Return conditions over a card that are false in words; of what lacks a part only the part is named."""
    lacking = [found[1] for each in false if (found := _HAS.fullmatch(each))]
    parts = [each for each in dict.fromkeys(lacking) if not any(one.startswith(f"{each}.") for one in lacking)]
    lacks = [f"its card has no {', no '.join(parts)}"] if parts else []
    return ", ".join([*lacks, *(f"{each} is false" for each in false if not _HAS.fullmatch(each))])


def parameters(
    runbook: Runbook,
    given: Mapping[str, object],
    card: Card | Mapping[str, object],
    at: datetime,
    *,
    because: str = "",
    labels: Labels = (),
    incident: Incident | None = None,
) -> dict[str, object]:
    """Return the value of each parameter as it is declared: what is given, else what its default says.

    :raises InvalidDocument: one is unknown, missing, or of another type; all of them are named.
    """
    wrong = [
        f"parameters.{name}: no parameter '{name}'; {closest(name, runbook.parameters) or _listed(runbook)}"
        for name in given
        if name not in runbook.parameters
    ]
    context = Context(
        {
            "card": seen_card(card),
            "labels": dict(labels),
            "incident": seen_incident(incident, because),
            "now": at,
        }
    )
    found: dict[str, object] = {}
    for name, each in runbook.parameters.items():
        try:
            value = given[name] if name in given else _default(runbook, each, context)
            found[name] = parameter_value(each.type, value)
        except ValueError as error:
            wrong.append(f"parameters.{name}: {error}")
    if wrong:
        raise InvalidDocument("; ".join(wrong))
    return found


def _default(runbook: Runbook, parameter: RunbookParameter, context: Context) -> Any:
    if parameter.default is None:
        raise ValueError("it has no default; give it")
    if not isinstance(parameter.default, str):
        return parameter.default
    try:
        template = compile_template(parameter.default, at_start(runbook, [card_is_whole()]))
    except ExpressionError as error:
        raise ValueError(f"its default is wrong: {error}") from None
    written = write(template, context, shown=False)
    if written.gaps:
        raise ValueError(f"its default has no value here: {'; '.join(written.gaps)}; give it")
    return written.value


def _listed(runbook: Runbook) -> str:
    return f"known: {', '.join(runbook.parameters)}" if runbook.parameters else "the runbook takes none"


@lru_cache(maxsize=256)
def _compiled(text: str) -> Program:
    return compile_expression(text, of_card([card_is_whole()]), result="bool")
