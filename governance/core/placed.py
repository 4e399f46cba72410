"""Problems that point at one value of a document."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from governance.core.authored import Authored, Path, problem_at
from governance.core.problem import Problem
from governance.core.suggestion import closest


def placed(owner: Authored[Any], path: Path, code: str, message: str, suggestion: str = "") -> Problem:
    """Return a problem at the value of a path."""
    return problem_at(owner.source, owner.source.at(path), code, message, suggestion)


def unknown(owner: Authored[Any], path: Path, kind: str, name: str, known: Collection[str]) -> Problem:
    """Return the problem that nothing of a kind has this name, with what was meant, or what there is."""
    listed = f"; known: {', '.join(sorted(known))}" if known and len(known) <= 6 else ""
    if not known:
        listed = "; no org.yaml among the checked files declares any"
    suggestion = closest(name, known)
    return placed(owner, path, f"unknown-{kind}", f"no {kind} '{name}'{'' if suggestion else listed}", suggestion)
