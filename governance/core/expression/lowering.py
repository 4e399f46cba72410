"""From our syntax tree to the one that cel-python's interpreter walks, without the grammar's chains of single nodes."""

from __future__ import annotations

from typing import Any

from lark import Tree

from governance.core.expression import syntax
from governance.core.expression.syntax import Node

_RULES = {
    "<": ("relation", "relation_lt"),
    "<=": ("relation", "relation_le"),
    ">": ("relation", "relation_gt"),
    ">=": ("relation", "relation_ge"),
    "==": ("relation", "relation_eq"),
    "!=": ("relation", "relation_ne"),
    "in": ("relation", "relation_in"),
    "+": ("addition", "addition_add"),
    "-": ("addition", "addition_sub"),
    "*": ("multiplication", "multiplication_mul"),
    "/": ("multiplication", "multiplication_div"),
    "%": ("multiplication", "multiplication_mod"),
    "&&": ("conditionaland", ""),
    "||": ("conditionalor", ""),
}


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
            return Tree("member_index", [lowered(operand), lowered(key)])
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
            return _balanced(_RULES[operator][0], [lowered(each) for each in terms])
        case syntax.Unary(operator=operator, operand=operand):
            return Tree("unary", [Tree("unary_not" if operator == "!" else "unary_neg", []), lowered(operand)])
        case syntax.Binary(operator, left, right):
            rule, name = _RULES[operator]
            return Tree(rule, [Tree(name, [lowered(left)]), lowered(right)])


def _balanced(rule: str, terms: list[Any]) -> Any:
    """Join terms pairwise: && and || are associative, and a chain of hundreds would otherwise be a deep tree."""
    if len(terms) == 1:
        return terms[0]
    middle = (len(terms) + 1) // 2
    return Tree(rule, [_balanced(rule, terms[:middle]), _balanced(rule, terms[middle:])])
