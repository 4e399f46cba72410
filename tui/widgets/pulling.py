"""What is said alike of one kill switch and of several, as markup."""

from __future__ import annotations

from collections.abc import Sequence

from governance.views import ConfirmationsView
from tui.known import number
from tui.text import safe

_MOST = 4
"""Names that are shown in a line."""


def some(names: Sequence[str]) -> str:
    """Return names in one line: of many the first, and how many more there are."""
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return (safe(", ".join(names[:_MOST])) or "nobody") + more


def flow(traffic: float | None) -> str:
    """Return how much traffic there is."""
    return f"{number(traffic)} predictions a minute" if traffic is not None else "[$muted]unknown[/]"


def ending(expires: str, what: str) -> str:
    """Return what becomes of a pull that ends by itself; `what` is given back then."""
    back = f"gives {what} back if the rules that guard it are healthy on fresh data"
    return f"[$warning]after {safe(expires)} the engine {back}, else it keeps it and pages[/]"


def behind(seen: ConfirmationsView) -> str:
    """Return which instances have not confirmed, "" where all have."""
    return some([*seen.late, *seen.silent]) if seen.late or seen.silent else ""


def confirmed(seen: int, total: int) -> str:
    """Return how many instances hold it by now."""
    return f"[{'$success' if seen == total else '$warning'}]{seen} of {total} instances confirmed[/]"
