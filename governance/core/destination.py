"""Where the engine may connect to when a document names an address; a name may mean something else than was written.

A private network is where metric systems are, so it is as good as any. This machine is not: its other services trust
who comes from it. And the addresses of the link hold the credentials of cloud machines.
Source: https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
_METADATA = frozenset(map(ip_address, ("169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200")))
"""Where cloud machines ask for their own credentials: Amazon and most others, Google, Alibaba."""
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""Networks whose last 32 bits are an IPv4 address that is reached through them."""


def refusal(named: str, address: str, *, loopback: bool) -> str:
    """Return why no connection is made to what a host named in a document means, "" when it may be.

    This machine is reached when the document says so: by `localhost`, by its number, or with `loopback: true`.
    """
    meant = _meant(ip_address(address.partition("%")[0]))
    if meant in _METADATA or meant.is_link_local:
        return f"{_told(named, meant)}, where machines keep their credentials; no document may have it asked"
    if meant.is_unspecified or meant.is_multicast or (meant.is_reserved and not meant.is_loopback):
        return f"{_told(named, meant)}, which is no address of a server"
    if meant.is_loopback and not (loopback or _says_so(named)):
        return f"{_told(named, meant)}, this machine: write `localhost`, or `loopback: true` beside the address"
    return ""


def _says_so(named: str) -> bool:
    """Tell whether a host names this machine in so many words."""
    name = named.rstrip(".").lower()
    try:
        return _meant(ip_address(name)).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, or itself."""
    if not isinstance(address, IPv6Address):
        return address
    if int(address) <= 1:
        return address  # :: and ::1
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if any(address in network for network in _TRANSLATED):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _told(named: str, meant: Address) -> str:
    return f"{named} is {meant}" if named != str(meant) else named
