"""What a host named in a document may turn out to be."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.core.destination import refusal

CREDENTIALS, NOWHERE, HERE = "keep their credentials", "no address of a server", "this machine"


@pytest.mark.parametrize(
    ("named", "address", "loopback", "said"),
    [
        ("metrics.example", "93.184.216.34", False, ""),
        ("prometheus.monitoring.svc", "10.2.3.4", False, ""),
        ("192.168.1.5", "192.168.1.5", False, ""),
        ("fd12::1", "fd12::1", False, ""),
        ("localhost", "127.0.0.1", False, ""),
        ("localhost", "::1", False, ""),
        ("LOCALHOST.", "127.0.0.1", False, ""),
        ("mlflow.localhost", "127.0.0.1", False, ""),
        ("127.0.0.1", "127.0.0.1", False, ""),
        ("127.8.8.8", "127.8.8.8", False, ""),
        ("::1", "::1", False, ""),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", False, ""),
        ("localtest.me", "127.0.0.1", False, HERE),
        ("localtest.me", "127.0.0.1", True, ""),
        ("notlocalhost", "127.0.0.1", False, HERE),
        ("0x7f.1", "127.0.0.1", False, HERE),
        ("2130706433", "127.0.0.1", False, HERE),
        ("mapped.example", "::ffff:127.0.0.1", False, HERE),
        ("mapped.example", "::ffff:7f00:1", False, HERE),
        ("old.example", "::127.0.0.1", False, HERE),
        ("six.example", "2002:7f00:0001::", False, HERE),
        ("nat.example", "64:ff9b::7f00:1", False, HERE),
        ("169.254.169.254", "169.254.169.254", True, CREDENTIALS),
        ("metadata.google.internal", "169.254.169.254", True, CREDENTIALS),
        ("meta.example", "::ffff:169.254.169.254", True, CREDENTIALS),
        ("ecs.example", "169.254.170.2", True, CREDENTIALS),
        ("fd00:ec2::254", "fd00:ec2::254", True, CREDENTIALS),
        ("100.100.100.200", "100.100.100.200", True, CREDENTIALS),
        ("link.example", "fe80::1%eth0", True, CREDENTIALS),
        ("0.0.0.0", "0.0.0.0", True, NOWHERE),  # noqa: S104 (it is refused)
        ("::", "::", True, NOWHERE),
        ("many.example", "224.0.0.1", True, NOWHERE),
        ("255.255.255.255", "255.255.255.255", True, NOWHERE),
    ],
)
def test_what_a_host_may_mean(named: str, address: str, loopback: bool, said: str) -> None:
    found = refusal(named, address, loopback=loopback)
    assert (said in found) if said else found == ""


@given(st.ip_addresses())
def test_no_spelling_of_an_address_of_this_machine_or_of_the_link_passes_behind_a_name(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    said = refusal("name.example", str(address), loopback=False)
    if address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast:
        assert said.startswith("name.example is ")
    if isinstance(address, ipaddress.IPv4Address):
        mapped = refusal("name.example", f"::ffff:{address}", loopback=False)
        assert mapped == said
