"""What a run sees when a step begins, or a condition is looked at again: metrics, the incident, evidence, people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from governance.core.compiled import CompiledPolicy
from governance.core.duration import format_duration
from governance.core.evidence import Evidence
from governance.core.incident import Incident
from governance.core.need import Needs
from governance.core.own_act import OWN_ACTS
from governance.core.plain import plain_object
from governance.core.run import Run
from governance.core.run_change import here_of, step_of
from governance.core.run_programs import Programs, programs
from governance.core.run_sight import Sight
from governance.core.run_steps import Facts, Judgement
from governance.core.runbook import Notice
from governance.engine.parts import Engine
from governance.engine.permission import who_may
from governance.engine.picture import Agenda, taken
from governance.engine.running.consenting import eligible
from governance.errors import NotFound
from governance.store import evidence, incidents

_NOTHING = Needs()


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known for the step where a run is; `notice` is what it tells, where it tells anything."""

    facts: Facts
    notice: Notice | None = None


def asks_nothing(engine: Engine, run: Run) -> bool:
    """Tell whether the step where a run is can be seen without asking any source."""
    return not _needs(_programs(engine, run), run).queries


def seen(engine: Engine, run: Run, at: datetime) -> Seen:
    """Return what is known for the step where a run is; a source that fails leaves values missing, with its reason.

    :raises NotFound: when no card declares its model any more.
    """
    step, undoes = step_of(run), here_of(run).undoes
    sight = _sight(engine, run, at)
    if undoes:
        asked, trouble = sight.asked(step.step, undo=True)
        said = f"take back '{step.step}' with {step.undo.act if step.undo else ''}"
        return Seen(Facts(text=said, asked=plain_object(asked), trouble=trouble))
    facts = Facts(when=sight.judge(step.step, "when"), text=sight.text(step.step))
    if facts.when is not None and facts.when.holds is not True:
        return Seen(facts)
    match step.kind:
        case "check":
            facts = replace(facts, check=sight.judge(step.step, "check"), text=facts.text or step.check or "")
        case "act":
            asked, trouble = sight.asked(step.step)
            facts = replace(facts, asked=plain_object(asked), trouble=trouble, text=facts.text or step.act or "")
        case "notify":
            notice, trouble = sight.notice(step.step)
            return Seen(replace(facts, trouble=trouble, text=notice.message), notice)
        case "wait" if step.wait is not None:
            facts = replace(facts, text=facts.text or f"wait {format_duration(step.wait)}")
        case _:
            facts = replace(facts, people=_people(engine, run))
    return Seen(facts)


def judge(engine: Engine, run: Run, at: datetime) -> Judgement:
    """Judge the condition of the check where a run is.

    :raises NotFound: when no card declares its model any more.
    """
    return _sight(engine, run, at).judge(step_of(run).step, "check") or Judgement(None, "there is nothing to judge")


def _programs(engine: Engine, run: Run) -> Programs:
    policy = engine.plan.by_model.get(run.model)
    if policy is None:
        raise NotFound(f"no card declares the model '{run.model}' any more")
    return programs(run.runbook, policy, outputs(engine))


def outputs(engine: Engine) -> dict[str, Mapping[str, str]]:
    """Return which values each act gives later steps, with their types."""
    found = {name: each.outputs for name, each in OWN_ACTS.items()}
    for name, system in engine.acts.items():
        found |= {f"{name}.{each}": system.OUTPUTS.get(each, {}) for each in system.OPERATIONS}
    return found


def _needs(known: Programs, run: Run) -> Needs:
    here = here_of(run)
    if here.undoes:
        return known.needs(here.step, "undo")
    return known.needs(here.step, "check") if here.is_begun else known.needs(here.step)


def _sight(engine: Engine, run: Run, at: datetime) -> Sight:
    known = _programs(engine, run)
    found, incident = _known(engine, run, at)
    beat = engine.organisation.cycle.every
    needs = _needs(known, run)
    if not needs.queries:
        return Sight(known, run, {}, at, incident=incident, evidence=found, beat=beat)
    return _asked(engine, known.policy, needs, at, known, run, incident, found)


def _asked(
    engine: Engine,
    policy: CompiledPolicy,
    needs: Needs,
    at: datetime,
    known: Programs,
    run: Run,
    incident: Incident | None,
    found: Evidence | None,
) -> Sight:
    """Ask the sources beside the cycle, which may be asking them just now."""
    asking = replace(engine, collector=engine.runner.collector)
    picture = taken(asking, [Agenda(policy, (), (), (needs,))], at)
    return Sight(
        known,
        run,
        picture.fleet.answers(policy),
        at,
        past=picture.fleet.past(policy),
        incident=incident,
        evidence=found,
        beat=picture.beat,
    )


def _known(engine: Engine, run: Run, at: datetime) -> tuple[Evidence | None, Incident | None]:
    with engine.database.read() as connection:
        found = evidence.latest(connection, known_by=at).get(run.model)
        incident = incidents.whole(connection, incidents.get(connection, run.incident)) if run.incident else None
    return found, incident


def _people(engine: Engine, run: Run) -> tuple[str, ...]:
    """Return who may do what the step asks of people; only a dry run has to know."""
    if run.mode != "dry_run":
        return ()
    consent = step_of(run).approve
    return eligible(engine, run, consent) if consent is not None else who_may(engine, "runbook.tick", run.model)
