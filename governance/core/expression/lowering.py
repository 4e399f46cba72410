"""From our syntax tree to the one that cel-python's interpreter walks, without the grammar's chains of single nodes.

Operators are calls of functions, as in CEL's own definition: cel-python's nodes for them look up their types each time.
"""

from __future__ import annotations

from typing import Any

from lark import Tree

from governance.core.expression import syntax
from governance.core.expression.syntax import Node


def lowered(node: Node) -> Any:  # noqa: C901 (one case per kind of node)
    """Return the tree to interpret."""
    match node:
        case syntax.Literal(value=value):
            return Tree("constant", [value])
        case syntax.Name(name=name):
            return Tree("variable", [name])
        case syntax.Bound(reference=reference):
            return Tree("reference", [reference])
        case syntax.Select(operand=operand, field=field, double=double):
            return Tree("select_double" if double else "select", [lowered(operand), field])
        case syntax.Has(operand=operand):
            return Tree("has", [lowered(operand)])
        case syntax.Index(operand=operand, key=key):
            return Tree("call", ["_[_]", lowered(operand), lowered(key)])
        case syntax.Comprehension(macro, operand, variable, condition, body):
            test = None if condition is None else lowered(condition)
            return Tree("comprehension", [macro, lowered(operand), variable, test, lowered(body)])
        case syntax.Call(function=function):
            return Tree("call", [function, *map(lowered, syntax.parts(node))])
        case syntax.ListOf():
            return Tree("list_of", [lowered(each) for each in syntax.parts(node)])
        case syntax.MapOf():
            return Tree("map_of", [lowered(each) for each in syntax.parts(node)])
        case syntax.Conditional():
            return Tree("expr", [lowered(each) for each in syntax.parts(node)])
        case syntax.Logic(operator=operator, terms=terms):
            return _balanced(f"_{operator}_", [lowered(each) for each in terms])
        case syntax.Unary(operator=operator, operand=operand):
            return Tree("call", [f"{operator}_", lowered(operand)])
        case syntax.Binary(operator, left, right):
            return Tree("call", [f"_{operator}_", lowered(left), lowered(right)])


def _balanced(function: str, terms: list[Any]) -> Any:
    """Join terms pairwise: && and || are associative, and a chain of hundreds would otherwise be a deep tree."""
    if len(terms) == 1:
        return terms[0]
    middle = (len(terms) + 1) // 2
    return Tree("call", [function, _balanced(function, terms[:middle]), _balanced(function, terms[middle:])])
