"""What the API of `gov serve` is made of."""

from __future__ import annotations

from governance.api.app import Service
from governance.api.feed import Feed
from governance.api.gate import Doors, SignOn
from governance.api.guard import LOCAL, hosts
from governance.api.ofrep.events import Streams
from governance.api.pulse import Pulse
from governance.api.server import room
from governance.core.organisation import Organisation
from governance.engine.board import Board
from governance.engine.keyring import Keyring
from governance.engine.parts import Engine
from governance.engine.refusals import Refusals
from governance.settings import Settings


def service(engine: Engine, settings: Settings, *, bound: str, open_: bool) -> Service:
    """Return it for a server bound to an address; `open_`: only this machine reaches it."""
    doors = Doors(
        Keyring(engine), Refusals(engine), settings.who(), engine.clock.now, _sign_on(engine.organisation), open_
    )
    known = LOCAL if open_ else hosts(bound, settings.public_url)
    board, every = Board(engine), engine.organisation.cycle.every
    return Service(doors, Feed(engine), Pulse(), board, Streams(board, room()), every, known)


def _sign_on(organisation: Organisation) -> SignOn | None:
    oidc = organisation.identity.oidc
    if oidc is None:
        return None
    from governance.api.sign_on import SingleSignOn  # its cryptography is only needed where there is one

    return SingleSignOn(oidc, organisation)
