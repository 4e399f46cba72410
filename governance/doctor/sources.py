"""Does every source answer one of the questions that cards ask it?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance import plugins
from governance.core.metric import Answer, Query
from governance.core.question import filled
from governance.doctor.finding import Finding, open_, well, wrong
from governance.doctor.installation import Installation, unset
from governance.engine.collect import Collector
from governance.engine.facts import registry_failure
from governance.engine.pushing import StoredSamples
from governance.ports import ReadsPushed

PATIENCE = 10.0
"""Seconds that all sources together have."""


def check(here: Installation) -> Iterator[Finding]:
    """Ask each source the question of the shortest window, as the engine would."""
    if not here.organisation.sources:
        yield open_("sources", "sources", "none is configured", "name them in org.yaml (docs/sources.md)")
        return
    built: dict[str, Any] = {}
    for name, plugin in here.organisation.sources.items():
        lacking = unset(plugins.SOURCES, plugin)
        if lacking:
            yield wrong("sources", name, f"{', '.join(lacking)} is not set here", _SET)
            continue
        built[name] = plugins.built(plugins.SOURCES, name, plugin, directory=here.base)
    yield from _asked(here, built)


def _asked(here: Installation, built: dict[str, Any]) -> Iterator[Finding]:
    questions = _questions(here)
    for name, source in list(built.items()):
        if isinstance(source, ReadsPushed):
            if here.database is None:
                yield open_("sources", name, "nothing can be pushed before the engine first ran", "start gov serve")
                del built[name]
                continue
            source.read_from(name, StoredSamples(here.database))
    wanted = [questions[name] for name in built if name in questions]
    answers = Collector(PATIENCE).now(wanted, built, here.at)
    for name in built:
        if name not in questions:
            yield open_("sources", name, "no card asks it anything", "use it in a metric, or remove it")
        else:
            yield _answered(name, questions[name], answers[questions[name]])


def _questions(here: Installation) -> dict[str, Query]:
    """Return the cheapest question to each source: of the shortest window, and to a registry what serves."""
    found: dict[str, Query] = {}
    for policy in here.policies.plan.policies:
        for query in [*([policy.registry] if policy.registry is not None else []), *policy.queries]:
            before = found.get(query.source)
            if before is None or (query.window, query.offset) < (before.window, before.offset):
                found[query.source] = query
    return {name: filled(query, "") for name, query in found.items()}


def _answered(name: str, query: Query, answer: Answer) -> Finding:
    about = query.measure or query.text
    failure = answer.failure
    if failure:
        return wrong("sources", name, failure, f"the question was `{_short(about)}`; gov eval MODEL asks all of them")
    valued = [each for each in answer.samples if each.value is not None]
    if not valued and "@" in about and not registry_failure(answer):
        return well("sources", name, f"answers `{_short(about)}`")
    if not valued:
        said = f"answers `{_short(about)}`, but with no value"
        return open_("sources", name, said, "do its data still come? Is it the right table, label, name?")
    newest = max(each.time for each in valued)
    return well("sources", name, f"answers `{_short(about)}` with {len(valued)} values as of {newest:%Y-%m-%d %H:%M}Z")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"


_SET = "set it where gov serve runs, and in the shell of gov doctor"
