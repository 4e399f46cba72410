"""The systems that the runbooks of a test act on: they do nothing, and answer what the test says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from pydantic import BaseModel

from governance import plugins
from governance.core.operation import Operation, wrong_parameters
from governance.core.organisation import Organisation, Plugin
from governance.core.own_act import is_own
from governance.core.performance import Outcome, Request
from governance.core.runbook import Runbook
from governance.core.story import Answered, Script
from governance.ports import System


class AnyParameters(BaseModel):
    """Parameters of an operation of which nothing is known."""


class ScriptedSystem:
    """Answers each act with its outcome in the test: done unless that says otherwise.

    Where the kind of the system is known, parameters are checked as the real one would.
    """

    OPERATIONS: ClassVar[dict[str, type[BaseModel]]] = {}
    OUTPUTS: ClassVar[dict[str, dict[str, str]]] = {}
    REPEATS: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, known: Mapping[str, Operation | None], script: Mapping[str, Script]) -> None:
        """Take the operations by their names without the system's, and what becomes of each."""
        self._known = known
        self._script = {name: _answers(said) for name, said in script.items()}
        self.OPERATIONS = {  # type: ignore[misc]
            name: each.document if each is not None else AnyParameters for name, each in known.items()
        }
        self.OUTPUTS = {  # type: ignore[misc]
            name: dict(each.outputs) for name, each in known.items() if each is not None
        }
        self.REPEATS = frozenset(  # type: ignore[misc]
            name for name, each in known.items() if each is not None and each.repeats
        )

    def perform(self, request: Request) -> Outcome:
        """Answer as the test says, unless the parameters are wrong."""
        operation = self._known.get(request.operation)
        wrong = wrong_parameters(operation, dict(request.with_)) if operation is not None else []
        if wrong:
            said = "; ".join(f"{'.'.join(map(str, each.path))}: {each.message}" for each in wrong)
            return Outcome("failed", said, again=False)
        answer = next(self._script.get(request.operation, iter(())), Answered())
        detail = answer.detail or {"done": "done, as the test says", "failed": "the test lets it fail"}.get(
            answer.state, "the test lets nobody know"
        )
        return Outcome(answer.state, detail, answer.outputs, again=answer.again)

    def dry_run(self, request: Request) -> Outcome:
        """Answer as to the act itself."""
        return self.perform(request)


def systems(runbooks: Iterable[Runbook], organisation: Organisation, script: Mapping[str, Script]) -> dict[str, System]:
    """Return a system for each that the runbooks act on, but for the engine itself.

    Its kind is the one that org.yaml says, else its name.
    """
    names: dict[str, set[str]] = {}
    for act in acts_of(runbooks):
        if not is_own(act):
            names.setdefault(act.partition(".")[0], set()).add(act.partition(".")[2])
    known = _operations(names, organisation)
    return {
        system: ScriptedSystem(
            {each: known.get(f"{system}.{each}") for each in used},
            {each: script[f"{system}.{each}"] for each in used if f"{system}.{each}" in script},
        )
        for system, used in names.items()
    }


def acts_of(runbooks: Iterable[Runbook]) -> Iterator[str]:
    """Yield the acts of runbooks, and what takes them back."""
    for step in (step for each in runbooks for step in each.steps):
        if step.act is not None:
            yield step.act
        if step.undo is not None:
            yield step.undo.act


def _operations(names: Iterable[str], organisation: Organisation) -> Mapping[str, Operation]:
    kinds = plugins.kinds(plugins.ACTS)
    named = {name: organisation.acts.get(name) or Plugin(kind=name) for name in names}
    there = {name: each for name, each in named.items() if each.kind in kinds}
    return plugins.operations(Organisation.model_construct(acts=there))


def _answers(script: Script) -> Iterator[Answered]:
    if isinstance(script, tuple):
        return iter([_answer(each) for each in script])
    return _always(_answer(script))


def _always(answer: Answered) -> Iterator[Answered]:
    while True:
        yield answer


def _answer(said: str | Answered) -> Answered:
    return said if isinstance(said, Answered) else Answered.model_validate({"state": said})
