"""From a syntax tree to Python: the fast way to evaluate, over the types that the values usually have.

Each piece of code comes with the kind that its value is known to be of, whatever the data: what is declared is tested
where it enters. With doubles on both sides `a < b` is Python's; where the kinds are not known, the code asks for them
and calls the operator to the letter. Code that raises decides nothing: the exact way does. Constants are arguments, so
that rules that differ only in a limit share their code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from governance.core.expression import library, syntax
from governance.core.expression.context import Context
from governance.core.expression.functions import TYPES, pattern
from governance.core.expression.operators import METERED, OPERATORS
from governance.core.expression.reference import Reference
from governance.core.expression.steps import NAMES, never
from governance.core.expression.syntax import Node
from governance.core.expression.values import IntLiteral, OperationError, kind

Function = Callable[[Mapping[Reference, object], Context], object]
_NUMBERS = frozenset({"double", "int"})
_COMPARED = frozenset({"<", "<=", ">", ">="})
_LOOPS = {
    "all": "every",
    "exists": "some",
    "exists_one": "one",
    "existsOne": "one",
    "filter": "chosen",
    "map": "mapped",
    "transformList": "mapped",
}
_RESULTS = {
    **dict.fromkeys(("contains", "endsWith", "hasValue", "matches", "startsWith"), "bool"),
    **dict.fromkeys(("math.isFinite", "math.isInf", "math.isNaN", "bool"), "bool"),
    **dict.fromkeys(("double", "seconds", "math.ceil", "math.floor", "math.round", "math.trunc"), "double"),
    **dict.fromkeys(("size", "indexOf", "lastIndexOf"), "int"),
}
"""Kinds of what functions return, if they return."""
_CALL = 3  # operations that a call costs
_TABLES = {
    **{f"o{number}": function for number, function in enumerate(OPERATORS.values())},
    **{f"m{number}": function for number, function in enumerate(METERED.values())},
    **{f"f{number}": function for number, function in enumerate(library.PURE.values())},
    **{f"g{number}": function for number, function in enumerate(library.METERED.values())},
}
_OPERATOR_NAMES = {symbol: f"o{number}" for number, symbol in enumerate(OPERATORS)}
_METERED_NAMES = {symbol: f"m{number}" for number, symbol in enumerate(METERED)}
_FUNCTION_NAMES = {name: f"f{number}" for number, name in enumerate(library.PURE)}
_PAYING_NAMES = {name: f"g{number}" for number, name in enumerate(library.METERED)}
_GLOBALS = {**NAMES, **_TABLES}


class Piece(NamedTuple):
    """An expression of Python, and the kind of its value; "any" when that is not known."""

    code: str
    kind: str = "any"


def generated(node: Node) -> Function:
    """Return a function that evaluates, or raises one of GIVES_UP where it does not know."""
    generator = _Generator()
    result = generator.piece(node)
    code = _compiled(generator.source(result))
    if code is None:
        return never
    return FunctionType(code, _GLOBALS, "evaluate", tuple(generator.constants))


@lru_cache(maxsize=4096)
def _compiled(source: str) -> CodeType | None:
    try:
        module = compile(source, "<expression>", "exec", dont_inherit=True, optimize=2)
    except (SyntaxError, RecursionError, MemoryError):  # hundreds of parentheses
        return None
    return next(each for each in module.co_consts if isinstance(each, CodeType))


class _Generator:
    def __init__(self) -> None:
        self.constants: list[object] = []
        self._variables: dict[str, str] = {}
        self._scope: dict[str, str] = {}
        self._temporaries = 0
        self._metered = self._remembering = False

    def source(self, result: Piece) -> str:
        """Return the text of the function."""
        constants = "".join(f", k{number}" for number in range(len(self.constants)))
        lines = [f"def evaluate(values, context{constants}):"]
        if self._metered:
            lines.append(" meter = Meter()")
        if self._remembering:
            lines.append(" memo = {}")
        for name, local in self._variables.items():
            lookup = f"variable(context, {name!r})" if name in TYPES else f"context.value({name!r})"
            lines.append(f" {local} = {lookup}")
        return "\n".join([*lines, f" return {result.code}"])

    def piece(self, node: Node) -> Piece:
        """Return the code of a node."""
        return _CASES[type(node)](self, node)

    def _constant(self, value: object) -> str:
        self.constants.append(value)
        return f"k{len(self.constants) - 1}"

    def _temporary(self) -> str:
        self._temporaries += 1
        return f"t{self._temporaries}"

    def _meter(self) -> str:
        self._metered = True
        return "meter"

    def literal(self, node: syntax.Literal) -> Piece:
        value = node.value
        if value is None or isinstance(value, bool):
            return Piece(repr(value), kind(value))
        found = "any" if isinstance(value, IntLiteral) else kind(value)
        return Piece(self._constant(value), found)

    def name(self, node: syntax.Name) -> Piece:
        if node.name in self._scope and not node.absolute:
            return Piece(self._scope[node.name])
        return Piece(self._variables.setdefault(node.name, f"c{len(self._variables)}"))

    def bound(self, node: syntax.Bound) -> Piece:
        reference = node.reference
        constant = self._constant(reference)
        expected = _expected(reference)
        if expected != "double":
            if not self._scope:
                return Piece(f"referenced(values, {constant})")
            self._remembering = True
            return Piece(f"remembered(memo, {constant!r}, values, {constant})")
        return self._double(f"values[{constant}]")

    def _double(self, code: str) -> Piece:
        name = self._temporary()
        return Piece(f"({name} if type({name} := {code}) is float else as_double({name}))", "double")

    def select(self, node: syntax.Select) -> Piece:
        operand = self.piece(node.operand)
        if node.optional:
            return Piece(f"optional_field({operand.code}, {node.field!r})")
        if operand.kind not in ("any", "map"):
            return Piece("unclear()")  # and Python warns of a field of None
        code = f"{operand.code}[{node.field!r}]"
        return self._double(code) if node.double else Piece(code)

    def has(self, node: syntax.Has) -> Piece:
        if isinstance(node.operand, syntax.Bound):
            return Piece(f"(values.get({self._constant(node.operand.reference)}, MISSING) is not MISSING)", "bool")
        names = []
        operand: Node = node.operand
        while isinstance(operand, syntax.Select) and not operand.optional:
            names.append(operand.field)
            operand = operand.operand
        if not isinstance(operand, syntax.Name) or not names:
            return Piece("unclear()", "bool")
        path = ", ".join(map(repr, reversed(names)))
        return Piece(f"has({self.piece(operand).code}, {path})", "bool")

    def index(self, node: syntax.Index) -> Piece:
        operand, key = self.piece(node.operand), self.piece(node.key)
        return Piece(f"{'optional_item' if node.optional else 'index'}({operand.code}, {key.code})")

    def call(self, node: syntax.Call) -> Piece:
        nodes = syntax.parts(node)
        arguments = [self.piece(each).code for each in nodes]
        result = _RESULTS.get(node.function, "any")
        last = nodes[-1] if nodes else None
        if node.function in ("or", "orValue") and node.target is not None and len(nodes) == 2:
            return self._alternative(node.function, *arguments)
        if node.function == "matches" and len(nodes) == 2 and isinstance(last, syntax.Literal):
            compiled = _pattern(last.value)
            if compiled is not None:
                return Piece(f"matches({self._meter()}, {self._constant(compiled)}, {arguments[0]})", "bool")
        if node.function in _PAYING_NAMES:
            arguments.insert(0, self._meter())
        name = _PAYING_NAMES.get(node.function) or _FUNCTION_NAMES.get(node.function) or "unclear"
        return Piece(f"{name}({', '.join(arguments)})", result)

    def _alternative(self, function: str, optional: str, other: str) -> Piece:
        """Return code that asks for the other value only where the first is not there."""
        name = self._temporary()
        if function == "or":
            return Piece(f"({name} if present({name} := {optional}) else an_optional({other}))")
        return Piece(f"({name}.value if present({name} := {optional}) else {other})")

    def unary(self, node: syntax.Unary) -> Piece:
        if node.operator == "!":
            return Piece(f"(not {self._truth(node.operand)})", "bool")
        operand = self.piece(node.operand)
        if operand.kind == "double":
            return Piece(f"(-{operand.code})", "double")
        return Piece(f"negative({operand.code})")

    def binary(self, node: syntax.Binary) -> Piece:
        left, right = self.piece(node.left), self.piece(node.right)
        kinds = {left.kind, right.kind}
        operator = node.operator
        if operator == "in":
            return Piece(f"{_METERED_NAMES['in']}({left.code}, {right.code}, {self._meter()})", "bool")
        if operator in ("==", "!="):
            return self._equality(operator, left, right)
        if operator in _COMPARED:
            if kinds <= _NUMBERS:
                return Piece(f"({left.code} {operator} {right.code})", "bool")
            return self._tried(operator, left, right, "bool")
        return self._arithmetic(operator, left, right)

    def _arithmetic(self, operator: str, left: Piece, right: Piece) -> Piece:
        code = f"({left.code} {operator} {right.code})"
        if left.kind == right.kind == "double" and operator != "%":
            return Piece(code, "double")
        if left.kind == right.kind == "int" and operator in "+-*":
            return Piece(f"whole{code}", "int")
        if operator == "%" or not {left.kind, right.kind} <= {"double", "any"}:
            return Piece(self._operator(operator, left.code, right.code))
        # Only a double goes with a double, so the result is one, or there is none.
        return self._tried(operator, left, right, "double" if "double" in (left.kind, right.kind) else "any")

    def _operator(self, operator: str, left: str, right: str) -> str:
        if operator == "+":
            return f"add({self._meter()}, {left}, {right})"
        return f"{_OPERATOR_NAMES[operator]}({left}, {right})"

    def _tried(self, operator: str, left: Piece, right: Piece, result: str) -> Piece:
        """Return code for two values of the usual kind that takes what else there is to the operator."""
        one, other, test = self._tested(left, right, "float", numbers=operator in _COMPARED)
        return Piece(f"({one} {operator} {other} if {test} else {self._operator(operator, one, other)})", result)

    def _equality(self, operator: str, left: Piece, right: Piece) -> Piece:
        if {left.kind, right.kind} <= _NUMBERS or left.kind == right.kind in ("string", "bool"):
            return Piece(f"({left.code} {operator} {right.code})", "bool")
        one, other, test = self._tested(left, right, "str", numbers=True)
        exact = f"{_METERED_NAMES[operator]}({one}, {other}, {self._meter()})"
        return Piece(f"({one} {operator} {other} if {test} else {exact})", "bool")

    def _tested(self, left: Piece, right: Piece, usual: str, *, numbers: bool) -> tuple[str, str, str]:
        """Return the names of both values, and a test that they are of a kind for which the operator is Python's."""
        one, other = self._temporary(), self._temporary()
        for piece, name, unknown in ((left, one, right), (right, other, left)):
            if piece.kind not in _CLASSES or unknown.kind != "any" or not piece.code.isidentifier():
                continue
            asked = other if name == one else one
            usual = f"is {_CLASSES[piece.kind]}" if piece.kind == "string" or not numbers else "in numbers"
            names = (piece.code, other) if name == one else (one, piece.code)
            return *names, f"type({asked} := {unknown.code}) {usual}"
        known = next((_CLASSES[each] for each in ("string", "double") if each in (left.kind, right.kind)), usual)
        return one, other, f"type({one} := {left.code}) is type({other} := {right.code}) is {known}"

    def _truth(self, node: Node) -> str:
        found = self.piece(node)
        if found.kind == "bool":
            return found.code
        name = self._temporary()
        return f"({name} if ({name} := {found.code}) is True or {name} is False else unclear())"

    def logic(self, node: syntax.Logic) -> Piece:
        word = " or " if node.operator == "||" else " and "
        return Piece(f"({word.join(map(self._truth, node.terms))})", "bool")

    def conditional(self, node: syntax.Conditional) -> Piece:
        test, yes, no = self._truth(node.test), self.piece(node.yes), self.piece(node.no)
        return Piece(f"({yes.code} if {test} else {no.code})", yes.kind if yes.kind == no.kind else "any")

    def list_of(self, node: syntax.ListOf) -> Piece:
        if node.optional:
            return Piece("unclear()")
        return Piece(f"[{', '.join(self.piece(each).code for each in node.items)}]", "list")

    def map_of(self, node: syntax.MapOf) -> Piece:
        if node.optional:
            return Piece("unclear()")
        entries = (f"({self.piece(key).code}, {self.piece(value).code})" for key, value in node.entries)
        return Piece(f"map_of({', '.join(entries)})", "map")

    def comprehension(self, node: syntax.Comprehension) -> Piece:
        operand = self.piece(node.operand).code
        outer = self._scope
        name = self._temporary()
        if node.second:
            self._scope = {**outer, node.variable: f"{name}[0]", node.second: f"{name}[1]"}
            operand = f"pairs({self._meter()}, {operand})"
        else:
            self._scope = {**outer, node.variable: name}
        result = self._loop(node, operand, name)
        self._scope = outer
        return result

    def _loop(self, node: syntax.Comprehension, operand: str, name: str) -> Piece:
        if node.macro == "bind":
            return Piece(f"(lambda {name}: {self.piece(node.body).code})({operand})")
        if node.macro == "optMap":
            return Piece(f"in_optional({operand}, lambda {name}: {self.piece(node.body).code})")
        loop = _LOOPS.get(node.macro)
        if loop is None:
            return Piece("unclear()")
        paid = f"{self._meter()}, {operand}, {_weight(node)}"
        if loop != "mapped":
            body = self._truth(node.body)
            return Piece(f"{loop}({paid}, lambda {name}: {body})", "list" if loop == "chosen" else "bool")
        test = "" if node.condition is None else f", lambda {name}: {self._truth(node.condition)}"
        return Piece(f"mapped({paid}, lambda {name}: {self.piece(node.body).code}{test})", "list")


def _weight(node: syntax.Comprehension) -> int:
    """Return how many operations a macro does with each item; those inside it pay for theirs."""
    return sum(map(_operations, syntax.parts(node)[1:]))


def _operations(node: Node) -> int:
    inner = syntax.parts(node)
    loops = isinstance(node, syntax.Comprehension) and node.macro in _LOOPS
    own = _CALL if isinstance(node, syntax.Call) else 1
    return own + sum(map(_operations, inner[:1] if loops else inner))


def _expected(reference: Reference) -> str:
    if reference.budget is not None and reference.budget.function == "time_to_exhaustion":
        return "duration"
    return {"value": "double", "samples": "double"}.get(reference.view, "any")


def _pattern(text: object) -> Any:
    try:
        return pattern(text) if isinstance(text, str) else None
    except OperationError:
        return None


_CLASSES = {"string": "str", "double": "float", "int": "int"}
_CASES: dict[type, Callable[[_Generator, Any], Piece]] = {
    syntax.Literal: _Generator.literal,
    syntax.Name: _Generator.name,
    syntax.Select: _Generator.select,
    syntax.Has: _Generator.has,
    syntax.Index: _Generator.index,
    syntax.Call: _Generator.call,
    syntax.Comprehension: _Generator.comprehension,
    syntax.Unary: _Generator.unary,
    syntax.Binary: _Generator.binary,
    syntax.Logic: _Generator.logic,
    syntax.Conditional: _Generator.conditional,
    syntax.ListOf: _Generator.list_of,
    syntax.MapOf: _Generator.map_of,
    syntax.Bound: _Generator.bound,
}
