"""The page of documentation that sets our checker beside Google's: `python tests/core/checker_page.py` writes it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
from core.checker_environment import NAMES, Peer

from governance.core.expression import ExpressionError, compile_expression

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "checker.md"
HEAD = """# What the checker finds

Made by `make docs` from `tests/core/checker_cases.yaml`. Each rule below is checked by ours and by Google's CEL for C++
([cel-expr-python](https://pypi.org/project/cel-expr-python/)), to which the same names are declared: the card, evidence
and items as messages, each metric a double, and functions over metrics as functions of doubles.

"""


@dataclass(frozen=True)
class Case:
    """A rule with what is expected of both checkers."""

    when: str
    ours: str = ""
    peer: str = ""
    why: str = ""

    @property
    def peer_refuses(self) -> bool:
        return self.peer == "wrong" if self.peer else bool(self.ours)


def cases() -> list[Case]:
    found = yaml.safe_load((HERE / "checker_cases.yaml").read_text(encoding="utf-8"))
    return [Case(**each) for each in found]


def ours(text: str) -> tuple[str, str]:
    """Return the code of the first problem that our checker finds, and its words."""
    try:
        compile_expression(text, NAMES, result="bool")
    except ExpressionError as error:
        first = error.problems[0]
        return first.code, first.message + (f" – {first.suggestion}" if first.suggestion else "")
    return "", ""


def page() -> str:
    """Return the page."""
    peer = Peer()
    rows = ["| rule | ours | Google's | why they differ |", "| --- | --- | --- | --- |"]
    for each in cases():
        code, words = ours(each.when)
        found = f"`{code}`: {words}" if code else "right"
        cells = (f"`{each.when}`", found, peer.problem(each.when) or "right", each.why)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name}\n")
