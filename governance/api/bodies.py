"""What the bodies of several routes share."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from governance.core.duration import parse_duration

NAME = r"^[a-z0-9][a-z0-9._-]*$"
ModelPath = Annotated[str, Path(max_length=200, pattern=NAME, description="The model, as its card names it.")]
ModelQuery = Annotated[str, Query(max_length=200, description="Only of this model.")]
ModelName = Annotated[str, Field(max_length=200, pattern=NAME)]
Because = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S", description="Why, for the log.")]
Label = Annotated[str, Field(max_length=200)]
Labels = Annotated[
    dict[Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], Label], Field(max_length=16)
]


class Closed(BaseModel):
    """A body that has no other members than these."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


_LASTING = {"type": "string", "pattern": r"^[1-9][0-9]{0,3}[mhd]$", "examples": ["2h"]}
Lasting = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=Annotated[str, Field(json_schema_extra=_LASTING)]),
    Field(gt=timedelta(0), le=timedelta(days=366)),
]
"""A duration such as 30m, 2h or 7d."""
