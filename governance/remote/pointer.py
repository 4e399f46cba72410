"""A place in a JSON document, as RFC 6901 writes it: /runs/0/id."""

from __future__ import annotations

import re
from typing import Any

POINTER = r"^(/([^/~]|~[01])*)*$"


def pointed(document: Any, pointer: str) -> Any:
    """Return what stands at a place.

    :raises LookupError: when there is nothing.
    """
    found = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and re.fullmatch(r"0|[1-9][0-9]{0,8}", name) and int(name) < len(found):
            found = found[int(name)]
        else:
            raise LookupError(pointer)
    return found
