"""Guess of each input its type, its range, and whether it is personal data."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from governance.core.card import Pii
from governance.draft.roles import snake
from governance.draft.sample import Column

_CODES = re.compile(r".*_?(id|code|zip|zipcode|postcode|type|class|category|group|segment|channel|region)")
_DIRECT = re.compile(
    r"(.*_)?(e_?mail|phone|mobile|telephone|fax|ssn|social_security|social_security_(no|number)|passport(_no|_number)?|"
    r"iban|card_number|credit_card|account_number|licen[sc]e_number|(first|last|sur|sure|full|middle|given|family|"
    r"customer|client|patient|user|person|applicant|contact|maiden)_?names?|name|surname|address|street|ip|ip_address|"
    r"dob|birth_?(date|day)|date_of_birth|username)(_.*address|_hash)?"
)
_SENSITIVE = re.compile(
    r"(.*_)?(gender|sex|race|ethnicity|ethnic_group|religion|diagnosis|disability|disabled|health\w*|sexual_\w+|"
    r"union_member\w*|political_\w+|nationality|pregnan\w+|hiv|genetic\w*|biometric\w*|criminal\w*)"
)
_KEYS = re.compile(
    r"(.*_)?(user|customer|client|person|patient|account|device|member|applicant|employee|session)_?(id|key|uuid|hash|no)"
)
_WORDS = 4.0
"""A text of more words on average was typed by somebody, and may hold anything."""
_CATEGORIES = 1000


def feature(column: Column) -> dict[str, object] | None:
    """Return what a card says of an input; None of one that no distribution can be told of."""
    pii = personal(column)
    said: dict[str, object] = {} if pii == "none" else {"pii": pii}
    if column.kind == "other":
        return None
    if column.kind == "number" and not _coded(column):
        limits = _range(column)
        return {"type": "number", **({"range": limits} if limits else {}), **said}
    few = column.distinct <= _CATEGORIES and column.distinct < max(column.present / 2, 3)
    if column.kind == "time" and not few:
        return None
    return {"type": "category" if few and pii in {"none", "sensitive"} else "text", **said}


def personal(column: Column) -> Pii:
    """Guess what a column tells of a person, from its name and from what its texts look like."""
    name = snake(column.name)
    if column.addresses > 0.5 or _DIRECT.fullmatch(name):
        return "direct"
    if _SENSITIVE.fullmatch(name):
        return "sensitive"
    if _KEYS.fullmatch(name):
        return "pseudonymous"
    return (
        "free_text"
        if column.kind == "text" and column.words > _WORDS and column.distinct > column.rows / 20
        else "none"
    )


def slices(columns: Iterable[Column], said: dict[str, dict[str, object]]) -> list[str]:
    """Return up to two categories with few values, by which quality may be told apart."""
    fit = [
        each.name
        for each in columns
        if said.get(each.name) == {"type": "category"} and 2 <= each.distinct <= 20 and '"' not in each.name
    ]
    return fit[:2]


def _coded(column: Column) -> bool:
    """Tell whether numbers are names of things: whole, few, and called a code."""
    return column.whole and bool(_CODES.fullmatch(snake(column.name))) and column.distinct <= _CATEGORIES


def _range(column: Column) -> list[float] | None:
    """Return the lowest and the highest value, rounded outwards to two digits so that the next rows lie within."""
    low, high = column.low, column.high
    if low is None or high is None or column.binary:
        return [0, 1] if column.binary else None
    step = 10.0 ** (math.floor(math.log10(max(abs(low), abs(high)))) - 1) if low or high else 1.0
    found = [math.floor(low / step) * step, math.ceil(high / step) * step]
    rounded = [float(f"{each:.6g}") for each in found]
    return rounded if rounded[0] < rounded[1] and all(map(math.isfinite, rounded)) else None
