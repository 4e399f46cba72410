"""Names of other tools as names of ours."""

from __future__ import annotations

import re
from collections.abc import Container


def kebab(text: str) -> str:
    """Return a name of a rule or a model: HighErrorRate is high-error-rate."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", text)
    return re.sub(r"[^a-z0-9]+", "-", apart.lower()).strip("-")


def snake(text: str) -> str:
    """Return a name of a metric or an SLO: HighErrorRate is high_error_rate."""
    name = kebab(text).replace("-", "_")
    return f"m_{name}" if not name or name[0].isdigit() else name


def free(name: str, taken: Container[str], join: str = "-") -> str:
    """Return a name that is not taken: itself, or with a number."""
    number, found = 2, name
    while found in taken:
        found, number = f"{name}{join}{number}", number + 1
    return found
