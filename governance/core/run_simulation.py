"""The way of a run without acting: each step as it would be, under assumptions, and all ways in which it can end."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Literal, get_args

from governance.core.authority import Act
from governance.core.authority import who_may as people_who_may
from governance.core.compiled import CompiledPolicy
from governance.core.operation import Operation
from governance.core.organisation import Organisation
from governance.core.performance import Outcome
from governance.core.run import Answer, Run
from governance.core.run_acts import answered, ticked
from governance.core.run_bindings import seen_card
from governance.core.run_change import RunChange, here_of, step_of
from governance.core.run_programs import Condition, Programs, programs
from governance.core.run_sight import Sight, is_firm
from governance.core.run_start import parameters, why_not
from governance.core.run_steps import Facts, Judgement, begun, entered, judged, performed, timed_out
from governance.core.runbook import Goto, Runbook, Step
from governance.core.suggestion import closest
from governance.errors import InvalidDocument

Assumption = Literal["holds", "fails", "missing", "times-out", "refused", "unknown", "skipped"]
ASSUMPTIONS: tuple[Assumption, ...] = get_args(Assumption)
EndState = Literal["done", "stopped", "unknown"]
STARTER = "whoever starts it"
_PERSON = "somebody"
_MOST = 400
"""Steps that are tried in search of ways to end; what is not found within is said to be more."""
_LATE = ("instruct", "approve", "check")
_INSTANT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Passed:
    """A step that was come to: what is read, asked for and done there, what becomes of it and why, and where it leads.

    `who` may answer it, of whom `people` are needed; `within` is how long it may take. `assumed` tells that nothing
    says what becomes of it but the assumption. `to` is the next step, END, or "" where the run stays.
    """

    step: str
    kind: str
    visit: int
    text: str
    outcome: str
    why: str
    to: str
    assumed: bool = True
    who: tuple[str, ...] = ()
    people: int = 0
    within: timedelta | None = None
    act: str = ""
    asked: Mapping[str, object] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """One way in which a run can end or stay: at which step, what must happen for that, and what can be taken back."""

    state: EndState
    step: str
    said: str
    where: tuple[tuple[str, Assumption], ...] = ()
    undo: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Simulation:
    """The way of a run under assumptions, how it ends there, and all ways to end; `more` where there may be others."""

    runbook: Runbook
    model: str
    parameters: Mapping[str, object]
    passed: tuple[Passed, ...]
    ending: Ending
    ways: tuple[Ending, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a simulation rests on: the expressions, what can be acted by, and who may answer a step."""

    programs: Programs
    operations: Mapping[str, Operation]
    who_may: Callable[[Step], Sequence[str]]


def simulated(rehearsal: Rehearsal, run: Run, assumed: Mapping[str, Assumption], at: datetime) -> Simulation:
    """Return the way of a run that has not begun, and every way in which one can end.

    :raises InvalidDocument: an assumption is about no step, or about what cannot become of it.
    """
    walker = _Walker(rehearsal)
    wrong = list(walker.wrong(run.runbook, assumed))
    if wrong:
        raise InvalidDocument("; ".join(wrong))
    start = begun(run, at).run
    here, passed, moment = start, list[Passed](), at
    while (one := walker.step(here, assumed.get(here_of(here).step), moment)) is not None:
        here, moment = one.run, one.at
        passed.append(one.passed)
    ways, more = walker.ways(start, at)
    told = {(each.step, assumed[each.step]): None for each in passed if each.step in assumed}
    return Simulation(
        run.runbook, run.model, run.parameters, tuple(passed), walker.ending(here, tuple(told)), tuple(ways), more
    )


@dataclass(frozen=True, slots=True)
class _Stepped:
    run: Run
    at: datetime
    passed: Passed


def rehearsal(
    runbook: Runbook, policy: CompiledPolicy, organisation: Organisation, operations: Mapping[str, Operation]
) -> Rehearsal:
    """Return what the simulation of a runbook for a model rests on."""
    outputs = {name: each.outputs for name, each in operations.items()}
    card = policy.policy.card

    def who_may(step: Step) -> tuple[str, ...]:
        act: Act = "runbook.approve" if step.approve is not None else "runbook.tick"
        role = step.approve.role if step.approve is not None else None
        return people_who_may(act, card, organisation, role)

    return Rehearsal(programs(runbook, policy, outputs), operations, who_may)


def at_its_start(
    runbook: Runbook, policy: CompiledPolicy, given: Mapping[str, object], at: datetime, *, because: str = ""
) -> Run:
    """Return a run that nobody started, as it would be at its start.

    :raises InvalidDocument: the runbook is not for this model, or a parameter is wrong.
    """
    card = policy.policy.card
    if why := why_not(runbook, card):
        raise InvalidDocument(f"{why}; {card.model} is none")
    values = parameters(runbook, given, card, at, because=because)
    return Run("RUN-0", runbook, card.model, seen_card(card), values, STARTER, at, because)


def possible(step: Step, operations: Mapping[str, Operation]) -> tuple[Assumption, ...]:
    """Return what can become of a step; that nobody knows it only of acts that are not simply asked again."""
    operation = operations.get(step.act or "")
    sure = operation is not None and operation.repeats
    of_kind: dict[str, tuple[Assumption, ...]] = {
        "check": ("holds", "fails", "missing"),
        "act": ("holds", "fails", "missing", *(() if sure else ("unknown",))),
        "approve": ("holds", "refused"),
    }
    tries = step.kind in _LATE or step.retry is not None
    late: tuple[Assumption, ...] = ("times-out",) if step.timeout is not None and tries else ()
    passed_over: tuple[Assumption, ...] = ("skipped",) if step.when is not None else ()
    return (*of_kind.get(step.kind, ("holds",)), *late, *passed_over)


@dataclass(frozen=True, slots=True)
class _Tried:
    """A run on some way: how much went otherwise than expected for it, and how many steps it took."""

    run: Run
    at: datetime
    path: tuple[tuple[str, Assumption], ...] = ()
    cost: int = 0
    depth: int = 0


class _Walker:
    """Takes runs from step to step by the very decisions that the engine takes them by."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal

    def wrong(self, runbook: Runbook, assumed: Mapping[str, Assumption]) -> Iterator[str]:
        """Yield what is wrong with assumptions."""
        steps = {each.step: each for each in runbook.steps}
        for name, assumption in assumed.items():
            if name not in steps:
                yield f"no step '{name}'; {closest(name, steps) or 'known: ' + ', '.join(steps)}"
            elif assumption not in (known := possible(steps[name], self._rehearsal.operations)):
                yield f"'{name}' cannot be assumed '{assumption}'; of this step can be: {', '.join(known)}"

    def step(self, run: Run, assumption: Assumption | None, at: datetime) -> _Stepped | None:
        """Return the run after the step where it is, None where it is at its end or stays for a person."""
        if run.state not in ("running", "waiting") or here_of(run).is_begun:
            return None
        step, visit = step_of(run), here_of(run)
        facts, assumed = self._facts(run, step, assumption, at)
        change = entered(run, facts, at)
        moment = at
        if _same(change.run, run):
            moment, change = self._settled(change.run, assumption, at)
        ended = next(each for each in change.run.visits if (each.step, each.number) == (visit.step, visit.number))
        who = tuple(self._rehearsal.who_may(step)) if step.kind in ("instruct", "approve") else ()
        undecided = assumed or step.kind in ("instruct", "approve", "act")
        passed = Passed(
            step.step,
            step.kind,
            visit.number,
            facts.text,
            ended.state,
            ended.detail,
            ended.to,
            assumed=undecided and step.kind not in ("wait", "notify"),
            who=who,
            people=step.approve.people if step.approve is not None else 1 if step.kind == "instruct" else 0,
            within=step.wait or step.timeout,
            act=step.act or "",
            asked=facts.asked,
            key=ended.key.replace(run.mark, run.id),  # a run that is started has its own
        )
        return _Stepped(change.run, moment + _INSTANT, passed)

    def ways(self, start: Run, at: datetime) -> tuple[list[Ending], bool]:
        """Return every way to end, each with the fewest things that must go otherwise for it, and if there are more.

        Where too many ways lead round and round, the shortest ones are looked for too.
        """
        found, more = self._searched(start, at, lambda cost, depth: (cost, depth))
        if more:
            shortest, _ = self._searched(start, at, lambda cost, depth: (depth, cost))
            found = {**shortest, **found}
        return list(found.values()), more

    def _searched(
        self, start: Run, at: datetime, rank: Callable[[int, int], tuple[int, int]]
    ) -> tuple[dict[tuple[str, str], Ending], bool]:
        """Return the ends that come first by a ranking of what goes otherwise and of steps, and if more may remain."""
        found: dict[tuple[str, str], Ending] = {}
        order = count()
        queue: list[tuple[tuple[int, int], int, _Tried]] = [((0, 0), next(order), _Tried(start, at))]
        seen: set[object] = set()
        while queue and len(seen) < _MOST:
            _, _, tried = heapq.heappop(queue)
            run, moment, path = tried.run, tried.at, tried.path
            if run.state not in ("running", "waiting"):
                ending = self.ending(run, path)
                found.setdefault((ending.state, ending.step), ending)
                continue
            if (place := _place(run)) in seen:
                continue
            seen.add(place)
            for assumption in (None, *self._deviations(run, moment)):
                one = self.step(run, assumption, moment)
                if one is not None:
                    otherwise = ((here_of(run).step, assumption),) if assumption is not None else ()
                    longer = tuple(dict.fromkeys((*path, *otherwise)))
                    after = _Tried(one.run, one.at, longer, tried.cost + len(otherwise), tried.depth + 1)
                    heapq.heappush(queue, (rank(after.cost, after.depth), next(order), after))
        return found, bool(queue)

    def ending(self, run: Run, where: tuple[tuple[str, Assumption], ...]) -> Ending:
        """Return how a run ended, or where it stays."""
        state: EndState = "done" if run.state == "done" else "unknown" if run.state == "unknown" else "stopped"
        steps = {each.step: each for each in run.runbook.steps}
        done = [each for each in reversed(run.visits) if each.state == "done" and steps[each.step].undo is not None]
        undo = tuple(f"{each.step}: {(found := steps[each.step].undo) and found.act}" for each in done)
        return Ending(state, here_of(run).step, run.said, where, undo)

    def _facts(self, run: Run, step: Step, assumption: Assumption | None, at: datetime) -> tuple[Facts, bool]:
        """Return what is known when a step begins, and whether that rests on an assumption."""
        sight = self._sight(run, at)
        when, open_when = self._judgement(sight, step, "when")
        if assumption == "skipped":
            when, open_when = Judgement(holds=False, said=f"assumed: not {step.when}"), True
        text = sight.text(step.step)
        if step.kind == "act":
            asked, trouble = sight.asked(step.step)
            trouble = "a value that it needs is missing" if assumption == "missing" else trouble
            return Facts(when=when, text=text or step.act or "", asked=asked, trouble=trouble), open_when
        if step.kind != "check":
            return Facts(when=when, text=text), open_when
        check, open_check = self._judgement(sight, step, "check")
        said = f"assumed of {' '.join((step.check or '').split())}"
        outcomes = {"holds": True, "fails": False, "times-out": False, "missing": None}
        if assumption in outcomes:
            check = Judgement(outcomes[assumption], said)
        return Facts(when=when, check=check, text=text or step.check or ""), open_when or open_check

    def _sight(self, run: Run, at: datetime) -> Sight:
        return Sight(self._rehearsal.programs, run, {}, at, ahead=True, card=run.card)  # as it begins, it is seen so

    def _judgement(self, sight: Sight, step: Step, part: Condition) -> tuple[Judgement | None, bool]:
        """Return a condition as it is where only the card and parameters decide it, else as if it held."""
        found = sight.judge(step.step, part)
        if found is None:
            return None, False
        programs = self._rehearsal.programs
        program = programs.expressions.programs.get(("steps", programs.index(step.step), part))
        decided = program is not None and program.variables <= {"card", "parameters"} and found.holds is not None
        if program is None or decided or (is_firm(program) and found.holds is None):
            return found, False
        return Judgement(holds=True, said=f"assumed: {' '.join(program.text.split())}"), True

    def _settled(self, run: Run, assumption: Assumption | None, at: datetime) -> tuple[datetime, RunChange]:
        """Return what becomes of a step that has begun and is not over, and when."""
        step, here = step_of(run), here_of(run)
        if step.kind == "act" and assumption == "times-out":
            again = performed(run, Outcome("failed", "assumed to fail until its time is over"), at)
            late = here.deadline or at
            return late, again.then(timed_out(again.run, late)) if here_of(again.run).state == "active" else again
        if step.kind == "act":
            states = {"fails": "failed", "unknown": "unknown"}
            said = {"fails": "assumed to fail, each time that it is tried", "unknown": "assumed that nobody knows"}
            state = states.get(assumption or "", "done")
            detail = said.get(assumption or "", f"{step.act} is done")
            return at, performed(run, Outcome(state, detail, again=False), at)  # type: ignore[arg-type]
        if step.kind == "wait" or assumption == "times-out" or step.kind == "check":
            late = here.deadline or at
            over = (
                judged(run, Judgement(holds=False, said=here.detail), late)
                if step.kind == "check"
                else timed_out(run, late)
            )
            return late, over
        if step.kind == "instruct":
            return at, ticked(run, _PERSON, at)
        return at, self._consented(run, step, at, approved=assumption != "refused")

    def _consented(self, run: Run, step: Step, at: datetime, *, approved: bool) -> RunChange:
        people = step.approve.people if step.approve is not None and approved else 1
        change = RunChange(run)
        for number in range(people):
            name = _PERSON if people == 1 else f"person {number + 1}"
            change = answered(change.run, Answer(name, at, approved))
        return change

    def _deviations(self, run: Run, at: datetime) -> Iterator[Assumption]:
        """Yield what could become of a step otherwise: of what leads to the same place one is enough."""
        step = step_of(run)
        sight = self._sight(run, at)
        if step.when is not None and self._judgement(sight, step, "when")[1]:
            yield "skipped"
        for assumption in possible(step, self._rehearsal.operations):
            if assumption in ("fails", "refused", "unknown", "times-out"):
                same = assumption == "fails" and step.kind == "check" and step.timeout is not None  # it is looked at
                if not same and (step.kind != "check" or self._judgement(sight, step, "check")[1]):
                    yield assumption


def _same(after: Run, before: Run) -> bool:
    """Tell whether a run is still at the visit where it was, and goes on there."""
    one, other = here_of(after), here_of(before)
    open_ = one.state in ("active", "acting", "waiting")
    return open_ and one.is_begun and (one.step, one.number) == (other.step, other.number)


def _place(run: Run) -> object:
    """Return what decides where a run can still go: the step, and how often each way back was gone."""
    back = Counter(
        (each.step, each.to)
        for each in run.visits
        for step in run.runbook.steps
        if step.step == each.step and isinstance(step.then, Goto) and each.to == step.then.step
    )
    return here_of(run).step, frozenset(back.items())
