"""From the trees of the parser to our own; nothing else knows their shape.

Macros and functions with a prefix, such as math.greatest(…), are told apart from methods here.
"""

from __future__ import annotations

from typing import Any, NoReturn

from lark import Token, Tree

from governance.core.expression import syntax
from governance.core.expression.library import PREFIXED
from governance.core.expression.literals import literal_value
from governance.core.expression.problem import ExpressionError, problem_at
from governance.core.expression.syntax import Node, Span

DEEPEST = 50  # levels; evaluation to the letter needs up to five of Python's 1,000 frames for each
_ONE_VARIABLE = {"all": (2,), "exists": (2,), "exists_one": (2,), "existsOne": (2,), "filter": (2,), "map": (2, 3)}
_TWO_VARIABLES = {
    **dict.fromkeys(("all", "exists", "existsOne", "exists_one"), (3,)),
    **dict.fromkeys(("transformList", "transformMap", "transformMapEntry"), (3, 4)),
}
_ONCE = ("optMap", "optFlatMap")
_RESERVED = frozenset(
    (
        *(
            "as",
            "break",
            "const",
            "continue",
            "else",
            "for",
            "function",
            "if",
            "import",
            "in",
            "let",
            "loop",
            "namespace",
        ),
        *("package", "return", "var", "void", "while"),
    )
)


def converted(text: str, tree: Any) -> Node:
    """Return our tree for the parser's.

    :raises ExpressionError: it is nested too deeply, or holds a literal that stands for no value
    """
    return _Converter(text).node(tree, 0)


class _Converter:
    """Turns one of lark's trees into ours; chains of single children, which the grammar is full of, vanish."""

    def __init__(self, text: str) -> None:
        self._text = text

    def node(self, tree: Any, depth: int) -> Node:
        while len(tree.children) == 1 and isinstance(tree.children[0], Tree) and tree.data not in _KEPT:
            tree = tree.children[0]
        if depth > DEEPEST:
            self._fail(_span(tree), f"the expression is nested too deeply, at most {DEEPEST} levels are allowed")
        converted: Node = getattr(self, f"_{tree.data}")(tree, depth + 1)
        return converted

    def _fail(self, span: Span, message: str) -> NoReturn:
        raise ExpressionError([problem_at(self._text, span, "syntax", message)])

    def _all(self, trees: list[Any], depth: int) -> tuple[Node, ...]:
        return tuple(self.node(each, depth) for each in trees)

    def _literal(self, tree: Any, _depth: int) -> Node:
        token = tree.children[0]
        try:
            return syntax.Literal(literal_value(token.type, str(token)), _span(token))
        except ValueError as error:
            self._fail(_span(token), str(error))

    def _ident(self, tree: Any, _depth: int) -> Node:
        name = str(tree.children[0])
        if name in _RESERVED:
            self._fail(_span(tree), f"'{name}' is a reserved word of CEL, no variable can be called so")
        return syntax.Name(name, _span(tree))

    def _dot_ident(self, tree: Any, _depth: int) -> Node:
        return syntax.Name(str(tree.children[0]), _span(tree), absolute=True)

    def _paren_expr(self, tree: Any, depth: int) -> Node:
        return self.node(tree.children[0], depth)

    def _list_lit(self, tree: Any, depth: int) -> Node:
        items = _items(tree.children)
        optional = frozenset(number for number, each in enumerate(items) if each.data == "optional_item")
        return syntax.ListOf(self._all(items, depth), _span(tree), optional)

    def _map_lit(self, tree: Any, depth: int) -> Node:
        entries = _items(tree.children)
        optional = frozenset(number for number, each in enumerate(entries) if each.data == "optional_entry")
        both = [self._all(each.children, depth) for each in entries]
        return syntax.MapOf(tuple((key, value) for key, value in both), _span(tree), optional)

    def _expr(self, tree: Any, depth: int) -> Node:
        test, yes, no = self._all(tree.children, depth)
        return syntax.Conditional(test, yes, no, _span(tree))

    def _conditionalor(self, tree: Any, depth: int) -> Node:
        return syntax.Logic("||", self._all(_spine(tree), depth), _span(tree))

    def _conditionaland(self, tree: Any, depth: int) -> Node:
        return syntax.Logic("&&", self._all(_spine(tree), depth), _span(tree))

    def _relation(self, tree: Any, depth: int) -> Node:
        left, operator, right = tree.children
        return syntax.Binary(str(operator), self.node(left, depth), self.node(right, depth), _span(tree))

    _addition = _multiplication = _relation

    def _negation(self, tree: Any, depth: int) -> Node:
        return syntax.Unary("!", self.node(tree.children[0], depth), _span(tree))

    def _sign(self, tree: Any, depth: int) -> Node:
        operand = self.node(tree.children[0], depth)
        value = operand.value if isinstance(operand, syntax.Literal) else None
        if type(value) is float or (type(value) is int and value > -(2**63)):
            return syntax.Literal(-value, _span(tree))
        return syntax.Unary("-", operand, _span(tree))

    def _member_dot(self, tree: Any, depth: int) -> Node:
        operand, token = tree.children
        optional = tree.data == "member_dot_opt"
        return syntax.Select(
            self.node(operand, depth), str(token).strip("`"), _span(tree), _span(token), optional=optional
        )

    _member_dot_opt = _member_dot

    def _member_index(self, tree: Any, depth: int) -> Node:
        operand, key = self._all(tree.children, depth)
        return syntax.Index(operand, key, _span(tree), optional=tree.data == "member_index_opt")

    _member_index_opt = _member_index

    def _member_object(self, tree: Any, _depth: int) -> Node:
        self._fail(_span(tree), "messages are not supported; write a map, such as {'key': value}")

    def _member_dot_arg(self, tree: Any, depth: int) -> Node:
        target, token = self.node(tree.children[0], depth), tree.children[1]
        arguments = self._all(_items(tree.children[2:]), depth)
        name = str(token)
        if isinstance(target, syntax.Name) and f"{target.name}.{name}" in PREFIXED:
            whole = (target.span[0], _span(token)[1])
            return syntax.Call(f"{target.name}.{name}", None, arguments, _span(tree), whole)
        if isinstance(target, syntax.Name) and (target.name, name) == ("cel", "bind") and _names(arguments, 1, 3):
            return syntax.Comprehension("bind", arguments[1], arguments[0].name, None, arguments[2], _span(tree))  # type: ignore[union-attr]
        return _macro(name, target, arguments, _span(tree)) or syntax.Call(
            name, target, arguments, _span(tree), _span(token)
        )

    def _ident_arg(self, tree: Any, depth: int) -> Node:
        token = tree.children[0]
        arguments = self._all(_items(tree.children[1:]), depth)
        if str(token) == "has" and len(arguments) == 1 and isinstance(arguments[0], syntax.Select):
            return syntax.Has(arguments[0], _span(tree))
        return syntax.Call(str(token), None, arguments, _span(tree), _span(token))

    _dot_ident_arg = _ident_arg


# These mean something with one child.
_KEPT = frozenset({"paren_expr", "list_lit", "map_lit", "member_object", "negation", "sign"})


def _macro(name: str, target: Node, arguments: tuple[Node, ...], span: Span) -> Node | None:
    """Return the macro that a method is, if it is one."""
    count = len(arguments)
    if count in _TWO_VARIABLES.get(name, ()) and _names(arguments, 2, count):
        condition = arguments[2] if count == 4 else None
        first, second = arguments[0].name, arguments[1].name  # type: ignore[union-attr]
        return syntax.Comprehension(name, target, first, condition, arguments[-1], span, second)
    known = (2,) if name in _ONCE else _ONE_VARIABLE.get(name, ())
    if count in known and _names(arguments, 1, count):
        condition = arguments[1] if count == 3 else None
        return syntax.Comprehension(name, target, arguments[0].name, condition, arguments[-1], span)  # type: ignore[union-attr]
    return None


def _names(arguments: tuple[Node, ...], count: int, of: int) -> bool:
    """Tell whether there are so many arguments, of which the first ones are names."""
    return len(arguments) == of and all(isinstance(each, syntax.Name) for each in arguments[:count])


def _span(tree: Any) -> Span:
    where = tree if isinstance(tree, Token) else tree.meta
    return (where.start_pos, where.end_pos)


def _items(trees: list[Any]) -> list[Any]:
    """Return the expressions inside an optional exprlist or mapinits."""
    return list(trees[0].children) if trees else []


def _spine(tree: Any) -> list[Any]:
    """Return the operands of a left-associative chain; a loop, as the chain may be long."""
    operands: list[Any] = []
    label = tree.data
    while tree.data == label and len(tree.children) == 2:
        tree, right = tree.children
        operands.append(right)
    return [tree, *reversed(operands)]
