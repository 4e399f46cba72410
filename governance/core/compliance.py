"""Judge the controls of a model: by the checks that the frameworks name, and by its rules that name a control."""

from __future__ import annotations

from collections.abc import Sequence

from governance.core.control import (
    Control,
    Finding,
    Framework,
    Judgement,
    Known,
    no_evidence,
    not_applicable,
    worst_state,
)
from governance.core.control_checks import judged_by
from governance.core.control_rules import by_rules
from governance.core.frameworks import FRAMEWORKS


def judgements(known: Known, frameworks: Sequence[Framework] = FRAMEWORKS) -> tuple[Judgement, ...]:
    """Return what is found of every control, why, and which entries prove it; in the order of the frameworks."""
    return tuple(_judged(known, framework, each) for framework in frameworks for each in framework.controls)


def named_elsewhere(known: Known, frameworks: Sequence[Framework] = FRAMEWORKS) -> tuple[Judgement, ...]:
    """Return what is found of controls that only the rules of the model name, such as those of another regime."""
    listed = {each.id for framework in frameworks for each in framework.controls}
    named = {name.casefold() for rule in known.rules.values() for name in rule.controls} - listed
    found = []
    for name in sorted(named):
        control = Control(name, name, "The rules that name it say", ())
        findings = (_by_naming(known, name) or no_evidence("no rule that names it was judged"),)
        found.append(Judgement(control, worst_state(findings), findings))
    return tuple(found)


def answers_to(known: Known, framework: Framework) -> str:
    """Return why a model does not answer to a framework, "" where it does."""
    if framework.regimes and not set(framework.regimes) & {each.casefold() for each in known.card.regimes}:
        return f"the card does not name the regime {framework.regimes[0]}"
    if framework.excludes_generative and known.card.versions is not None and known.card.versions.prompt:
        return "the card names a prompt, and generative models are outside the scope of this guidance"
    return ""


def _judged(known: Known, framework: Framework, control: Control) -> Judgement:
    away = answers_to(known, framework)
    if away:
        return Judgement(control, "not applicable", (not_applicable(away),))
    named = _by_naming(known, control.id)
    findings = (*(judged_by(check, known) for check in control.checks), *([named] if named is not None else []))
    return Judgement(control, worst_state(findings), findings)


def _by_naming(known: Known, control: str) -> Finding | None:
    named = {name for name, rule in known.rules.items() if control in {each.casefold() for each in rule.controls}}
    if not any(each.rule in named for each in known.verdicts):
        return None
    return by_rules(known, lambda rule: rule.id in named, no_evidence("no rule that names it was judged"))
