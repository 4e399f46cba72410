"""What the API of `gov serve` is made of."""

from __future__ import annotations

from contextlib import suppress

from governance.api.app import Service
from governance.api.feed import Feed
from governance.api.gate import Doors, SignOn
from governance.api.guard import LOCAL, hosts
from governance.api.ofrep.events import Streams
from governance.api.pulse import Pulse
from governance.api.server import room
from governance.api.switches import Wire
from governance.core.organisation import Organisation
from governance.engine.board import Board
from governance.engine.keyring import Keyring
from governance.engine.parts import Engine
from governance.engine.refusals import Refusals
from governance.errors import Unavailable
from governance.settings import Settings
from governance.views import ConfirmationsView


def service(engine: Engine, settings: Settings, board: Board, *, bound: str, open_: bool) -> Service:
    """Return it for a server bound to an address; `open_`: only this machine reaches it."""
    doors = Doors(
        Keyring(engine), Refusals(engine), settings.who(), engine.clock.now, _sign_on(engine.organisation), open_
    )
    known = LOCAL if open_ else hosts(bound, settings.public_url)
    return Service(
        doors,
        Feed(engine),
        Pulse(),
        board,
        Streams(board, room()),
        wire(board, engine),
        engine.organisation.cycle.every,
        known,
    )


def wire(board: Board, engine: Engine) -> Wire:
    """Return what people's acts look at and set off in this process: who has confirmed, and a look at what changed."""

    def heard(model: str) -> ConfirmationsView:
        found = board.confirmations(model, engine.clock.now())
        return ConfirmationsView(
            total=found.total, confirmed=found.confirmed, late=list(found.late), silent=list(found.silent)
        )

    def looked() -> None:
        with suppress(Unavailable):  # what was done is done; the watcher looks again soon
            board.refresh()

    return Wire(heard, looked)


def _sign_on(organisation: Organisation) -> SignOn | None:
    oidc = organisation.identity.oidc
    if oidc is None:
        return None
    from governance.api.sign_on import SingleSignOn  # its cryptography is only needed where there is one

    return SingleSignOn(oidc, organisation)
