"""How old a sample may be: counted from when its window ends, which for labels is their watermark."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from governance.core.cell import column
from governance.core.measurement import Metric
from governance.core.metric import Answer, Query, Sample
from governance.core.policy import EffectiveMetric
from governance.core.problem import Position

AT = datetime(2026, 3, 29, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def reason(spec: Metric, age: timedelta, offset: timedelta = timedelta(0)) -> str | None:
    """Return why a sample of that age has no value."""
    asked = Query("s", text="q", offset=offset)
    metric = EffectiveMetric("x", "m", spec, asked, (), offset > timedelta(0), Position("m.yaml", 1, 1))
    return column(metric, Answer((Sample(1.0, AT - age),)), AT).cells[()].reason


@pytest.mark.parametrize(
    ("metric", "oldest"),
    [
        (Metric(source="s", query="q"), timedelta(minutes=3)),
        (Metric(source="s", query="q", every="5m"), timedelta(minutes=15)),
        (Metric(source="s", query="q", every="5m", stale_after="2h"), 2 * HOUR),
        (Metric(measure="predictions"), 3 * HOUR),
    ],
    ids=["each minute", "each five minutes", "as its author says", "a log's hours"],
)
def test_a_sample_is_stale_after_three_intervals_unless_its_author_says_otherwise(
    metric: Metric, oldest: timedelta
) -> None:
    assert reason(metric, oldest) is None
    assert reason(metric, oldest + timedelta(seconds=1)) == "stale"


def test_where_labels_are_needed_age_is_counted_from_their_watermark() -> None:
    metric = Metric(measure="accuracy")
    assert reason(metric, 12 * HOUR + 3 * HOUR, offset=12 * HOUR) is None
    assert reason(metric, 12 * HOUR + 4 * HOUR, offset=12 * HOUR) == "stale"
