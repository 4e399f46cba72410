"""Does a page find people, and a way to them?"""

from __future__ import annotations

from collections.abc import Iterator

from governance import plugins
from governance.core.escalation_policy import EscalationPolicy, Target
from governance.core.organisation import Organisation
from governance.doctor.finding import Finding, open_, well, wrong
from governance.doctor.installation import Installation
from governance.ports import reaches

_SHOWN = 5


def check(here: Installation) -> Iterator[Finding]:
    """Say of each escalation policy whom it cannot reach, and which models of tier 1 have none."""
    known, through = here.organisation.escalations, _reaching(here)
    for name, policy in sorted(known.items()):
        yield _of(here.organisation, name, policy, through)
    cards = [each.policy.card for each in here.policies.plan.policies]
    alone = sorted(
        each.model for each in cards if each.tier == 1 and each.model != "engine" and not each.owners.escalation
    )
    if alone:
        said = f"tier 1 without one: {', '.join(alone[:_SHOWN])}{' …' if len(alone) > _SHOWN else ''}"
        yield open_("escalations", "models", said, "name a policy in owners.escalation: else nobody is told next")
    elif not known:
        yield open_(
            "escalations", "policies", "none says who is told next", "write one in org.yaml (docs/escalation.md)"
        )


def _of(organisation: Organisation, name: str, policy: EscalationPolicy, through: list[str]) -> Finding:
    targets = [*(each for level in policy.levels for each in level.to), *policy.fallback]
    people = {person for each in targets for person in _behind(each, organisation)}
    if people and not through:
        said = "it names people, but no notifier reaches people (email without `to`, slack)"
        return wrong("escalations", name, said, "add one to org.yaml (docs/notifiers.md)")
    known = organisation.people
    lost = sorted(each for each in people if each in known and not known[each].email and not known[each].slack)
    if lost:
        return wrong("escalations", name, f"{', '.join(lost)}: neither email nor slack", "add it in org.yaml: people")
    if not policy.fallback:
        said = f"reaches {len(people)} people, but has no fallback for when nobody is on call"
        return open_("escalations", name, said, "add `fallback`, such as a team")
    return well("escalations", name, f"reaches {len(people)} people through {', '.join(through) or 'places alone'}")


def _behind(target: Target, organisation: Organisation) -> frozenset[str]:
    """Return everybody whom a target may mean at some time."""
    if target.schedule is not None and target.schedule in organisation.schedules:
        return organisation.schedules[target.schedule].names()
    if target.team is not None and target.team in organisation.teams:
        team = organisation.teams[target.team]
        return frozenset([*team.members, *team.leads])
    return frozenset([target.person] if target.person is not None else [])


def _reaching(here: Installation) -> list[str]:
    """Return the notifiers that reach people."""
    found = []
    for name, plugin in here.organisation.notifiers.items():
        if not plugins.wrongs(plugins.ACTIONS, plugin):
            built = plugins.built(plugins.ACTIONS, name, plugin, directory=here.base)
            found.extend([name] if "people" in reaches(built) else [])
    return found
