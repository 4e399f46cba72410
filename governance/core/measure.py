"""The measures that can be computed over a prediction log: what each needs, and what its number means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

By = Literal["", "feature", "slice", "version"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: the roles of columns it needs, by what it may be split, its unit, whether it needs the truth."""

    needs: tuple[str, ...]
    by: tuple[By, ...]
    unit: str
    needs_truth: bool
    description: str
