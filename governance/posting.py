"""Post to an address that a document names, and say what became of it; for every notifier that speaks HTTP."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

from governance.core.effect import Receipt
from governance.core.problem import printable
from governance.outbound import Forbidden, Outbound

if TYPE_CHECKING:
    import httpx

_SECONDS = 10.0
"""For each part of an exchange: the connection, what is sent, and each piece of the answer."""
_WHOLE = 20.0
"""Seconds that an answer may trickle in."""
_READ = 4096
"""Bytes of an answer that are looked at."""
_SAID = 300
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""Answers of the 400s that say nothing against what was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, its text cut short."""

    status: int
    headers: Mapping[str, str]
    text: str

    def receipt(self, said: str = "") -> Receipt:
        """Return it as a receipt; `said` are words of the other side that help to mend what is wrong."""
        moved = " (redirects are not followed)" if self.status // 100 == 3 and "location" in self.headers else ""
        words = f": {printable(said)[:_SAID]}" if said else ""
        refused = 300 <= self.status < 500 and self.status not in _PASSING
        delivered = 200 <= self.status < 300
        wait = None if delivered else retry_after(self.headers)
        return Receipt(delivered, f"HTTP {self.status}{moved}{words}", refused=refused, wait=wait)


def posted(
    address: str, content: bytes, headers: Mapping[str, str], outbound: Outbound, method: str = "POST"
) -> Answer | Receipt:
    """Post JSON, or ask otherwise; return the answer, or the receipt of a try without. No redirect is followed."""
    import httpx  # heavy, and only needed by who sends

    try:
        return _answered(address, content, headers, outbound, method)
    except Forbidden as error:
        return Receipt(delivered=False, detail=str(error))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        return Receipt(delivered=False, detail=f"{type(error).__name__}: {error}")


def _answered(address: str, content: bytes, headers: Mapping[str, str], outbound: Outbound, method: str) -> Answer:
    """Ask the first address of the host that answers, or through the proxy, which knows where it may go."""
    import httpx

    url = httpx.URL(address)
    if url.scheme not in ("http", "https") or not url.host:
        raise httpx.UnsupportedProtocol("the address must begin with http:// or https:// and name a host")
    host, secure = url.raw_host.decode("ascii"), url.scheme == "https"
    sent = {"Content-Type": "application/json", **headers, "Host": url.netloc.decode("ascii")}
    proxy = proxy_of(url.scheme, host)
    port = url.port or (443 if secure else 80)
    places = [url.copy_with(host=each) for each in outbound.addresses(host, port)] if not proxy else [url]
    # Without TLS nobody's certificate is looked at; to load all that the system trusts takes longer than to post.
    verify = ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with httpx.Client(timeout=_SECONDS, trust_env=False, proxy=proxy, verify=verify) as client:
        for place in places[:-1]:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return _exchanged(client, (method, place), content, sent, host)
        return _exchanged(client, (method, places[-1]), content, sent, host)


def _exchanged(
    client: httpx.Client, asked: tuple[str, httpx.URL], content: bytes, headers: Mapping[str, str], host: str
) -> Answer:
    more = {"sni_hostname": host}
    with client.stream(*asked, content=content, headers=dict(headers), extensions=more) as answer:
        return Answer(answer.status_code, answer.headers, _beginning(answer))


def _beginning(answer: httpx.Response) -> str:
    """Return the first bytes of an answer as text; how much there is, and how slowly it comes, is no matter of ours."""
    import httpx

    found, latest = b"", time.monotonic() + _WHOLE
    with suppress(httpx.HTTPError):  # the status has been heard, and counts
        for part in answer.iter_raw():
            found += part
            if len(found) >= _READ or time.monotonic() > latest:
                break
    return found[:_READ].decode(errors="replace")


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return for how long the other side asks to be left alone (RFC 9110, section 10.2.3), None when it does not."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return timedelta(seconds=int(text))
    with suppress(ValueError, TypeError):
        until = parsedate_to_datetime(text)
        now = parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC)
        return max(until - now, timedelta())
    return None


def proxy_of(scheme: str, host: str) -> str | None:
    """Return the proxy that the environment names for a host."""
    named = getproxies()
    return None if proxy_bypass(host) else named.get(scheme) or named.get("all")
