"""Can a host be connected to? Nothing is sent."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from governance import settings as environment
from governance.doctor.finding import Finding, open_, well, wrong
from governance.errors import Unavailable
from governance.outbound import Outbound

PATIENCE = 3.0
"""Seconds to connect."""
_MAIL = {"starttls": 587, "tls": 465, "none": 25}
_PORTS = {"http": 80, "https": 443}


def place(settings: Mapping[str, object]) -> tuple[str, int, str] | None:
    """Return the host and port that a plug-in's settings name, and the scheme; None when they name none."""
    address = str(settings.get("address") or environment.secret(str(settings.get("address_env") or "")))
    if address:
        with suppress(ValueError):
            parts = urlsplit(address)
            port = parts.port or _PORTS.get(parts.scheme, 0)
            if parts.hostname and port:
                return parts.hostname, port, parts.scheme
        return None
    host, mail = settings.get("host"), str(settings.get("security") or "")
    port_ = settings.get("port") or _MAIL.get(mail)
    if isinstance(host, str) and isinstance(port_, int):
        return host, port_, ""
    return None


def tried(check: str, name: str, kind: str, settings: Mapping[str, object]) -> Finding:
    """Say whether the host that a plug-in's settings name is reached."""
    where = place(settings)
    if where is None:
        return well(check, name, f"{kind}: its settings are complete")
    host, port, scheme = where
    shown = f"{kind}: {host}:{port}" if not settings.get("address_env") else f"{kind}: its host"
    if proxied(host, scheme):
        return open_(check, name, f"{shown} is told through a proxy, which alone knows whether it is reached")
    refused = refusal(host, port, loopback=bool(settings.get("loopback")))
    if refused:
        return wrong(check, name, f"{shown} is not reached: {refused}", "open the way to it, or mend its address")
    return well(check, name, f"{shown} is reached; nothing was sent")


def proxied(host: str, scheme: str) -> bool:
    """Tell whether requests to a host go through a proxy, which alone knows whether it is reached."""
    return scheme in _PORTS and not proxy_bypass(host) and bool(getproxies().get(scheme) or getproxies().get("all"))


def refusal(host: str, port: int, *, loopback: bool) -> str:
    """Return why no connection can be made, "" when one can."""
    try:
        addresses = Outbound(loopback).addresses(host, port)
    except (Unavailable, OSError, UnicodeError) as error:
        return str(error)
    said = "it has no address"
    for address in addresses:
        try:
            with socket.create_connection((address, port), timeout=PATIENCE):
                return ""
        except OSError as error:
            said = error.strerror or str(error) or type(error).__name__
    return said
