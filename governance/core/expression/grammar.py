"""The grammar of CEL: that of cel-python, with what the language has gained since; celpy itself is not imported.

Added are optional fields, items and entries (a.?b, a[?b], [?a], {?a: b}), names in backquotes after a dot, a comma
after the last item, and patterns for strings that are matched in linear time; a raw string ends at the first quote.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lark import Lark, Token


def _string(quote: str) -> str:
    one = rf"{quote}(?!{quote}{quote})"  # three begin a long string
    return rf"[rR]{one}[^{quote}\n]*{quote}|{one}(?:\\[^\n]|[^{quote}\\\n])*{quote}"


def _long_string(quote: str) -> str:
    three = quote * 3
    return rf"[rR]{three}[\s\S]*?{three}|{three}(?:\\[\s\S]|[^\\])*?{three}"


STRING = f"{_string(chr(34))}|{_string(chr(39))}"
LONG_STRING = f"{_long_string(chr(34))}|{_long_string(chr(39))}"
_CHANGES = {
    "member         : member_dot |": "member : member_dot | member_dot_opt | member_index_opt |",
    'member_dot     : member "." IDENT\n': r"""
member_dot : member "." (IDENT | QUOTED)
member_dot_opt : member "." "?" (IDENT | QUOTED)
member_index_opt : member "[" "?" expr "]"
QUOTED : /`[a-zA-Z0-9_.\-\/ ]+`/
""",
    'list_lit       : "[" [exprlist] "]"\n': """
list_lit : "[" [listinits] "]"
listinits : (expr | optional_item) ("," (expr | optional_item))* [","]
optional_item : "?" expr
""",
    'map_lit        : "{" [mapinits] "}"\n': 'map_lit : "{" [mapinits] "}"\n',
    'mapinits       : expr ":" expr ("," expr ":" expr)*\n': """
mapinits : (entry | optional_entry) ("," (entry | optional_entry))* [","]
entry : expr ":" expr
optional_entry : "?" expr ":" expr
""",
}
# Operators as tokens make a third of the states that rules for each would, and the parser is built as much faster.
_OPERATORS = """
relation : addition | relation RELATION addition
RELATION : "<=" | ">=" | "==" | "!=" | "<" | ">" | /in\\b/
addition : multiplication | addition SUM multiplication
SUM : "+" | "-"
multiplication : unary | multiplication PRODUCT unary
PRODUCT : "*" | "/" | "%"
unary : member | "!" unary -> negation | "-" unary -> sign

"""
_CHAIN = "expr|conditionalor|conditionaland|relation|addition|multiplication|unary|member|primary"
_TERMINALS = {"STRING_LIT": STRING, "MLSTRING_LIT": LONG_STRING, "BYTES_LIT": f"[bB](?:{LONG_STRING}|{STRING})"}


@cache
def parser() -> Any:
    """Return the parser, which takes a tenth of a second to build."""
    return Lark(
        _grammar(),
        parser="lalr",
        start="expr",
        g_regex_flags=re.MULTILINE,
        lexer_callbacks={"IDENT": _truth},
        propagate_positions=True,
        maybe_placeholders=False,
    )


def _grammar() -> str:
    found = find_spec("celpy")
    if found is None or found.origin is None:
        raise ImportError("cel-python is not installed")
    text = (Path(found.origin).parent / "cel.lark").read_text(encoding="utf-8")
    for before, after in _CHANGES.items():
        text = _replaced(text, before, after)
    start, end = text.index("relation       :"), text.index("member :")
    text = text[:start] + _OPERATORS + text[end:]
    for name, pattern in _TERMINALS.items():
        text = re.sub(rf"^{name} +:[^\n]*(?:\n +\|[^\n]*)*", "", text, flags=re.MULTILINE)
        text += f"\n{name} : /{pattern}/\n"
    return re.sub(rf"^({_CHAIN}) *:", r"?\1 :", text, flags=re.MULTILINE)  # no tree for a rule with one child


def _replaced(text: str, before: str, after: str) -> str:
    if text.count(before) != 1:
        raise ImportError(f"the grammar of cel-python has changed, it has no {before!r}")
    return text.replace(before, after)


def _truth(token: Token) -> Token:
    """Return true and false as literals; they have the form of names."""
    return Token.new_borrow_pos("BOOL_LIT", token.value, token) if token.value in ("true", "false") else token
