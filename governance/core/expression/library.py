"""All functions that expressions may call, by name."""

from __future__ import annotations

from collections.abc import Callable

from governance.core.expression.clock import CLOCK
from governance.core.expression.functions import FUNCTIONS, METERED_FUNCTIONS
from governance.core.expression.mathematics import MATHEMATICS
from governance.core.expression.meter import Meter
from governance.core.expression.optionals import OPTIONALS
from governance.core.expression.texts import TEXTS

_ALL: dict[str, Callable[..., object]] = {**FUNCTIONS, **CLOCK, **MATHEMATICS, **OPTIONALS}
_LONG = ("base64.decode", "base64.encode", "bytes", "string")
_OF_LISTS = ("math.greatest", "math.least")


def _paying(function: Callable[..., object]) -> Callable[..., object]:
    def apply(meter: Meter, *values: object) -> object:
        return meter.built(function(*values))

    return apply


def _visiting(function: Callable[..., object]) -> Callable[..., object]:
    def apply(meter: Meter, *values: object) -> object:
        if len(values) == 1 and isinstance(values[0], list):
            meter.visit(len(values[0]))
        return function(*values)

    return apply


PURE = {name: function for name, function in _ALL.items() if name not in (*_LONG, *_OF_LISTS)}
METERED: dict[str, Callable[..., object]] = {
    **METERED_FUNCTIONS,
    **TEXTS,
    **{name: _paying(_ALL[name]) for name in _LONG},
    **{name: _visiting(_ALL[name]) for name in _OF_LISTS},
}
"""Functions that may read or build long texts, or go over lists; they take the meter of the evaluation first."""
PREFIXED = frozenset(name for name in (*PURE, *METERED) if "." in name)
"""Functions such as math.greatest(…), which are no methods of a variable called math."""
