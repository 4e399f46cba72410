"""All functions that expressions may call, by name."""

from __future__ import annotations

from collections.abc import Callable

from governance.core.expression.clock import CLOCK
from governance.core.expression.functions import FUNCTIONS, METERED_FUNCTIONS
from governance.core.expression.mathematics import MATHEMATICS
from governance.core.expression.optionals import OPTIONALS
from governance.core.expression.texts import TEXTS

PURE: dict[str, Callable[..., object]] = {**FUNCTIONS, **CLOCK, **MATHEMATICS, **OPTIONALS}
METERED: dict[str, Callable[..., object]] = {**METERED_FUNCTIONS, **TEXTS}
"""Functions that may read or build long texts; they take the meter of the evaluation first."""
PREFIXED = frozenset(name for name in (*PURE, *METERED) if "." in name)
"""Functions such as math.greatest(…), which are no methods of a variable called math."""
