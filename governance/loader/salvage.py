"""What can still be read of a document whose form is wrong, so that its meaning is checked in the same pass.

A misspelt field takes the name it resembles; another wrong value is left out. Where that would make a second problem of
the first (a metric left out is unknown to every rule) nothing is salvaged.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from governance.core.suggestion import nearest
from governance.loader import schema
from governance.loader.tree import Path
from governance.loader.unions import Fault

_LEANED_ON = frozenset({"metrics", "parameters", "log", "data", "slices", "truth", "model", "pack", "when", "sources"})
"""Names whose loss would be felt elsewhere in the document or in others."""


def salvaged(data: dict[str, Any], root: type[BaseModel], faults: Iterable[Fault]) -> BaseModel | None:
    """Return the document without what is wrong in it, None when the rest could not be judged fairly."""
    rest = copy.deepcopy(data)
    for fault in faults:
        if not _mended(rest, root, fault):
            return None
    try:
        return root.model_validate(rest)
    except ValidationError:
        return None


def _mended(data: dict[str, Any], root: type[BaseModel], fault: Fault) -> bool:
    if fault.kind == "missing":
        return True  # it may be there under the misspelt name; otherwise the last validation refuses
    if not fault.path or not isinstance(fault.path[-1], str):
        return False  # a list without one of its items would put the others in the wrong place
    holder = _walked(data, fault.path[:-1])
    if not isinstance(holder, dict) or fault.path[-1] not in holder:
        return False
    name = fault.path[-1]
    value = holder.pop(name)
    if fault.kind == "extra_forbidden":
        meant = nearest(name, schema.fields_at(root, fault.location[:-1]))
        if meant and meant not in holder:
            holder[meant] = value
        return True
    return not _LEANED_ON & {str(part) for part in fault.path}


def _walked(data: Any, path: Path) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data
