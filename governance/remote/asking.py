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
    from governance.remote.looking import Ended

    wanted = parsed(document, request)
    if isinstance(wanted, Outcome):
        return wanted
    try:
        return act(wanted)
    except Ended as error:
        return error.outcome
    except NotSent as error:
        return unsent(error)
    except Lost as error:
        return lost(error, harmless=harmless)
    except Exception as error:  # noqa: BLE001 (an answer of a strange form must end its own act only)
        said = f"{request.operation}: the answer is not as expected: {type(error).__name__}"
        return lost(Lost(said), harmless=harmless)


def found(request: Request, document: type[D], look: Callable[[D], Outcome | None]) -> Outcome | None:
    """Return what became of an act; whatever keeps us from looking says nothing about that."""
    wanted = parsed(document, request)
    if isinstance(wanted, Outcome):
        return None
    try:
        return look(wanted)
    except Exception:  # noqa: BLE001 (as above)
        return None
