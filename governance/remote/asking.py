"""Read what a step asks, do it, and have whatever goes wrong told as its outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

from governance.core.operation import parsed
from governance.core.performance import Outcome, Request

D = TypeVar("D", bound=BaseModel)


def asked(request: Request, document: type[D], act: Callable[[D], Outcome], *, harmless: bool = False) -> Outcome:
    """Return the outcome of an act; parameters that are none, and a server that is not there, are one too."""
    from governance.remote.call import Lost, NotSent
    from governance.remote.judging import lost, unsent

    wanted = parsed(document, request)
    if isinstance(wanted, Outcome):
        return wanted
    try:
        return act(wanted)
    except NotSent as error:
        return unsent(error)
    except Lost as error:
        return lost(error, harmless=harmless)
    except Exception as error:  # noqa: BLE001 (an answer of a strange form must end its own act only)
        said = f"{request.operation}: the answer is not as expected: {type(error).__name__}"
        return lost(Lost(said), harmless=harmless)
