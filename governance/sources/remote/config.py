"""What every source over HTTP is told in org.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from governance.core.document import Count
from governance.remote.config import ServerConfig


class RemoteConfig(ServerConfig):
    """A server, and how much of it we take: `connections` at once, `max_series` samples of one answer."""

    connections: Annotated[Count, Field(ge=1, le=64)] = 8
    max_series: Annotated[Count, Field(ge=1)] = 1000
