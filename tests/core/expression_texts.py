"""Random expressions of a given kind, as text, over variables of known kinds."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

VARIABLES = {"i": "int", "j": "int", "d": "double", "e": "double", "s": "string", "b": "bool", "l": "list", "m": "map"}
KINDS = ("int", "double", "string", "bool", "duration", "timestamp", "list")
_ORDER = ("<", "<=", ">", ">=", "==", "!=")
_LITERALS: dict[str, st.SearchStrategy[str]] = {
    "int": st.sampled_from(("0", "1", "-2", "7", "9223372036854775807")),
    "double": st.sampled_from(("0.0", "-0.5", "1.0", "2.5", "1e300", "3.0")),
    "string": st.sampled_from(("''", "'a'", "'ab'", "'z\\n'", "'é'")),
    "bool": st.sampled_from(("true", "false")),
    "duration": st.sampled_from(("duration('90s')", "duration('-1h')", "duration('0s')")),
    "timestamp": st.sampled_from(("timestamp('2026-01-05T09:30:00Z')", "timestamp('1969-07-20T20:17:40Z')")),
    "list": st.sampled_from(("[]", "[1, 2, 3]", "[0]")),
}


@st.composite
def texts(draw: st.DrawFn, kind: str, depth: int = 4, local: tuple[str, ...] = ()) -> str:
    """Return an expression that gives a value of that kind, or an error; `local` are variables of macros, all ints."""
    return _text(draw, kind, depth, local)


def _text(draw: st.DrawFn, kind: str, depth: int, local: tuple[str, ...]) -> str:
    if depth <= 0 or draw(st.integers(0, 4)) == 0:
        names = [name for name, each in VARIABLES.items() if each == kind] + (list(local) if kind == "int" else [])
        return draw(st.one_of(st.sampled_from(names), _LITERALS[kind]) if names else _LITERALS[kind])

    def some(other: str, inner: tuple[str, ...] = local) -> str:
        return _text(draw, other, depth - 1, inner)

    return draw(st.sampled_from(_WAYS[kind]))(draw, some, local)


Some = Callable[..., str]


def _infix(*operators: str, kind: str) -> Callable[[st.DrawFn, Some, tuple[str, ...]], str]:
    return lambda draw, some, _: f"({some(kind)} {draw(st.sampled_from(operators))} {some(kind)})"


def _plain(form: str, *kinds: str) -> Callable[[st.DrawFn, Some, tuple[str, ...]], str]:
    return lambda _draw, some, _local: form.format(*map(some, kinds))


def _macro(form: str, kind: str) -> Callable[[st.DrawFn, Some, tuple[str, ...]], str]:
    def way(_draw: st.DrawFn, some: Some, local: tuple[str, ...]) -> str:
        name = f"v{len(local)}"
        return form.format(some("list"), name, some(kind, (*local, name)))

    return way


def _compared(draw: st.DrawFn, some: Some, _: tuple[str, ...]) -> str:
    kind = draw(st.sampled_from(("int", "double", "string", "bool", "duration", "timestamp")))
    return f"({some(kind)} {draw(st.sampled_from(_ORDER))} {some(kind)})"


_CHOICE = {kind: _plain("({} ? {} : {})", "bool", kind, kind) for kind in KINDS}
_WAYS: dict[str, list[Callable[[st.DrawFn, Some, tuple[str, ...]], str]]] = {
    "int": [
        _CHOICE["int"],
        _infix("+", "-", "*", "/", "%", kind="int"),
        _plain("(-{})", "int"),
        _plain("size({})", "string"),
        _plain("size({})", "list"),
        _plain("{}[{}]", "list", "int"),
        _plain("m[{}]", "string"),
        _plain("int({})", "double"),
        _plain("{}.getHours()", "timestamp"),
        _plain("{}.getSeconds()", "duration"),
    ],
    "double": [_CHOICE["double"], _infix("+", "-", "*", "/", kind="double"), _plain("double({})", "int")],
    "string": [
        _CHOICE["string"],
        _infix("+", kind="string"),
        _plain("string({})", "int"),
        _plain("string({})", "bool"),
    ],
    "bool": [
        _CHOICE["bool"],
        _infix("&&", "||", kind="bool"),
        _plain("(!{})", "bool"),
        _compared,
        _plain("({} in {})", "int", "list"),
        _plain("({} in m)", "string"),
        _plain("{}.contains({})", "string", "string"),
        _plain("{}.startsWith({})", "string", "string"),
        _plain("({} == {})", "list", "list"),
        _macro("{}.all({}, {})", "bool"),
        _macro("{}.exists({}, {})", "bool"),
        _macro("{}.exists_one({}, {})", "bool"),
    ],
    "duration": [_CHOICE["duration"], _infix("+", "-", kind="duration"), _plain("({} - {})", "timestamp", "timestamp")],
    "timestamp": [_CHOICE["timestamp"], _plain("({} + {})", "timestamp", "duration")],
    "list": [
        _CHOICE["list"],
        _infix("+", kind="list"),
        _plain("[{}, {}]", "int", "int"),
        _macro("{}.map({}, {})", "int"),
        _macro("{}.filter({}, {})", "bool"),
    ],
}
