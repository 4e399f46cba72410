"""What was compiled for one plan, so that the next compiles only what is new in it."""

from __future__ import annotations

from governance.core.expression import ExpressionError, Program, Template
from governance.core.vocabulary import Vocabularies


class Memory:
    """What was compiled, by its text and what it may name: a fleet repeats the same pack rules a thousand times."""

    def __init__(self) -> None:
        self.programs: dict[object, Program | ExpressionError] = {}
        self.templates: dict[object, Template | ExpressionError] = {}
        self.vocabularies = Vocabularies()
