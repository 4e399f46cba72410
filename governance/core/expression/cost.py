"""How many steps an expression may take at worst, told when it is loaded.

The cost model of Kubernetes' CEL is the example: each operation is a step, a macro takes its body as often as its list
or map can have items, and what nothing bounds is taken to have an assumed size.
"""

from __future__ import annotations

from collections.abc import Mapping

from governance.core.expression import syntax
from governance.core.expression.syntax import Node, Span

MOST = 10_000_000
"""Steps that an expression may take at worst."""
ASSUMED = 200
"""Items of a list or map where nothing says how many there can be, such as the features of a card."""
SERIES = 500
"""Label sets of a metric: as many as a rule may have instances unless its card says otherwise."""
_ONCE = ("bind", "optMap", "optFlatMap")

Lengths = Mapping[Span, int | None]


def steps(node: Node, lengths: Lengths) -> int:
    """Return how many steps a node takes at worst; `lengths` are of what each macro and each `in` goes over."""
    if isinstance(node, syntax.Comprehension):
        operand, *inner = syntax.parts(node)
        times = 1 if node.macro in _ONCE else _items(node, lengths)
        return 1 + steps(operand, lengths) + times * sum(1 + steps(each, lengths) for each in inner)
    searched = _items(node, lengths) if isinstance(node, syntax.Binary) and node.span in lengths else 0
    return 1 + searched + sum(steps(each, lengths) for each in syntax.parts(node))


def too_costly(node: Node, lengths: Lengths) -> tuple[Span, int] | None:
    """Return the innermost part that takes more steps than there may be, with how many, or None."""
    total = steps(node, lengths)
    if total <= MOST:
        return None
    inner = (too_costly(each, lengths) for each in syntax.parts(node))
    return next((each for each in inner if each), (node.span, total))


def _items(node: Node, lengths: Lengths) -> int:
    found = lengths.get(node.span)
    return ASSUMED if found is None else found
