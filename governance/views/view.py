"""The ground of every read model."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class View(BaseModel):
    """A value made to be shown."""

    model_config = ConfigDict(frozen=True)


class Page(View, Generic[T]):
    """A part of a list; `next` is the cursor of the following part, None at the end."""

    items: list[T]
    next: str | None = None
