"""The label sets of a rule's instances: its labelled values joined on the labels they share, whatever their order.

The join is the full disjunction of the values' label sets (Galindo-Legaria, "Outerjoins as disjunctions", SIGMOD 1994),
the outer join of many tables that no order of them can change: every label set that agrees with itself, in which each
value shares a label with another, and that no further value could extend.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from governance.core.metric import Labels

Names = frozenset[str]
_WASTE = 10  # label sets on the way for each one that is wanted, before the join is given up


class TooManyError(Exception):
    """A join would give more label sets than its limit; `found` is how many there were when it was given up."""

    def __init__(self, found: int) -> None:
        super().__init__(f"more than {found} label sets")
        self.found = found


def dimensions(labelled: Iterable[Iterable[str]]) -> tuple[str, ...] | None:
    """Return the labels of the instances, or None when the values fall into groups that share no label.

    Two values that share none are joined by a third that shares one with each.
    """
    groups: list[set[str]] = []
    for names in map(set, labelled):
        if names:
            apart = [each for each in groups if not each & names]
            groups = [*apart, names.union(*(each for each in groups if each & names))]
    return tuple(sorted(set().union(*groups))) if len(groups) <= 1 else None


def label_sets(
    tables: Mapping[Names, Collection[Labels]], limit: int, closed: Collection[Labels] | None = None
) -> list[Labels]:
    """Join the label sets of all tables, sorted; `tables` are by the names of their labels.

    `closed` are the items of a for_each, each with its one label: the tables neither add items, nor is there a label
    set without one.

    :raises TooManyError: there are more than `limit`, or too many on the way
    """
    if closed is None:
        found = list(_Join(tables, limit * _WASTE).largest())
    else:
        items = {pair for each in closed for pair in each}
        variables = frozenset(name for name, _ in items)
        kept = {names: [each for each in table if _agrees(each, items, variables)] for names, table in tables.items()}
        joined = _Join({**kept, variables: list(closed)}, limit * _WASTE).largest()
        found = [each for each in joined if only(each, variables)]
    if len(found) > limit:
        raise TooManyError(len(found))
    return sorted(found)


def _agrees(labels: Labels, items: Collection[tuple[str, str]], variables: Names) -> bool:
    return all(pair in items for pair in labels if pair[0] in variables)


class _Join:
    """Extends label sets one table at a time until nothing can be extended."""

    def __init__(self, tables: Mapping[Names, Collection[Labels]], most: int) -> None:
        self._tables = tables
        self._most = most
        self._indexes: dict[tuple[Names, Names], dict[Labels, list[Labels]]] = {}

    def largest(self) -> Iterator[Labels]:
        """Yield the label sets that nothing extends."""
        found = dict.fromkeys(each for table in self._tables.values() for each in table)
        waiting = list(found)
        while waiting:
            labels = waiting.pop()
            extended = set(self._extended(labels))
            if not extended:
                yield labels
            for each in extended - found.keys():
                found[each] = None
                waiting.append(each)
            if len(found) > self._most:
                raise TooManyError(len(found))

    def _extended(self, labels: Labels) -> Iterator[Labels]:
        """Yield a label set with the labels of each set of a table that shares labels with it and agrees on them."""
        held = frozenset(name for name, _ in labels)
        for names in self._tables:
            shared = names & held
            if shared and not names <= held:
                for each in self._index(names, shared).get(only(labels, shared), ()):
                    yield tuple(sorted({*labels, *each}))

    def _index(self, names: Names, shared: Names) -> dict[Labels, list[Labels]]:
        key = (names, shared)
        if key not in self._indexes:
            index: dict[Labels, list[Labels]] = {}
            for each in self._tables[names]:
                index.setdefault(only(each, shared), []).append(each)
            self._indexes[key] = index
        return self._indexes[key]


def only(labels: Labels, names: Collection[str]) -> Labels:
    """Return the labels of these names."""
    return tuple(pair for pair in labels if pair[0] in names)
