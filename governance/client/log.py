"""The decision log, and what is decided from now on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from socket import SHUT_RDWR, socket

import httpx

from governance.client.connection import PAGE, TIMEOUT, Connection, error_of
from governance.errors import Unavailable
from governance.views import EntryView, Page, ProofView

SILENCE = 5.0
"""Seconds without a sign of life after which the stream of events is given up; the engine gives one each second."""


@dataclass(frozen=True, slots=True)
class Event:
    """One decision as the stream tells it: its number in the log, its kind, and what it is about."""

    seq: int
    kind: str
    subject: Mapping[str, str]


class Log(Connection):
    """Reads the decision log, and what is decided from now on."""

    def log(self, *, after: int | None = None, limit: int = PAGE, kind: str = "", model: str = "") -> list[EntryView]:
        """Return entries of the decision log in order: those after one, or the newest."""
        place = {"after": after} if after is not None else {}
        return self._get("/v1/log", Page[EntryView], limit=limit, kind=kind, model=model, **place).items

    def proof(self, seq: int) -> ProofView:
        """Return an entry with the proof that it is in the log."""
        return self._get(f"/v1/log/{seq}", ProofView)

    _listening: socket | None = None

    def hush(self) -> None:
        """End the stream of events, for whichever thread listens to it: it waits no longer."""
        if self._listening is not None:
            with suppress(OSError):  # it has ended already
                self._listening.shutdown(SHUT_RDWR)

    def events(self, after: int | None = None) -> Iterator[Event | None]:
        """Yield what is decided from now on (after an event: from the next one), and None for each sign of life.

        :raises Unavailable: when the stream ends, or nothing was heard for `SILENCE` seconds.
        """
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": str(after)} if after is not None else {})}
        timeout = httpx.Timeout(TIMEOUT, read=SILENCE)
        with self._reached(), self._http.stream("GET", "/v1/events", headers=headers, timeout=timeout) as answer:
            if answer.status_code != HTTPStatus.OK:
                answer.read()
                raise error_of(answer)
            stream = answer.extensions.get("network_stream")
            self._listening = stream.get_extra_info("socket") if stream is not None else None
            yield None
            data = ""
            for line in answer.iter_lines():
                name, _, value = line.partition(":")
                if name == "data":
                    data += value.strip()
                elif line == "" and data:
                    yield _event(data)
                    data = ""
                elif name == "":
                    yield None
        raise Unavailable(f"{self.url} ended the stream of events")


def _event(data: str) -> Event | None:
    try:
        said = json.loads(data)
        return Event(int(said["seq"]), str(said["kind"]), dict(said["subject"]))
    except (ValueError, KeyError, TypeError):
        return None  # a sign of life all the same
