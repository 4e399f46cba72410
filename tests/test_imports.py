"""Whatever is imported first, its imports succeed: no module of ours needs one that is under way at that time.

This is why most tests may start their processes from one that has imported everything (tests/warm.py).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "governance").rglob("*.py")
}


def test_no_module_needs_one_that_needs_it() -> None:
    needed = {name: set(_needed(name, path.read_text(encoding="utf-8"))) for name, path in MODULES.items()}
    assert needed["governance.engine.queries"], "imports are found"
    TopologicalSorter(needed).prepare()  # a cycle is an error that names its modules


def _needed(module: str, text: str) -> Iterator[str]:
    """Return the modules of ours that are imported while this one is, and the packages that hold them."""
    for statement in _at_once(ast.parse(text).body):
        if isinstance(statement, ast.Import):
            named = [each.name for each in statement.names]
        else:
            assert statement.level == 0, "we write imports out"
            named = [f"{statement.module}.{each.name}" for each in statement.names]
        for name in named:
            parts = name.split(".")
            for holder in (".".join(parts[:count]) for count in range(1, len(parts) + 1)):
                if holder in MODULES and not f"{module}.".startswith(f"{holder}."):
                    yield holder


def _at_once(body: Iterable[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Return the imports that run when a module is imported: not those of functions and of type checkers."""
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            yield from _at_once(statement.orelse)
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            for name in ("body", "orelse", "finalbody"):
                yield from _at_once(getattr(statement, name, []))
            for handler in getattr(statement, "handlers", []):
                yield from _at_once(handler.body)
