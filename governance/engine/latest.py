"""What was last judged, as the process that judges remembers it; nothing of it survives a restart."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from threading import Lock
from types import MappingProxyType

from governance.core.verdict import Verdict

KEPT = 60
"""Values of each input that are remembered, for the small chart beside it."""
Key = tuple[str, tuple[tuple[str, str], ...]]
"""An input by its name, and the labels of the instance it was judged in."""


class Latest:
    """The last verdicts of each rule; the engine's thread writes, those that answer people read."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._lock = Lock()
        self._at: datetime | None = None
        self._turn, self._turns = 0, dict[str, int]()
        self._verdicts: dict[str, Mapping[str, tuple[Verdict, ...]]] = {}
        self._budgets: dict[str, Mapping[str, Verdict]] = {}
        self._values: dict[str, dict[Key, deque[tuple[datetime, float]]]] = {}

    @property
    def at(self) -> datetime | None:
        """When was last judged in this process; None before the first time."""
        return self._at

    def take(self, verdicts: Iterable[Verdict], at: datetime, budgets: Iterable[Verdict] = ()) -> None:
        """Remember the verdicts of a cycle; rules that it did not judge keep theirs, as they are not due as often.

        `budgets` tell what is left of those that no rule looks at: they are no verdicts of the model.
        """
        found: dict[str, dict[str, list[Verdict]]] = defaultdict(lambda: defaultdict(list))
        for each in verdicts:
            found[each.model][each.rule].append(each)
        with self._lock:
            self._turn += 1
            for model, rules in found.items():
                before = self._verdicts.get(model, {})
                judged = {rule: tuple(group) for rule, group in rules.items()}
                self._verdicts[model] = MappingProxyType({**before, **judged})
                self._turns[model] = self._turn
                self._note(model, (one for group in judged.values() for one in group))
            for each in budgets:
                self._budgets[each.model] = {**self._budgets.get(each.model, {}), each.rule: each}
                self._note(each.model, [each])
            self._at = at

    def keep(self, declared: Mapping[str, Collection[str]]) -> None:
        """Forget the verdicts of rules and models that are no longer declared."""
        with self._lock:
            for model, rules in list(self._verdicts.items()):
                left = {name: found for name, found in rules.items() if name in declared.get(model, ())}
                self._verdicts[model] = MappingProxyType(left)
            for model in self._verdicts.keys() - declared.keys():
                del self._verdicts[model]
                self._values.pop(model, None)
                self._turns.pop(model, None)
            for model in self._budgets.keys() - declared.keys():
                del self._budgets[model]

    def of(self, model: str) -> tuple[Verdict, ...]:
        """Return the last verdicts of a model."""
        return tuple(each for group in self._verdicts.get(model, {}).values() for each in group)

    def budget(self, model: str, slo: str) -> Verdict | None:
        """Return what was last left of a budget that no rule looks at, None before it was told."""
        return self._budgets.get(model, {}).get(slo)

    @property
    def turns(self) -> Mapping[str, int]:
        """By model which of all the cycles judged it last, counted in this process; none was judged after it."""
        with self._lock:
            return dict(self._turns)

    def history(self, model: str, name: str, labels: tuple[tuple[str, str], ...]) -> list[float]:
        """Return the last values of an input, the oldest first."""
        return [value for _, value in self.timed(model, name, labels)]

    def timed(self, model: str, name: str, labels: tuple[tuple[str, str], ...]) -> list[tuple[datetime, float]]:
        """Return the last values of an input with their times, the oldest first."""
        with self._lock:
            return list(self._values.get(model, {}).get((name, labels), ()))

    def _note(self, model: str, verdicts: Iterable[Verdict]) -> None:
        values = self._values.setdefault(model, {})
        for verdict in verdicts:
            for each in verdict.inputs:
                if each.value is None or each.time is None:
                    continue
                kept = values.setdefault((each.name, verdict.labels), deque(maxlen=KEPT))
                if not kept or kept[-1][0] < each.time:
                    kept.append((each.time, each.value))
