"""What a step of a runbook may ask for: an operation of a system, its parameters, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from governance.core.performance import Outcome, Request

D = TypeVar("D", bound=BaseModel)
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """`act: <system>.<operation>`, as the systems of an organisation offer it.

    `outputs` are the values that later expressions see, with their CEL types. `repeats`: asked twice under one key it
    takes effect once. `reads_back`: what became of it can be told later.
    """

    name: str
    document: type[BaseModel]
    outputs: Mapping[str, str]
    repeats: bool = False
    reads_back: bool = False

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        return (self.document.__doc__ or "").strip().partition("\n")[0]


@dataclass(frozen=True, slots=True)
class WrongParameter:
    """What is wrong with what an operation is asked, and below which of its parameters."""

    path: Path
    message: str


def outputs_of(operation: Operation, with_: Mapping[str, Any]) -> dict[str, str]:
    """Return the outputs of one act: those of its operation, and those that its parameter `outputs` names."""
    named = with_.get("outputs") if "outputs" in operation.document.model_fields else None
    return {**(dict.fromkeys(named, "dyn") if isinstance(named, Mapping) else {}), **operation.outputs}


def wrong_parameters(
    operation: Operation, with_: Mapping[str, Any], is_open: Callable[[object], bool] = lambda _: False
) -> list[WrongParameter]:
    """Return everything that is wrong with the parameters; values that are still `is_open` are not judged yet.

    What the parameters must be together is judged only where none of them is open.
    """
    held = frozenset(_open(with_, is_open))
    try:
        operation.document.model_validate(dict(with_))
    except ValidationError as error:
        return [
            WrongParameter(each["loc"], said(each))
            for each in error.errors()
            if not any(_about(each["loc"], path) for path in held)
        ]
    return []


def parsed(document: type[D], request: Request) -> D | Outcome:
    """Return what an operation is asked, or the outcome of asking it nonsense."""
    try:
        return document.model_validate(dict(request.with_))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if first["type"] != "missing")
        return Outcome("failed", f"{request.operation}: {f'{where}: ' if where else ''}{said(first)}", again=False)


def said(error: ErrorDetails) -> str:
    """Return what pydantic found wrong as our sentence."""
    if error["type"] == "missing":  # its place is that of the whole, as it has none
        return f"give `{error['loc'][-1]}`"
    return error["msg"].removeprefix("Value error, ")


def _open(value: object, is_open: Callable[[object], bool], path: Path = ()) -> Iterator[Path]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _open(each, is_open, (*path, name))
    elif isinstance(value, (list, tuple)):
        for place, each in enumerate(value):
            yield from _open(each, is_open, (*path, place))
    elif is_open(value):
        yield path


def _about(where: Path, held: Path) -> bool:
    """Tell whether an error is about an open value: at it, below it (as a union says), or about what it is part of."""
    shorter = min(len(where), len(held))
    return where[:shorter] == held[:shorter]
