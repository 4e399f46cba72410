"""Whether the rules that guard a switch are healthy now, on fresh data: the gate of every restore without people."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from governance.core.compiled import CompiledPolicy
from governance.core.switch import Setting
from governance.core.verdict import Verdict
from governance.engine.parts import Engine
from governance.engine.picture import Trouble, agenda, taken
from governance.engine.switching.trusting import unsound_since
from governance.errors import GovernanceError, NotFound
from governance.store import incidents, waivers


def unhealthy(engine: Engine, model: str, setting: Setting, at: datetime) -> tuple[str, ...]:
    """Return why a model may not be given back by itself, in words; nothing when every guard passes on fresh data.

    Its guards are the rules that pulled it; for a person's pull those of its incident, or else all that notify.
    """
    policy = engine.plan.by_model.get(model)
    if unsound_since(engine) is not None:
        return ("the decision log does not verify",)
    if policy is None:
        return (f"no card declares {model}, so that nothing can be judged",)
    guards = _guards(engine, model, setting)
    if not guards:
        return ("no rule guards it",)
    try:
        verdicts = _verdicts(engine, policy, at)
    except GovernanceError:
        raise
    except Exception as error:  # noqa: BLE001 (what nobody foresaw must not keep the engine from its other work)
        return (f"its rules cannot be judged: {type(error).__name__}: {error}".splitlines()[0],)
    return tuple(_wrong(guards, verdicts))


def _verdicts(engine: Engine, policy: CompiledPolicy, at: datetime) -> list[Verdict]:
    picture = taken(engine, agenda([policy], None, at, Trouble()), at)
    with engine.database.read() as connection:
        holding = waivers.holding(connection, at)
    return list(picture.evaluation(picture.agenda[0]).verdicts(holding))


def _guards(engine: Engine, model: str, setting: Setting) -> tuple[str, ...]:
    if setting.guards:
        return setting.guards
    found = _of_incident(engine, model, setting.incident) if setting.incident is not None else ()
    rules = engine.plan.by_model[model].rules
    return found or tuple(each.rule.id for each in rules if each.rule.enforcement != "observe")


def _of_incident(engine: Engine, model: str, number: int) -> tuple[str, ...]:
    with engine.database.read() as connection:
        try:
            findings = incidents.get(connection, number).findings
        except NotFound:
            return ()
    return tuple(dict.fromkeys(each.key.rule for each in findings if each.key.model == model))


def _wrong(guards: Collection[str], verdicts: Collection[Verdict]) -> Iterator[str]:
    """Say of each guard what keeps it from being healthy: it must have a verdict, and all must pass on all inputs."""
    for guard in guards:
        found = [each for each in verdicts if each.rule == guard]
        if not found:
            yield f"{guard} is not judged"
        for each in found:
            if each.outcome != "pass" or each.missing:
                named = ", ".join(f"{name}={value}" for name, value in each.labels)
                outcome = "passes without all its data" if each.outcome == "pass" else f"says {each.outcome}"
                reason = f" ({each.reason})" if each.reason else ""
                yield f"{guard}{f' {{{named}}}' if named else ''} {outcome}{reason}"
