"""Expressions: 200,000 evaluations next to Google's C++ CEL in the same run; memory, loading, the budget.

Run it with `make bench`. On a machine that does other work, trust the ratio.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cel_expr_python import cel

from governance.core.expression import (
    ANY,
    Context,
    EvaluationFailed,
    Names,
    Program,
    Reference,
    Shape,
    compile_expression,
)
from governance.core.expression.parsing import parse
from governance.core.expression.program import compile_unchecked

EVALUATIONS = 200_000
RULES = 10_000
DOUBLE, TIMESTAMP = Shape.leaf("double"), Shape.leaf("timestamp")
TRAINED = datetime(2026, 1, 1, tzinfo=UTC)
NOW = TRAINED + timedelta(days=40)
LIMITS = {"b": 0.5, "psi": 0.25, "days": 7.0}
VALUES = {"a": 0.4, "c": 0.0005, "drift": 0.31, "base": 0.2, **{f"m{number}": 0.1 for number in range(10)}}
SLICES = [{"value": 0.7 + number / 100, "labels": {"slice": f"s{number}"}} for number in range(5)]
TEN = " && ".join(f"metrics.m{number} < {number + 2}.5" for number in range(10))
DRIFT = "metrics.drift > parameters.psi && (metrics.drift - metrics.base) / metrics.base > 0.1 * parameters.days / 7.0"
MIX = {  # ours, and the same for the other engine, where a series is a list
    "limits": ("metrics.a <= parameters.b && metrics.c < 0.001",) * 2,
    "drift": (DRIFT, DRIFT),
    "slices": ("series(metrics.recall).all(s, s.value > 0.6)", "slices.all(s, s.value > 0.6)"),
    "time": ("now - card.trained > duration('720h')",) * 2,
    "ten": (TEN, TEN),
}
HOSTILE = {
    "1,000,000 items": "items.all(a, items.all(b, a + b >= 0))",
    "200³ items": "few.all(a, few.all(b, few.all(c, true)))",
    "all items failing": "items.all(a, items.all(b, 1 / 0 > a + b))",
    "all items missing": "items.all(a, items.all(b, metrics.gone > double(a + b)))",
    "the last one missing": "items.all(a, items.all(b, a * 1000 + b < 15000 || metrics.gone > 1.0))",
    "nested, failing": "few.all(a, few.all(b, few.all(c, a / 0 > b + c)))",
    "optional chains": "items.all(a, records.all(b, b.?x.?y.?z.?none.orValue(1 / 0) > 1))",
    "two variables": "records.all(i, v, records.exists(j, w, v.x.y.none > w.x.y.none + i + j))",
    "a body of 150 terms": "items.all(a, items.all(b, " + " || ".join(["a / 0 > b + 1"] * 150) + "))",
    "a long series": "items.all(a, series(metrics.recall).all(s, s.value > metrics.gone))",
    "a pattern for each item": "items.all(a, items.all(b, !'a'.matches('x' + string(a * 1000 + b))))",
    "durations that are none": "items.all(a, items.all(b, duration('x' + string(b)) > duration('5m')))",
    "texts that double": "cel.bind(a, 'x', " + "cel.bind(a, a + a, " * 40 + "a == ''" + ")" * 41,
}
NAMES = Names(
    {**dict.fromkeys(VALUES, ()), "recall": ("slice",)},
    {
        "parameters": Shape.record(dict.fromkeys(LIMITS, DOUBLE)),
        "card": Shape.record({"trained": TIMESTAMP}),
        "now": TIMESTAMP,
    },
)
HOSTILE_NAMES = Names({"gone": (), "recall": ("slice",)}, dict.fromkeys(("items", "few", "records"), ANY))


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of a piece of work, the least of three."""
    times = []
    for _ in range(3):
        gc.collect()
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def ours() -> Callable[[], object]:
    """Return what evaluates each of the mix once."""
    programs = [compile_expression(text, NAMES, result="bool") for text, _ in MIX.values()]
    context = Context({"parameters": LIMITS, "card": {"trained": TRAINED}, "now": NOW})
    values: dict[Reference, object] = {Reference(name): value for name, value in VALUES.items()}
    values[Reference("recall", "series")] = SLICES
    return lambda: [program.evaluate(values, context) for program in programs]


def theirs() -> Callable[[], object]:
    """Return what evaluates each of the mix once by the other engine; its data are bound beforehand."""
    doubles = cel.Type.Map(cel.Type.STRING, cel.Type.DOUBLE)
    variables = {
        "metrics": doubles,
        "parameters": doubles,
        "slices": cel.Type.List(cel.Type.DYN),
        "card": cel.Type.Map(cel.Type.STRING, cel.Type.TIMESTAMP),
        "now": cel.Type.TIMESTAMP,
    }
    environment = cel.NewEnv(variables=variables)
    expressions = [environment.compile(text) for _, text in MIX.values()]
    data = {"metrics": VALUES, "parameters": LIMITS, "slices": SLICES, "card": {"trained": TRAINED}, "now": NOW}
    activation = environment.Activation(data)
    return lambda: [each.eval(activation).value() for each in expressions]


def evaluations() -> None:
    """Print the CPU time of both engines."""
    run, other = ours(), theirs()
    assert run() == other() == [True] * len(MIX)
    rounds = EVALUATIONS // len(MIX)
    mine, c_plus_plus = cpu(lambda: [run() for _ in range(rounds)]), cpu(lambda: [other() for _ in range(rounds)])
    ratio = f"{mine / c_plus_plus:.2f} times as long"
    print(f"{EVALUATIONS:,} evaluations     {mine:.2f} s of CPU, Google's C++ {c_plus_plus:.2f} s: {ratio}")


def memory() -> None:
    """Print what a compiled rule takes, all of them different, each evaluated once."""
    compile_expression("true", NAMES)
    context = Context({"parameters": LIMITS, "card": {"trained": TRAINED}, "now": NOW})
    values: dict[Reference, object] = {Reference(name): value for name, value in VALUES.items()}
    values[Reference("recall", "series")] = SLICES
    gc.collect()
    tracemalloc.start()
    kept = []
    for number in range(RULES):
        name, (text, _) = list(MIX.items())[number % len(MIX)]
        instead = f"'{800 + number}h'" if name == "time" else str(1000 + number / 100)
        before = {"limits": "0.001", "drift": "0.1", "slices": "0.6", "time": "'720h'", "ten": "2.5"}[name]
        program = compile_expression(text.replace(before, instead), NAMES, result="bool")
        program.evaluate(values, context)
        kept.append(program)
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"{RULES:,} compiled rules      {size / RULES / 1024:.1f} KiB each")


def loading() -> None:
    """Print what it takes to parse, check and compile."""
    texts = [text for text, _ in MIX.values()]

    def parsed() -> None:
        parse.cache_clear()
        for text in texts:
            parse(text)

    each = cpu(lambda: [parsed() for _ in range(40)]) / 40 / len(texts)
    checked = cpu(lambda: [compile_expression(text, NAMES) for _ in range(40) for text in texts]) / 40 / len(texts)
    print(f"loading an expression     parsed {each * 1e6:.0f} µs, checked {checked * 1e6:.0f} µs when parsed before")


def hostile() -> None:
    """Print when the budget stops an evaluation."""
    records = [{"x": {"y": {"z": {"n": number}}}} for number in range(1_000)]
    context = Context({"items": list(range(1_000)), "few": list(range(200)), "records": records})
    values = {Reference("recall", "series"): SLICES * 100}
    for name, text in HOSTILE.items():
        # The checker would refuse the worst of them.
        program = compile_expression(text, HOSTILE_NAMES) if "metrics." in text else compile_unchecked(text)

        def stopped(program: Program = program) -> None:
            try:
                program.evaluate(values, context)
            except EvaluationFailed:
                return
            raise AssertionError("nothing stopped it")

        print(f"{name:25} stopped after {cpu(stopped) * 1e3:.0f} ms of CPU")


if __name__ == "__main__":
    evaluations()
    memory()
    loading()
    hostile()
