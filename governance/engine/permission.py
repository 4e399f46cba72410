"""Whether somebody may do something, asked by every act of a person before anything else."""

from __future__ import annotations

from collections.abc import Mapping

from governance.core.authority import Act, Actor, Allowed, Refused, authority
from governance.core.card import Card
from governance.core.organisation import Role
from governance.core.suggestion import closest
from governance.engine.parts import Engine
from governance.errors import Conflict, Denied, GovernanceError, NotFound


class RefusedAct(GovernanceError):
    """An act is refused to somebody; who lets people act notes it, once nothing is being written any more."""

    def __init__(
        self, engine: Engine, actor: Actor | str, act: Act, model: str | None, rule: str, said: str,
        about: Mapping[str, str] | None = None, role: Role | None = None,
    ) -> None:  # fmt: skip
        """Say it in a sentence; `rule` is what decides so, `about` what it was about beside the model.

        `role` is what this act asked for, where that is not what all of its kind do.
        """
        super().__init__(said)
        self.role = role
        self.engine, self.actor, self.act, self.model, self.rule = engine, str(actor), act, model, rule
        self.about = dict(about or {})
        self.channel = actor.channel if isinstance(actor, Actor) else ""


class NotPermitted(RefusedAct, Denied):
    """Somebody may not do this."""


class NotCounted(RefusedAct, Conflict):
    """Somebody may do this, and it is not the moment: they did it before, it is too early, or too late."""


def permit(
    engine: Engine, actor: Actor | str, act: Act, model: str | None = None, *, role: Role | None = None,
    about: Mapping[str, str] | None = None,
) -> Allowed:  # fmt: skip
    """Return why the actor may act on a model, or (None) on the engine as a whole.

    A model that no card declares any more is governed by the roles that hold everywhere. `role` is what this act asks
    for, where that is not what all of its kind do.

    :raises NotPermitted: naming the rule that decides so, and who may.
    """
    found = authority(actor, act, card_of(engine, model), engine.organisation, role)
    if isinstance(found, Refused):
        raise NotPermitted(engine, actor, act, model, found.rule, str(found), about, role)
    return found


def who_may(engine: Engine, act: Act, model: str | None, *, but: str = "", role: Role | None = None) -> tuple[str, ...]:
    """Return the people who may act on a model, by id, without the one who may not be asked."""
    card, organisation = card_of(engine, model), engine.organisation
    found = (each for each in organisation.people if each != but)
    return tuple(sorted(each for each in found if isinstance(authority(each, act, card, organisation, role), Allowed)))


def card_of(engine: Engine, model: str | None) -> Card | None:
    """Return the card of a model, None when none declares it."""
    policy = engine.plan.by_model.get(model) if model is not None else None
    return policy.policy.card if policy is not None else None


def declared(engine: Engine, model: str) -> Card:
    """Return the card of a model.

    :raises NotFound: when no card declares it.
    """
    card = card_of(engine, model)
    if card is None:
        hint = closest(model, engine.plan.by_model) or "see gov check"
        raise NotFound(f"no card declares the model '{model}'; {hint}")
    return card
