"""What an expression may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from governance.core.expression.shape import Shape


@dataclass(frozen=True, slots=True)
class Names:
    """Metrics with the names of their labels, and variables with their shapes.

    `bounds` are the least and the greatest value of a metric, where something is known of them.

    `absent` are metrics that there could be, each with the reason why there is none.

    `slos` are the card's SLOs, named as slos.<name>; `slo_items` the for_each variables whose items are SLOs.

    `given` are conditions known to hold wherever the expression is evaluated, such as the applies_to of its pack: what
    they test with has() needs no guard here.
    """

    metrics: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    variables: Mapping[str, Shape] = field(default_factory=dict)
    slos: frozenset[str] = frozenset()
    slo_items: frozenset[str] = frozenset()
    given: tuple[str, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
