"""From text to our syntax tree, by the grammar of cel-python; nothing else knows the shape of its trees."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from threading import Lock
from typing import Any, NoReturn

from celpy.celparser import CELParser
from lark import Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from governance.core.expression import syntax
from governance.core.expression.literals import literal_value
from governance.core.expression.problem import ExpressionError, problem_at
from governance.core.expression.syntax import Node, Span

LONGEST = 4_000  # characters
DEEPEST = 50  # levels; the interpreter needs up to nine of Python's 1,000 frames for each
_COMPREHENSIONS = {"all": (2,), "exists": (2,), "exists_one": (2,), "filter": (2,), "map": (2, 3)}
_OPERATORS = {
    "relation_lt": "<",
    "relation_le": "<=",
    "relation_gt": ">",
    "relation_ge": ">=",
    "relation_eq": "==",
    "relation_ne": "!=",
    "relation_in": "in",
    "addition_add": "+",
    "addition_sub": "-",
    "multiplication_mul": "*",
    "multiplication_div": "/",
    "multiplication_mod": "%",
}
_FOREIGN = {"and": "&&", "or": "||", "=": "==", "&": "&&", "|": "||", "is": "=="}
# The grammar's own patterns for strings go back and forth over one that is not closed, in exponential time; this one is
# linear, and finds such a string first. Comments are stepped over, as they may hold apostrophes.
_QUOTED = re.compile(
    r"""//[^\n]*|'{3}(?:\\.|[^\\])*?'{3}|"{3}(?:\\.|[^\\])*?"{3}"""
    r"""|'(?!'')(?:\\[^\n]|[^'\\\n])*'|"(?!"")(?:\\[^\n]|[^"\\\n])*"|(?P<open>['"])""",
    re.DOTALL,
)
_BARE_DURATION = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+\b")
_lock = Lock()


@lru_cache(maxsize=2048)  # one text is compiled for many sets of names; the tree is never changed
def parse(text: str) -> Node:
    """Return the syntax tree of an expression.

    :raises ExpressionError: a syntax error, or the text is too long or too deeply nested
    """
    if len(text) > LONGEST:
        message = f"the expression has {len(text):,} characters, at most {LONGEST:,} are allowed"
        raise ExpressionError([problem_at(text, (0, 1), "syntax", message)])
    for found in _QUOTED.finditer(text):
        if found["open"]:
            span = (found.start(), len(text))
            raise ExpressionError([problem_at(text, span, "syntax", "this string is not closed")])
    try:
        with _lock:  # the parser is shared, and its callbacks are not documented as safe for threads
            tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise ExpressionError([_syntax_problem(text, error)]) from None
    return _Converter(text).node(tree, 0)


class _Parser(CELParser):  # type: ignore[misc] # celpy has no usable types
    @staticmethod
    def ambiguous_literals(t: Any) -> Any:
        """As in the base class, which forgets where the token stands."""
        return Token.new_borrow_pos("BOOL_LIT", t.value, t) if t.value in ("true", "false") else t


@cache
def _parser() -> Any:
    CELParser.CEL_PARSER = None  # it is built once for all classes, and must be built by ours
    _Parser()
    return CELParser.CEL_PARSER  # the grammar itself: its errors carry the token, CELParser's only a drawing


def _syntax_problem(text: str, error: UnexpectedInput) -> Any:
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        token = error.token
        span = (token.start_pos, token.end_pos)
        return _unexpected(text, span, str(token))
    if isinstance(error, UnexpectedCharacters):
        start = error.pos_in_stream
        return _unexpected(text, (start, start + 1), text[start])
    end = len(text.rstrip())
    message = "the expression ends too early" if end else "the expression is empty"
    return problem_at(text, (max(0, end - 1), end), "syntax", message)


def _unexpected(text: str, span: Span, found: str) -> Any:
    instead = "!" if text[: span[0]].rstrip().endswith("not") else _FOREIGN.get(found)
    hint = f"write {instead}" if instead else _duration_hint(text, _number_before(text, span[0]))
    shown = found if found.isprintable() else repr(found)[1:-1]
    return problem_at(text, span, "syntax", f"unexpected '{shown}'", hint)


def _duration_hint(text: str, start: int) -> str:
    """Return how to write the bare duration that begins at an offset, "" when none does."""
    duration = _BARE_DURATION.match(text, start)
    if duration is None:
        return ""
    before = text[:start].rstrip()
    if before.endswith("["):  # as in PromQL
        return f"write the window last, as in avg_over_time(metrics.<name>, '{duration[0]}')"
    return f"write '{duration[0]}'" if before.endswith(",") else f"write duration('{duration[0]}')"


def _number_before(text: str, end: int) -> int:
    """Return where the digits begin that end at an offset."""
    return len(text[:end].rstrip("0123456789"))


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
        return syntax.Name(str(tree.children[0]), _span(tree))

    _dot_ident = _ident

    def _paren_expr(self, tree: Any, depth: int) -> Node:
        return self.node(tree.children[0], depth)

    def _list_lit(self, tree: Any, depth: int) -> Node:
        return syntax.ListOf(self._all(_items(tree.children), depth), _span(tree))

    def _map_lit(self, tree: Any, depth: int) -> Node:
        both = self._all(_items(tree.children), depth)
        return syntax.MapOf(tuple(zip(both[::2], both[1::2], strict=True)), _span(tree))

    def _expr(self, tree: Any, depth: int) -> Node:
        test, yes, no = self._all(tree.children, depth)
        return syntax.Conditional(test, yes, no, _span(tree))

    def _conditionalor(self, tree: Any, depth: int) -> Node:
        return syntax.Logic("||", self._all(_spine(tree), depth), _span(tree))

    def _conditionaland(self, tree: Any, depth: int) -> Node:
        return syntax.Logic("&&", self._all(_spine(tree), depth), _span(tree))

    def _relation(self, tree: Any, depth: int) -> Node:
        operation, right = tree.children
        left = self.node(operation.children[0], depth)
        return syntax.Binary(_OPERATORS[operation.data], left, self.node(right, depth), _span(tree))

    _addition = _multiplication = _relation

    def _unary(self, tree: Any, depth: int) -> Node:
        operation, tree_below = tree.children
        operand = self.node(tree_below, depth)
        operator = "!" if operation.data == "unary_not" else "-"
        value = operand.value if isinstance(operand, syntax.Literal) else None
        if operator == "-" and (type(value) is float or (type(value) is int and value > -(2**63))):
            return syntax.Literal(-value, _span(tree))
        return syntax.Unary(operator, operand, _span(tree))

    def _member_dot(self, tree: Any, depth: int) -> Node:
        operand, token = tree.children
        return syntax.Select(self.node(operand, depth), str(token), _span(tree), _span(token))

    def _member_index(self, tree: Any, depth: int) -> Node:
        operand, key = self._all(tree.children, depth)
        return syntax.Index(operand, key, _span(tree))

    def _member_object(self, tree: Any, _depth: int) -> Node:
        self._fail(_span(tree), "messages are not supported; write a map, such as {'key': value}")

    def _member_dot_arg(self, tree: Any, depth: int) -> Node:
        target, token = self.node(tree.children[0], depth), tree.children[1]
        arguments = self._all(_items(tree.children[2:]), depth)
        name = str(token)
        if len(arguments) in _COMPREHENSIONS.get(name, ()) and isinstance(arguments[0], syntax.Name):
            condition = arguments[1] if len(arguments) == 3 else None
            return syntax.Comprehension(name, target, arguments[0].name, condition, arguments[-1], _span(tree))
        return syntax.Call(name, target, arguments, _span(tree), _span(token))

    def _ident_arg(self, tree: Any, depth: int) -> Node:
        token = tree.children[0]
        arguments = self._all(_items(tree.children[1:]), depth)
        if str(token) == "has" and len(arguments) == 1 and isinstance(arguments[0], syntax.Select):
            return syntax.Has(arguments[0], _span(tree))
        return syntax.Call(str(token), None, arguments, _span(tree), _span(token))

    _dot_ident_arg = _ident_arg


_KEPT = frozenset({"paren_expr", "list_lit", "map_lit", "member_object"})  # these mean something with one child


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
