"""What can be wrong with a policy test before it runs: its notation, its times, and the names in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime

from governance.core.authored import Authored, Path, Written, problem_at
from governance.core.compiled import CompiledPolicy
from governance.core.notation import Name, NotationError, name, points
from governance.core.placed import placed
from governance.core.problem import Problem
from governance.core.story import EPOCH, Story, Suite, in_words
from governance.core.suggestion import closest

Authoring = Authored[Suite]
IN_ERROR = "rule-in-error"
"""The engine's own alert of a rule that cannot be judged."""


def form_problems(suite: Authoring) -> list[Problem]:
    """Return what is wrong with the notation and the times of every test, and with their names."""
    found: list[Problem] = []
    seen: set[str] = set()
    if not suite.document.tests:
        found.append(placed(suite, ("tests",), "no-tests", "this holds no test"))
    for index, test in enumerate(suite.document.tests):
        path: Path = ("tests", index)
        if test.test in seen:
            found.append(placed(suite, (*path, "test"), "second-test", f"a test '{test.test}' stands above already"))
        seen.add(test.test)
        wrong = [*_notation(suite, test, path)]
        found.extend(wrong or _times(suite, test, path))
    return found


def _notation(suite: Authoring, test: Story, path: Path) -> Iterator[Problem]:
    for key, text in test.series.items():
        where = (*path, "series", key)
        raw = _as_written(suite, where)
        if raw.lower().startswith(("0x", "0o")):  # YAML's numbers, whatever the notation means by them
            hint = f'quote it: "{raw}"'
            yield placed(suite, where, "wrong-series", f"YAML reads {raw} as the number {text}", hint)
        try:
            points(text)
        except NotationError as error:
            written = Written(text, suite.source, where)
            line = text.count("\n", 0, error.start) + 1
            column = error.start - text.rfind("\n", 0, error.start)
            yield written.problem("wrong-series", str(error), error.suggestion, at=(line, column, error.length))
        try:
            name(key)
        except NotationError as error:
            yield problem_at(suite.source, suite.source.key_at(where), "wrong-series", str(error), error.suggestion)


def _as_written(suite: Authoring, path: Path) -> str:
    at = suite.source.at(path)
    return suite.source.lines[at.line - 1][at.column - 1 : at.column - 1 + at.length]


def _times(suite: Authoring, test: Story, path: Path) -> Iterator[Problem]:
    every, last = suite.document.step(test), suite.document.length(test)
    if test.start is not None and (_aware(test.start) - EPOCH) % every:
        message = f"a test that looks every {in_words(every)} begins at a multiple of that, counted from 1970 in UTC"
        yield placed(suite, (*path, "start"), "off-the-grid", message)
    for index, act in enumerate(test.acts):
        if "at" not in act.model_fields_set:
            yield placed(suite, (*path, "acts", index), "missing-field", "when is this done?", "write at: 10m")
    for index, act in enumerate(test.before):
        if act.at:
            hint = "write ago: for what was done long before, or put it among `acts`"
            yield placed(
                suite, (*path, "before", index, "at"), "off-the-grid", "this is done before the test begins", hint
            )
    times = [("expect", index, each.at) for index, each in enumerate(test.expect)]
    times += [("acts", index, each.at) for index, each in enumerate(test.acts)]
    for section, index, at in times:
        where = (*path, section, index, "at")
        if at > last:
            message = f"the test ends at {in_words(last)}; nothing is known at {in_words(at)}"
            yield placed(suite, where, "after-the-end", message, "make the series longer: _x3 adds missing samples")
        elif at % every:
            near = at // every * every
            message = f"the engine looks every {in_words(every)}, not at {in_words(at)}"
            hint = f"{in_words(near)} or {in_words(near + every)}?"
            yield placed(suite, where, "off-the-grid", message, hint)


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def name_problems(
    suite: Authoring,
    index: int,
    policies: Mapping[str, CompiledPolicy],
    rules: Collection[str],
    known: Collection[str],
    others: Collection[str],
) -> Iterator[Problem]:
    """Yield the names in a test that nothing has.

    `rules` are under test, `known` may fire too, `others` are rules that are declared and not under test.
    """
    test = suite.document.tests[index]
    path: Path = ("tests", index)
    metrics = {each for policy in policies.values() for each in policy.policy.metrics}
    mislabelled = any(each.alert == IN_ERROR for each in test.expect)  # then the series are wrong on purpose
    for key in test.series:
        yield from _series(suite, (*path, "series", key), name(key), metrics, policies, mislabelled=mislabelled)
    for number, each in enumerate(test.expect):
        where = (*path, "expect", number, "alert")
        if each.alert is not None and each.alert not in rules and each.alert not in known:
            yield _unknown_rule(suite, where, each.alert, rules, policies, others)
        yield from _model(suite, (*path, "expect", number, "model"), each.model, policies)
    for number, allowed in enumerate(test.allow):
        if not any(_matches(allowed, rule) for rule in (*rules, *known)):
            message = f"no rule under test is '{allowed}'"
            yield placed(suite, (*path, "allow", number), "unknown-rule", message, closest(allowed, rules))
    for number, act in enumerate(test.acts):
        yield from _model(suite, (*path, "acts", number, "model"), act.model, policies)


def _matches(pattern: str, rule: str) -> bool:
    return pattern == rule or (pattern.endswith("/*") and rule.startswith(pattern[:-1]))


def _model(
    suite: Authoring, path: Path, model: str | None, policies: Mapping[str, CompiledPolicy]
) -> Iterator[Problem]:
    if model is not None and model not in policies:
        yield placed(suite, path, "unknown-model", f"'{model}' is not under test", closest(model, policies))


def _series(
    suite: Authoring,
    path: Path,
    said: Name,
    metrics: Collection[str],
    policies: Mapping[str, CompiledPolicy],
    *,
    mislabelled: bool,
) -> Iterator[Problem]:
    at = suite.source.key_at(path)
    if said.metric not in metrics:
        absent = [
            policy.policy.absent[said.metric] for policy in policies.values() if said.metric in policy.policy.absent
        ]
        why = f": {absent[0].reason}" if absent else ""
        message = f"no model under test has a metric '{said.metric}'{why}"
        hint = "" if absent else closest(said.metric, metrics)
        yield problem_at(suite.source, at, "unknown-metric", message, hint)
        return
    owners = [
        policy.policy.metrics[said.metric] for policy in policies.values() if said.metric in policy.policy.metrics
    ]
    names = {key for key, _ in said.labels}
    if not mislabelled and not any(
        names - {"model"} == set(each.labels) or names == set(each.labels) for each in owners
    ):
        declared = ", ".join(owners[0].labels) or "none"
        listed = ", ".join(sorted(names)) or "none"
        message = f"{said.metric} has the labels {declared}, this series {listed}"
        yield problem_at(suite.source, at, "wrong-labels", message)


def _unknown_rule(
    suite: Authoring,
    path: Path,
    wanted: str,
    rules: Collection[str],
    policies: Mapping[str, CompiledPolicy],
    others: Collection[str],
) -> Problem:
    for policy in policies.values():
        for each in policy.inapplicable:
            if each.rule == wanted:
                message = f"'{wanted}' cannot be judged for {policy.model}: {each.reason}"
                return placed(suite, path, "unknown-rule", message)
    if wanted in others:
        message = f"'{wanted}' is not under test"
        return placed(suite, path, "unknown-rule", message, f"add packs/{wanted.partition('/')[0]} to `of`")
    return placed(suite, path, "unknown-rule", f"no rule '{wanted}'", closest(wanted, rules))
