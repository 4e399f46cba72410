"""What the API of `gov serve` is made of."""

from __future__ import annotations

from governance.api.app import Service
from governance.api.feed import Feed
from governance.api.gate import Doors
from governance.api.guard import LOCAL, hosts
from governance.api.ofrep.events import Streams
from governance.api.pulse import Pulse
from governance.engine.board import Board
from governance.engine.keyring import Keyring
from governance.engine.parts import Engine
from governance.engine.refusals import Refusals
from governance.settings import Settings


def service(engine: Engine, settings: Settings, *, bound: str, open_: bool) -> Service:
    """Return it for a server bound to an address; `open_`: only this machine reaches it."""
    doors = Doors(Keyring(engine), Refusals(engine), settings.who(), engine.clock.now, open_=open_)
    known = LOCAL if open_ else hosts(bound, settings.public_url)
    board = Board(engine)
    return Service(doors, Feed(engine), Pulse(), board, Streams(board), engine.organisation.cycle.every, known)
