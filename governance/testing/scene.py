"""What one test plays with: its cards as it changes them, the rules under test, and the organisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from governance.core.authored import Authored, Path
from governance.core.card import Card
from governance.core.compiled import CompiledPolicy, CompiledRule, EvaluationPlan
from governance.core.organisation import Organisation
from governance.core.placed import placed
from governance.core.problem import Problem
from governance.core.runbook import Runbook
from governance.core.story import Story, Suite
from governance.core.story_checks import name_problems
from governance.core.story_run_checks import run_problems
from governance.core.suggestion import closest
from governance.engine.entries import HEALTH
from governance.errors import InvalidDocument
from governance.loader import Loaded
from governance.loader.nested import Layer, nested
from governance.loader.tree import Scalar
from governance.policies import KINDS
from governance.testing.library import Library, key_of

PACKS, RUNBOOKS = "packs/", "runbooks/"


@dataclass(frozen=True, slots=True)
class Scene:
    """One test of a suite, ready to be played; `plan` holds the rules under test only, `runbooks` are those named."""

    suite: Loaded[Suite]
    index: int
    plan: EvaluationPlan
    organisation: Organisation
    runbooks: Mapping[str, Authored[Runbook]] = field(default_factory=dict)

    @property
    def sources(self) -> set[str]:
        """Every source that may be asked: for the rules under test, and for what runbooks look at."""
        metrics = (metric for policy in self.plan.policies for metric in policy.policy.metrics.values())
        return self.plan.sources | {each.query.source for each in metrics}

    @property
    def test(self) -> Story:
        """The test."""
        return self.suite.document.tests[self.index]

    @property
    def path(self) -> Path:
        """Where the test stands in its document."""
        return ("tests", self.index)

    @property
    def rules(self) -> frozenset[str]:
        """The names of the rules under test."""
        return frozenset(rule.rule.id for policy in self.plan.policies for rule in policy.rules)

    def said(self, path: Path) -> str:
        """Return a scalar of the test as its author wrote it."""
        node = self.suite.source.node((*self.path, *path))
        return node.text if isinstance(node, Scalar) else ""

    def problem(self, path: Path, code: str, message: str, suggestion: str = "") -> Problem:
        """Return a problem at a part of the test."""
        return placed(self.suite, (*self.path, *path), code, message, suggestion)


def packs_of(suite: Suite, library: Library) -> frozenset[str]:
    """Return the packs that a suite names."""
    others = [each for each in suite.of if not each.startswith(RUNBOOKS)]
    names = {each.removeprefix(PACKS) for each in others if each.startswith(PACKS) or each not in library.cards}
    return frozenset(names & set(library.packs))


def runbooks_of(suite: Suite, library: Library) -> dict[str, Authored[Runbook]]:
    """Return the runbooks that a suite names."""
    names = [each.removeprefix(RUNBOOKS) for each in suite.of if each.startswith(RUNBOOKS)]
    return {each: library.runbooks[each] for each in names if each in library.runbooks}


def unknown_names(suite: Loaded[Suite], library: Library) -> list[Problem]:
    """Return what `of` names and nobody declares, and that a suite has no card at all."""
    known = [*library.cards, *(f"{PACKS}{name}" for name in library.packs)]
    known += [f"{RUNBOOKS}{name}" for name in library.runbooks]
    found = []
    for index, each in enumerate(suite.document.of):
        if each not in library.cards and each.removeprefix(PACKS) not in library.packs and each not in known:
            message = f"no card, pack or runbook is named '{each}'"
            found.append(placed(suite, ("of", index), "unknown-policy", message, closest(each, known)))
    if found and library.problems:
        return list(library.problems)  # it may be declared in a file that does not load
    own = suite.document.card or all(each.card for each in suite.document.tests)
    if not found and not own and not any(each in library.cards for each in suite.document.of):
        hint = "name a card in `of`, or write one under `card:`"
        found.append(placed(suite, ("of",), "no-card", "packs and runbooks are tested on a card", hint))
    return found


def scene(suite: Loaded[Suite], index: int, library: Library) -> tuple[Scene | None, list[Problem]]:
    """Arrange one test: None with what is wrong with its card, or with the names that it uses."""
    cards, key, problems = _cards(suite, index, library)
    packs = packs_of(suite.document, library)
    if not cards or problems:
        return None, problems
    plan = library.compiled(cards, packs, key)
    if plan.problems:
        return None, [*plan.problems]
    whole = {policy.model: policy for policy in plan.policies}
    plan = _restricted(plan, [_under_test(policy, packs) for policy in plan.policies])
    layers = [Layer(suite.source, ("org",)), Layer(suite.source, ("tests", index, "org"))]
    _, problems = nested(layers, "org", KINDS)
    if problems:
        return None, problems
    people = _organisation(suite.document, index, library)
    built = Scene(suite, index, plan, people, runbooks_of(suite.document, library))
    problems.extend(name_problems(suite, index, whole, built.rules, (*HEALTH, *_edited(built.test)), library.rules))
    problems.extend(run_problems(suite, index, {name: each.document for name, each in library.runbooks.items()}))
    return (None if problems else built), problems


def with_rules(plan: EvaluationPlan, keep: Mapping[str, Sequence[CompiledRule]]) -> EvaluationPlan:
    """Return the plan with only these rules of each model."""
    return _restricted(plan, [replace(each, rules=tuple(keep[each.model])) for each in plan.policies])


def edited(scene_: Scene, library: Library, changes: Mapping[str, Mapping[str, Any]]) -> EvaluationPlan:
    """Return the plan after somebody edited rules of the cards: the fields given replace those of the rule so named.

    :raises InvalidDocument: when the cards do not load then
    """
    cards = []
    for each in _cards(scene_.suite, scene_.index, library)[0]:
        data = each.document.model_dump(by_alias=True, exclude_none=True)
        data["rules"] = [{**rule, **changes.get(rule["rule"], {})} for rule in data.get("rules", ())]
        cards.append(Loaded(_card(data), each.source))
    plan = library.compiled(cards, packs_of(scene_.suite.document, library), key_of(dict(changes)) + str(id(scene_)))
    if plan.problems:
        raise InvalidDocument(f"the card does not load: {plan.problems[0].message}")
    return _restricted(plan, [_under_test(each, packs_of(scene_.suite.document, library)) for each in plan.policies])


def _card(data: dict[str, Any]) -> Card:
    try:
        return Card.model_validate(data)
    except ValidationError as error:
        raise InvalidDocument(f"the card does not load: {error.errors()[0]['msg']}") from error


def _edited(test: Story) -> list[str]:
    """Return the names that edits give rules."""
    edits = [change for act in test.acts for change in (act.edit or {}).values()]
    return [str(each["rule"]) for each in edits if "rule" in each]


def _cards(suite: Loaded[Suite], index: int, library: Library) -> tuple[list[Loaded[Card]], str, list[Problem]]:
    """Return the cards of a test, a text that tells them from those of others, and what is wrong with them."""
    named = [library.cards[each] for each in suite.document.of if each in library.cards]
    test = suite.document.tests[index]
    own = Layer(suite.source, ("card",))
    changes = Layer(suite.source, ("tests", index, "card"))
    whole: list[Loaded[Card] | None] = [*named] if named else [None]
    bases = [[Layer(each.source)] for each in named] or [[own]]
    found, problems, keys = [], list[Problem](), []
    for base, card in zip(bases, whole, strict=True):
        layers = [*base, *([own] if named and suite.document.card else []), *([changes] if test.card else [])]
        if card is not None and len(layers) == 1:
            found.append(card)
        else:
            one, wrong = nested(layers, "card", KINDS)
            problems.extend(wrong)
            if one is not None and isinstance(one.document, Card):
                found.append(Loaded(one.document, one.source))
        keys.append(key_of({str(number): each.data() for number, each in enumerate(layers)}))
    return found, "".join(keys), problems


def _under_test(policy: CompiledPolicy, packs: frozenset[str]) -> CompiledPolicy:
    """Keep the rules of the packs that are named, and those that the card writes or changes."""
    rules = [each for each in policy.rules if each.rule.pack in packs or _of_card(each, policy)]
    return replace(policy, rules=tuple(rules))


def _of_card(rule: CompiledRule, policy: CompiledPolicy) -> bool:
    return not rule.rule.pack or rule.rule.origin.file == policy.policy.source.file


def _restricted(plan: EvaluationPlan, policies: Sequence[CompiledPolicy]) -> EvaluationPlan:
    queries = tuple(dict.fromkeys(query for policy in policies for query in policy.queries))
    return replace(plan, policies=tuple(policies), queries=queries, by_model={each.model: each for each in policies})


def _organisation(suite: Suite, index: int, library: Library) -> Organisation:
    """Return the people and the grouping of the organisation, as the test changes them; the test plays the rest."""
    test = suite.tests[index]
    base = library.organisation.model_dump(
        include={"environment", "people", "teams", "roles", "automation", "incidents"}
    )
    changed = {**base, **suite.org, **test.org}
    cycle = {**changed.pop("cycle", {}), "every": suite.step(test)}
    return Organisation.model_validate({**changed, "cycle": cycle, "sources": {}, "notifiers": {}})
