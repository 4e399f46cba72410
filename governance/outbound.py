"""Look up, once, where a host is, and refuse what no document may have the engine connect to.

Who connects takes the addresses from here and no name: a name that is looked up again may mean something else by then.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from governance.core.destination import refusal
from governance.errors import Unavailable

Resolver = Callable[[str, int], Sequence[str]]


class Forbidden(Unavailable):
    """No connection is made: the host means what it must not."""


def looked_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host as the machine knows them.

    :raises OSError: when it knows none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(frozen=True, slots=True)
class Outbound:
    """The way out for one configured address; `loopback`: its document allows any name for this machine."""

    loopback: bool = False
    resolve: Resolver = looked_up

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses to connect to; one that is refused spoils the others, as chance would choose among them.

        :raises Forbidden: saying what the host means, and what to write.
        :raises OSError: when the host is not known.
        """
        found = self.resolve(host, port)
        for each in found:
            why = refusal(host, each, loopback=self.loopback)
            if why:
                raise Forbidden(f"not asked: {why}")
        return found
