"""From a JSON answer to samples, by an expression in CEL."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from governance.core.expression import ANY, Context, EvaluationFailed, ExpressionError, Names, Program, Shape
from governance.core.metric import Labels, Sample
from governance.errors import Unavailable

_MOMENT = timedelta(minutes=1)  # what a cycle takes, and clocks differ by
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES = Names(variables={"body": ANY, "now": Shape("timestamp")})
_FORM = "a number, or a list of maps {value, labels, time}"


def extracted(text: str, body: Any, time: datetime) -> Iterator[Sample]:
    """Return what an expression over `body` and `now` finds: a number, or a list of maps {value, labels, time}.

    A sample without a time of its own speaks for `time`. So does one of a moment later: what is judged as of a full
    minute is asked a moment after it, and stamped then.

    :raises Unavailable: the expression is wrong, has no outcome, or gives something else
    """
    try:
        found = _program(text).evaluate({}, Context({"body": body, "now": time}))
    except ExpressionError as error:
        raise Unavailable(f"extract '{text}': {error}") from None
    except EvaluationFailed as error:
        raise Unavailable(f"extract '{text}' finds nothing in the answer: {error.reason}") from None
    if not isinstance(found, list):
        yield _sample(_number(found), (), time)
        return
    for each in found:
        if not isinstance(each, dict) or not each.keys() <= {"value", "labels", "time"}:
            raise Unavailable(f"extract must give {_FORM}; an item of its list is {_shown(each)}")
        spoken = _time(each.get("time", time), time)
        yield _sample(_number(each.get("value")), _labels(each.get("labels", {})), spoken)


@lru_cache(maxsize=1024)
def _program(text: str) -> Program:
    from governance.core.expression import compile_expression

    return compile_expression(text, _NAMES)


def _sample(value: float | None, labels: Labels, time: datetime) -> Sample:
    if value is None:
        return Sample(None, time, labels, reason="no_data", detail="the answer holds no value")
    if not math.isfinite(value):
        return Sample(None, time, labels, reason="no_data", detail="NaN" if math.isnan(value) else f"{value:+}")
    return Sample(value, time, labels)


def _number(found: Any) -> float | None:
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise Unavailable(f"extract must give {_FORM}, not {_shown(found)}")
    try:
        return float(found)
    except OverflowError:
        return math.inf if found > 0 else -math.inf  # an integer of hundreds of digits


def _labels(found: Any) -> Labels:
    if not isinstance(found, dict):
        raise Unavailable(f"`labels` must be a map of texts, not {_shown(found)}")
    for value in found.values():
        if isinstance(value, (list, dict)):
            raise Unavailable(f"a label must be a text, not {_shown(value)}")
    return tuple(sorted((str(name), _text(value)) for name, value in found.items()))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _time(found: Any, limit: datetime) -> datetime:
    time = _instant(found)
    if time > limit + _MOMENT:
        raise Unavailable(f"a sample is of {time:%Y-%m-%d %H:%M:%S}, later than was asked ({limit:%Y-%m-%d %H:%M:%S})")
    return min(time, limit)


def _instant(found: Any) -> datetime:
    try:
        if isinstance(found, datetime) and found.tzinfo:
            return found.astimezone(UTC)
        if isinstance(found, str) and (time := datetime.fromisoformat(found)).tzinfo:
            return time.astimezone(UTC)
        if isinstance(found, (int, float)) and not isinstance(found, bool):
            return _EPOCH + timedelta(seconds=found)
    except (ValueError, OverflowError):
        pass
    raise Unavailable(f"`time` must be an RFC 3339 text with its zone or seconds since 1970, not {_shown(found)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"
