"""Expressions: the CPU time of 200,000 evaluations next to Google's C++ CEL in the same run, memory and loading.

Run it with `make bench`. On a machine that does other work, trust the ratio.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cel_expr_python import cel

from governance.core.expression import Context, Names, Program, Reference, Shape, compile_expression

EVALUATIONS = 200_000
RULES = 10_000
DOUBLE, TIMESTAMP = Shape.leaf("double"), Shape.leaf("timestamp")
TRAINED = datetime(2026, 1, 1, tzinfo=UTC)
NOW = TRAINED + timedelta(days=40)
LIMITS = {"b": 0.5, "psi": 0.25, "days": 7.0}
VALUES = {"a": 0.4, "c": 0.0005, "drift": 0.31, "base": 0.2, **{f"m{number}": 0.1 for number in range(10)}}
SLICES = [{"value": 0.7 + number / 100, "labels": {"slice": f"s{number}"}} for number in range(5)]
MIX = {  # ours, and the same for the other engine, where metrics are a map and slices a list
    "limits": ("metrics.a <= parameters.b && metrics.c < 0.001",) * 2,
    "drift": (
        "metrics.drift > parameters.psi && (metrics.drift - metrics.base) / metrics.base > 0.1 * parameters.days / 7",
        "metrics.drift > parameters.psi && (metrics.drift - metrics.base) / metrics.base > 0.1 * parameters.days / 7.0",
    ),
    "slices": ("series(metrics.recall).all(s, s.value > 0.6)", "slices.all(s, s.value > 0.6)"),
    "time": ("now - card.trained > duration('720h')",) * 2,
    "ten": (
        " && ".join(f"metrics.m{number} < 0.{number + 2}" for number in range(8))
        + " && metrics.m8 < 1.0 && metrics.m9 < 1.5",
    )
    * 2,
}
NAMES = Names(
    {**dict.fromkeys(VALUES, ()), "recall": ("slice",)},
    {
        "parameters": Shape.record(dict.fromkeys(LIMITS, DOUBLE)),
        "card": Shape.record({"trained": TIMESTAMP}),
        "now": TIMESTAMP,
    },
)


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of a piece of work, the least of three."""
    times = []
    for _ in range(3):
        gc.collect()
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def ours() -> tuple[list[Program], Callable[[], object]]:
    programs = [compile_expression(text, NAMES, result="bool") for text, _ in MIX.values()]
    context = Context({"parameters": LIMITS, "card": {"trained": TRAINED}, "now": NOW})
    values: dict[Reference, object] = {Reference(name): value for name, value in VALUES.items()}
    values[Reference("recall", "series")] = SLICES
    return programs, lambda: [program.evaluate(values, context) for program in programs]


def theirs() -> tuple[list[object], Callable[[], object]]:
    doubles = cel.Type.Map(cel.Type.STRING, cel.Type.DOUBLE)
    environment = cel.NewEnv(
        variables={
            "metrics": doubles,
            "parameters": doubles,
            "slices": cel.Type.List(cel.Type.DYN),
            "card": cel.Type.Map(cel.Type.STRING, cel.Type.TIMESTAMP),
            "now": cel.Type.TIMESTAMP,
        }
    )
    expressions = [environment.compile(text) for _, text in MIX.values()]
    data = {"metrics": VALUES, "parameters": LIMITS, "slices": SLICES, "card": {"trained": TRAINED}, "now": NOW}
    activation = environment.Activation(data)
    return expressions, lambda: [each.eval(activation).value() for each in expressions]


def evaluations() -> None:
    programs, run = ours()
    expressions, run_theirs = theirs()
    assert run() == run_theirs() == [True] * len(MIX), (run(), run_theirs())
    rounds = EVALUATIONS // len(MIX)
    one = cpu(lambda: [run() for _ in range(rounds)])
    other = cpu(lambda: [run_theirs() for _ in range(rounds)])
    print(f"{EVALUATIONS:,} evaluations   ours {one:.2f} s   C++ {other:.2f} s   ratio {one / other:.2f}")
