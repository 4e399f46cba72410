"""JSON over HTTP within a time limit, for the sources that ask a server.

Deliberately absent: redirects (a server must not send our credentials elsewhere), proxies from the environment (metric
systems are near, and a proxy would read the credentials), compression (no small answer that unpacks to gigabytes) and
repeated attempts (the next cycle is one).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from governance.core.metric import Answer, Query
from governance.errors import Unavailable
from governance.remote.server import Server
from governance.sources.remote.config import RemoteConfig

if TYPE_CHECKING:
    from governance.sources.remote.exchange import Exchange

__all__ = ["Ask", "Remote", "RemoteConfig"]
_LONGEST = 400  # characters of a failure
SECONDS = 25.0
"""How long all questions of a round may take; the engine waits a little longer, so what was answered is not lost."""
Ask = Callable[["Exchange", Query], Answer]


class Remote:
    """Asks one server many questions at once; each fails alone."""

    def __init__(self, config: RemoteConfig) -> None:
        self._config = config
        self._server = Server(config)
        self._slots = threading.BoundedSemaphore(config.connections)  # an earlier call may still be waiting

    def answers(self, queries: Sequence[Query], ask: Ask) -> Mapping[Query, Answer]:
        """Return what `ask` gives for every query; what it raises is the failure of that query alone."""
        from governance.sources.remote.exchange import Exchange  # heavy, and only needed where a server is asked

        exchange = Exchange(self._server, self._config, self._slots, ends=time.monotonic() + SECONDS)
        patience = _Patience(self._config.connections)
        try:
            with ThreadPoolExecutor(self._config.connections, thread_name_prefix="remote") as pool:
                return dict(
                    zip(
                        queries,
                        pool.map(lambda query: self._answer(ask, exchange, query, patience), queries),
                        strict=True,
                    )
                )
        finally:
            exchange.close()

    def _answer(self, ask: Ask, exchange: Exchange, query: Query, patience: _Patience) -> Answer:
        from governance.sources.remote.exchange import RoundOver, TooLate

        if patience.is_over():
            return Answer(failure=f"not asked, as {self._server.shown} does not answer")
        try:
            answer = ask(exchange, query)
        except RoundOver:
            return Answer(failure=f"not asked to its end, as the questions to this server took {SECONDS:g}s")
        except TooLate as error:
            patience.lose()
            return self._failed(str(error))
        except Unavailable as error:
            answer = self._failed(str(error))
        except Exception as error:  # noqa: BLE001 (an answer of a strange form must fail its own question only)
            answer = self._failed(
                f"the answer of {self._server.shown} is not as expected: {type(error).__name__}: {error}"
            )
        patience.regain()
        return answer

    def _failed(self, sentence: str) -> Answer:
        return Answer(failure=self._server.scrubbed(sentence)[:_LONGEST])  # cut last: half a secret is not recognised


class _Patience:
    """Runs out when as many exchanges in a row were too late as may run at once: such a server is dead, not slow."""

    def __init__(self, most: int) -> None:
        self._most, self._late = most, 0

    def is_over(self) -> bool:
        return self._late >= self._most

    def lose(self) -> None:
        self._late += 1  # two threads at once may count one only; then one question more is asked

    def regain(self) -> None:
        self._late = 0
