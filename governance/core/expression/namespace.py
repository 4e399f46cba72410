"""Names with dots and containers, as bare CEL resolves them: in container a.b, x.y is a.b.x.y, a.x.y, x.y, a.b.x, ….

Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md#name-resolution
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import fields, replace
from typing import Any

from governance.core.expression import syntax
from governance.core.expression.syntax import Node

_NONE: frozenset[str] = frozenset()


def located(node: Node, container: str, variables: Collection[str], hidden: frozenset[str] = _NONE) -> Node:
    """Return the tree with the variables that its names mean; those of macros hide them."""
    found = _variable(node, container, variables, hidden)
    if found is not None:
        return found
    inner = hidden
    if isinstance(node, syntax.Comprehension):
        inner = hidden | {node.variable, node.second}

    def change(value: Any, field: str) -> Any:
        if isinstance(value, tuple):
            return tuple(change(each, field) for each in value)
        if not isinstance(value, syntax.KINDS):
            return value
        return located(value, container, variables, inner if field in ("body", "condition") else hidden)

    changed = {each.name: change(getattr(node, each.name), each.name) for each in fields(node)}
    return replace(node, **changed)


def _variable(node: Node, container: str, variables: Collection[str], hidden: frozenset[str]) -> Node | None:
    """Return what a path of names means, None when the node is none or nothing is called so."""
    selects: list[syntax.Select] = []
    below = node
    while isinstance(below, syntax.Select) and not below.optional:
        selects.append(below)
        below = below.operand
    if not isinstance(below, syntax.Name) or (below.name in hidden and not below.absolute):
        return None
    selects.reverse()
    names = [below.name, *(each.field for each in selects)]
    for count in range(len(names), 0, -1):
        for prefix in _prefixes("" if below.absolute else container):
            name = prefix + ".".join(names[:count])
            if name in variables:
                found: Node = syntax.Name(name, below.span, absolute=True)
                for each in selects[count - 1 :]:
                    found = replace(each, operand=found)
                return found
    return None


def _prefixes(container: str) -> Iterator[str]:
    parts = container.split(".") if container else []
    for count in range(len(parts), -1, -1):
        yield "".join(f"{part}." for part in parts[:count])
