"""Check runbooks against the models: what their expressions name, and whether they are for the cards that name them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.core.authored import Authored, Path, Written
from governance.core.authority import who_may
from governance.core.card import Card
from governance.core.compiled import CompiledPolicy, EvaluationPlan
from governance.core.expression import ExpressionProblem, Reference
from governance.core.joining import dimensions
from governance.core.organisation import Organisation
from governance.core.pack import Pack
from governance.core.placed import placed, unknown
from governance.core.problem import Problem
from governance.core.run_programs import Expressions, expressions
from governance.core.run_start import UNFIT, why_not
from governance.core.run_vocabulary import Metrics, Outputs, metrics_of, spellings
from governance.core.runbook import Runbook
from governance.core.runbook_acts import Operations, act_problems
from governance.core.runbook_checks import step_problems

_LATER = ("no field '", "' in steps")


@dataclass(frozen=True, slots=True)
class Naming:
    """Where a document says `then: {runbook: …}`; `acts` where nobody is asked before it runs."""

    owner: Authored[Any]
    path: Path
    runbook: str
    acts: bool


def runbook_problems(
    own: Sequence[Authored[Runbook]],
    cards: Sequence[Authored[Card]],
    packs: Sequence[Authored[Pack]],
    plan: EvaluationPlan,
    organisation: Organisation,
    operations: Callable[[], Operations],
    around: Mapping[str, tuple[str, ...]],
) -> Iterator[Problem]:
    """Check one's own runbooks, those that cards and packs name, and that these are for them.

    `around` are the labels of metrics of cards that are not checked. `operations` tells what can be acted by; it is
    asked only where there is a runbook to check, as systems are imported for that.
    """
    documents: list[Authored[Card] | Authored[Pack]] = [*cards, *packs]
    named = [each for document in documents for each in namings(document)]
    for each in named:
        if each.runbook not in plan.runbooks:
            yield unknown(each.owner, each.path, "runbook", each.runbook, plan.runbooks)
    chosen = {each.document.runbook: each for each in own}
    chosen |= {each.runbook: plan.runbooks[each.runbook] for each in named if each.runbook in plan.runbooks}
    if not chosen:
        return
    known = operations()
    outputs = {name: each.outputs for name, each in known.items()}
    checking = _Checking(_of_fleet(plan, packs, around), outputs, organisation)
    mine = {each.document.runbook for each in own}
    lacking = {
        name: tuple(dict.fromkeys(each.message for each in act_problems(runbook, known, organisation)))
        for name, runbook in chosen.items()
        if name not in mine
    }
    for name, runbook in chosen.items():
        if name in mine:
            yield from (*step_problems(runbook), *act_problems(runbook, known, organisation), *checking.alone(runbook))
    for each in named:
        if each.runbook not in plan.runbooks:
            continue
        runbook = plan.runbooks[each.runbook]
        yield from _not_to_be_had(each, lacking.get(each.runbook, ()))
        card = each.owner.document
        if isinstance(card, Card) and card.model in plan.by_model:
            yield from checking.misfits(each, runbook, plan.by_model[card.model])


def _not_to_be_had(naming: Naming, lacking: Sequence[str]) -> Iterator[Problem]:
    """Report at the place that names it what a runbook of the package lacks here, such as a system to act on."""
    for each in lacking:
        message = f"runbook '{naming.runbook}' cannot run here: {each}"
        hint = "name it under `acts` of org.yaml, or write a runbook of that name"
        yield placed(naming.owner, naming.path, "unfit-runbook", message, hint)


def namings(owner: Authored[Card] | Authored[Pack]) -> Iterator[Naming]:
    """Yield where a card or a pack names a runbook."""
    document = owner.document
    for place, rule in enumerate(document.rules):
        if rule.then is not None and rule.then.runbook is not None:
            yield Naming(owner, ("rules", place, "then", "runbook"), rule.then.runbook, rule.enforcement == "act")
    for name in ("rollback", "retraining") if isinstance(document, Card) else ():
        trigger = getattr(document, name)
        if trigger is not None and trigger.then is not None and trigger.then.runbook is not None:
            yield Naming(owner, (name, "then", "runbook"), trigger.then.runbook, trigger.enforcement == "act")


def _of_fleet(plan: EvaluationPlan, packs: Sequence[Authored[Pack]], around: Mapping[str, tuple[str, ...]]) -> Metrics:
    """Return what any model may name: a runbook that no card names is for any of them."""
    labels = dict(around)
    for pack in packs:
        labels |= {name: each.label_names() for name, each in pack.document.metrics.items()}
    for policy in plan.policies:
        labels |= {name: each.labels for name, each in policy.policy.absent.items() if name not in labels}
        labels |= {name: each.labels for name, each in policy.policy.metrics.items()}
    slos = frozenset(name for policy in plan.policies for name in policy.policy.card.slos)
    return Metrics(labels, {}, {}, slos)


class _Checking:
    """Checks the expressions of runbooks, against the whole fleet and against one model."""

    def __init__(self, fleet: Metrics, outputs: Outputs, organisation: Organisation) -> None:
        self._fleet, self._outputs, self._organisation = fleet, outputs, organisation
        self._alone: dict[str, Expressions] = {}

    def alone(self, runbook: Authored[Runbook]) -> Iterator[Problem]:
        """Check a runbook against what any model may name."""
        found = self._of_any(runbook.document)
        for path, error in found.broken.items():
            written = _written(runbook, path)
            for each in error.problems:
                yield _told(written, each, runbook.document)
        yield from self._apart(runbook, found)

    def _of_any(self, runbook: Runbook) -> Expressions:
        if runbook.runbook not in self._alone:
            self._alone[runbook.runbook] = expressions(runbook, self._fleet, self._outputs)
        return self._alone[runbook.runbook]

    def _apart(self, runbook: Authored[Runbook], found: Expressions) -> Iterator[Problem]:
        for path, program in found.programs.items():
            labels = {each: self._labels(each) for each in program.references}
            if dimensions(labels.values()) is None:
                first, other = [each for each in labels if labels[each]][:2]
                message = f"{first.text} has {', '.join(labels[first])}, {other.text} has {', '.join(labels[other])}"
                yield _written(runbook, path).problem(
                    "no-shared-label", f"{message}; they share none", f"write max({other.text})"
                )

    def _labels(self, reference: Reference) -> tuple[str, ...]:
        if reference.budget is not None:
            return () if reference.budget.slo else ("slo",)
        if reference.view == "series":
            return ()
        return reference.aggregates[-1][1] if reference.aggregates else self._fleet.labels.get(reference.metric, ())

    def misfits(self, naming: Naming, runbook: Authored[Runbook], policy: CompiledPolicy) -> Iterator[Problem]:
        """Check that a runbook is for the model whose card names it."""
        model, document = policy.model, runbook.document
        for why in self._reasons(naming, document, policy):
            message = f"runbook '{document.runbook}' is not for {model}: {why}"
            yield placed(naming.owner, naming.path, "unfit-runbook", message)

    def _reasons(self, naming: Naming, runbook: Runbook, policy: CompiledPolicy) -> Iterator[str]:
        card = policy.policy.card
        if why := why_not(runbook, card):
            yield why.removeprefix(f"'{runbook.runbook}' {UNFIT}: ")
            return
        alone = self._of_any(runbook)
        found = expressions(runbook, metrics_of(policy.policy), self._outputs)
        for path, error in found.broken.items():
            if path not in alone.broken:
                each = error.problems[0]
                hint = f"; {each.suggestion}" if each.suggestion else ""
                yield f"{_place(runbook, path)}: {each.message}{hint}"
        seen = card.model_dump(exclude_none=True)
        absent: dict[str, Path] = {}
        for place in found.reads:
            if not place.is_in(seen):
                absent.setdefault(place.name, place.path)
        for name, path in absent.items():
            yield f"its card has no {name.removeprefix('card.')}, which {_place(runbook, path)} reads"
        yield from self._unmanned(runbook, card)
        if naming.acts:
            bare = [name for name, each in runbook.parameters.items() if each.default is None]
            if bare:
                yield f"a rule that acts says no parameters, and {', '.join(bare)} has no default"

    def _unmanned(self, runbook: Runbook, card: Card) -> Iterator[str]:
        """Yield the consents that fewer people can give than it needs: a run would wait there in vain."""
        for step in runbook.steps if self._organisation.people else ():
            if step.approve is not None:
                may = who_may("runbook.approve", card, self._organisation, step.approve.role)
                if len(may) < step.approve.people:
                    listed = f": {', '.join(may)}" if may else ""
                    need = f"{step.approve.people} {step.approve.role}{'s' if step.approve.people > 1 else ''}"
                    yield f"step '{step.step}' needs {need}, and there {_are(len(may))}{listed}"


def _are(count: int) -> str:
    return "is nobody" if count == 0 else "is 1" if count == 1 else f"are {count}"


def _place(runbook: Runbook, path: Path) -> str:
    if path[0] == "steps" and isinstance(path[1], int):
        return f"step '{runbook.steps[path[1]].step}'"
    return f"parameter '{path[1]}'" if path[0] == "parameters" else f"`{path[0]}`"


def _written(runbook: Authored[Runbook], path: Path) -> Written:
    value: Any = runbook.document.model_dump(by_alias=True)
    for part in path:
        value = value[part]
    return Written(str(value), runbook.source, path)


def _told(written: Written, problem: ExpressionProblem, runbook: Runbook) -> Problem:
    """Return the problem of an expression; of a step that has no outputs yet, so."""
    place, message, hint = (problem.line, problem.column, problem.length), problem.message, problem.suggestion
    if problem.code == "unknown-field" and message.startswith(_LATER[0]) and message.endswith(_LATER[1]):
        name = message.removeprefix(_LATER[0]).removesuffix(_LATER[1])
        step = next((each.step for each in runbook.steps if name in spellings(each.step)), "")
        if step:
            said = f"step '{step}' does not come before this one on any way"
            return written.problem("later-step", said, at=place)
        hint = _meant(name, runbook) or hint
    return written.problem(problem.code, message, hint, at=place)


def _meant(name: str, runbook: Runbook) -> str:
    """Return how to name a step whose hyphen CEL took for a minus, "" where that is not it."""
    found = next((each.step for each in runbook.steps if each.step.startswith(f"{name}-")), "")
    return f"a hyphen is a minus in CEL: write steps.{found.replace('-', '_')}" if found else ""
