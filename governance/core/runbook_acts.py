"""Check what the steps of a runbook ask for: acts that there are, with the parameters that they take."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from governance.core.authored import Authored, Path, problem_at
from governance.core.operation import Operation, WrongParameter, wrong_parameters
from governance.core.organisation import Organisation
from governance.core.placed import placed, unknown
from governance.core.problem import Problem
from governance.core.runbook import Runbook
from governance.core.suggestion import closest, nearest

Operations = Mapping[str, Operation]
_CHOICE = re.compile(r"'([^']*)'")


def act_problems(runbook: Authored[Runbook], operations: Operations, organisation: Organisation) -> Iterator[Problem]:
    """Check the acts of a runbook, and the notifiers that it tells through."""
    for place, step in enumerate(runbook.document.steps):
        path: Path = ("steps", place)
        if step.act is not None:
            yield from _act_problems(runbook, path, step.act, step.with_, operations)
        if step.undo is not None and step.kind == "act":
            yield from _act_problems(runbook, (*path, "undo"), step.undo.act, step.undo.with_, operations)
        notifier = step.notify.notifier if step.notify is not None else None
        if notifier is not None and "{" not in notifier and notifier not in organisation.notifiers:
            yield unknown(runbook, (*path, "notify", "notifier"), "notifier", notifier, organisation.notifiers)


def _act_problems(
    runbook: Authored[Runbook], path: Path, act: str, given: Mapping[str, Any], operations: Operations
) -> Iterator[Problem]:
    operation = operations.get(act)
    if operation is None:
        yield placed(runbook, (*path, "act"), "unknown-act", *_unknown(act, operations))
        return
    holes = list(_unquoted(given))
    for hole in holes:
        message = "braces without quotes are a map for YAML"
        yield placed(runbook, (*path, "with", *hole), "cut-expression", message, f'write "{{{_inside(given, hole)}}}"')
    for wrong in wrong_parameters(operation, given, _is_open) if not holes else ():
        yield _wrong(runbook, path, operation, given, wrong)


def _wrong(
    runbook: Authored[Runbook], path: Path, operation: Operation, given: Mapping[str, Any], wrong: WrongParameter
) -> Problem:
    where, said = wrong.path, wrong.message
    if not where or where[0] not in given:  # it is missing, or about all of them
        return placed(runbook, (*path, "act"), "wrong-act", f"{operation.name}: {said}")
    place = _deepest(path, given, where)
    if said.startswith("Extra inputs"):
        known = [each.alias or name for name, each in operation.document.model_fields.items()]
        hint = closest(str(where[-1]), known) or f"it takes {', '.join(known)}"
        at, message = runbook.source.key_at(place), f"{operation.name} takes no `{where[-1]}`"
        return problem_at(runbook.source, at, "wrong-act", message, hint)
    value = str(_at(given, place[len(path) + 1 :]))
    hint = closest(value, [each for each in _CHOICE.findall(said) if each != value])
    message = f"`{'.'.join(map(str, where))}` {said.replace('Input should be', 'must be', 1)}"
    return placed(runbook, place, "wrong-act", message, hint)


def _unknown(act: str, operations: Collection[str]) -> tuple[str, str]:
    """Return what is wrong with the name of an act, and what may be meant."""
    system, _, operation = act.partition(".")
    systems = sorted({each.partition(".")[0] for each in operations})
    offered = sorted(each.partition(".")[2] for each in operations if each.startswith(f"{system}."))
    if not operation:
        return f"an act is called system.operation, not '{act}'", closest(act, operations) or _one_of(operations)
    if offered:
        return f"'{system}' has no operation '{operation}'", closest(operation, offered) or _one_of(offered)
    hint = nearest(act, operations)
    said = f"did you mean '{hint}'?" if hint else f"known: {', '.join(systems)}; name others under `acts` of org.yaml"
    return f"no system '{system}' to act on", said


def _one_of(names: Collection[str]) -> str:
    return f"one of {', '.join(sorted(names))}"


def _is_open(value: object) -> bool:
    """Tell whether a text holds an expression, whose value nobody knows yet."""
    return isinstance(value, str) and "{" in value.replace("{{", "")


def _unquoted(value: object, path: Path = ()) -> Iterator[Path]:
    """Yield where somebody wrote {parameters.to} without quotes, which YAML reads as a map to nothing."""
    if isinstance(value, Mapping):
        if path and len(value) == 1 and next(iter(value.values())) is None:
            yield path
            return
        for name, each in value.items():
            yield from _unquoted(each, (*path, name))
    elif isinstance(value, (list, tuple)):
        for place, each in enumerate(value):
            yield from _unquoted(each, (*path, place))


def _inside(value: Any, path: Path) -> str:
    return str(next(iter(_at(value, path))))


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _deepest(path: Path, given: Mapping[str, Any], where: Path) -> Path:
    """Return the path of what is wrong, as far down as the document has it."""
    here: Any = given
    found: Path = (*path, "with")
    for part in where:
        inside = isinstance(here, Mapping) and part in here
        item = isinstance(here, (list, tuple)) and isinstance(part, int) and 0 <= part < len(here)
        if not (inside or item):
            break
        here, found = here[part], (*found, part)
    return found
