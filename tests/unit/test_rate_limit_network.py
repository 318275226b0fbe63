"""Addresses: one key for one network, and the client behind trusted proxies (RL-12, RL-13)."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ragstore.errors import InvalidInput
from ragstore.rate_limits import TrustedProxies, client_ip, ip_key
from ragstore.rate_limits.network import MAX_HOPS

PROXIES = TrustedProxies(["10.0.0.0/8", "2001:db8:ffff::/48"])
GARBAGE = [
    "",
    " ",
    "unknown",
    "_hidden",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4/32",
    "1.2.3.4%eth0",
    "1.2.3.4:",
    "1.2.3.4:65536",
    "1.2.3.4:-1",
    "1.2.3.4:80:90",
    "1.2.3.4 ",
    "1.2.3.4\n",
    "\u0661.2.3.4",
    "1.2.3.4:\u0661",
    "[1.2.3.4]",
    "[::1",
    "[]",
    "[[::1]]",
    "[::1]80",
    "[::1]:",
    "[::1]:x",
    "[::1]:80:90",
    "::1]",
    "::1%",
    "::1%a%b",
    ":::",
    "1::2::3",
    "12345::",
    "0x7f000001",
    "2130706433",
    "1.2.3.4, 5.6.7.8",
    "a" * 10_000,
    ":" * 10_000,
    "\ud800",
]


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:5678", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::FFFF:cb00:7107", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
        ("::ffff:203.0.113.7%eth0", "203.0.113.7"),
        ("64:ff9b::cb00:7107", "203.0.113.7"),
        ("64:ff9b::203.0.113.7", "203.0.113.7"),
        ("2002:cb00:7107::1", "203.0.113.7"),
        ("64:ff9b:1::cb00:7107", "64:ff9b:1::/64"),
        ("64:ff9b::1:cb00:7107", "64:ff9b::/64"),
        ("::203.0.113.7", "::/64"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:0DB8:0001:0002:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:3::4]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:3::4]:80", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("[fe80::1%25eth0]:80", "fe80::/64"),
        ("::1", "::/64"),
    ],
)
def test_the_key_of_an_address(address: str, key: str) -> None:
    """RL-12: the table."""
    assert ip_key(address) == key


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("64:ff9b::cb00:7107", "64:ff9b::/64"),
        ("2002:cb00:7107::1", "2002:cb00:7107::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
    ],
)
def test_translated_addresses_can_be_left_as_they_are(address: str, key: str) -> None:
    """RL-12: the switch; a mapped address is the same host under any setting."""
    assert ip_key(address, unwrap=False) == key


@pytest.mark.parametrize("address", GARBAGE)
def test_what_is_no_address_has_no_key(address: str) -> None:
    """RL-12: garbage raises, and is not shown at length."""
    with pytest.raises(InvalidInput) as refused:
        ip_key(address)
    assert refused.value.field == "address"
    assert len(str(refused.value)) < 250


def test_an_address_is_text() -> None:
    for value in (None, 1, b"\x01\x02\x03\x04", IPv4Address("1.2.3.4")):
        with pytest.raises(InvalidInput):
            ip_key(value)  # type: ignore[arg-type]


@given(st.ip_addresses(v=6), st.integers(1, 128))
def test_all_of_one_network_have_one_key(ip: IPv6Address, prefix: int) -> None:
    """RL-12: the key is the network, and reads as one."""
    key = ip_key(str(ip), ipv6_prefix=prefix, unwrap=False)
    if ip.ipv4_mapped is None:
        assert ip_network(key) == IPv6Network((int(ip), prefix), strict=False)
        assert ip_network(key).prefixlen == prefix


@pytest.mark.parametrize("prefix", [0, 129, -1])
def test_a_prefix_has_1_to_128_bits(prefix: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        ip_key("::1", ipv6_prefix=prefix)
    assert refused.value.field == "ipv6_prefix"


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),  # the peer is no proxy
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),  # the left one is the client's own word
        ("10.0.0.1", "198.51.100.1, 203.0.113.7, 10.0.0.2, 10.0.0.3", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1,203.0.113.7 ,\t10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1", "203.0.113.7", "10.0.0.2"], "203.0.113.7"),  # one header, three lines
        ("10.0.0.1", ["198.51.100.1, 203.0.113.7", "10.0.0.2, 10.0.0.3"], "203.0.113.7"),
        ("10.0.0.1", "10.0.0.4, 10.0.0.2", "10.0.0.4"),  # all are ours: the leftmost
        ("10.0.0.1", "203.0.113.7, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "203.0.113.7, , 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "203.0.113.7, garbage", "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7", ""], "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7:5678", "203.0.113.7"),
        ("::ffff:10.0.0.1", "203.0.113.7, ::ffff:10.0.0.2", "203.0.113.7"),
        ("[2001:db8:ffff::1%eth0]:80", "[2001:db8::7]:5678", "2001:db8::7"),
        ("64:ff9b::a00:1", "203.0.113.7", "64:ff9b::a00:1"),  # a translated address is not the proxy itself
        ("2002:a00:1::1", "203.0.113.7", "2002:a00:1::1"),
    ],
)
def test_the_client_behind_proxies(peer: str, header: str | Sequence[str] | None, client: str) -> None:
    """RL-13: from the right, past trusted addresses only, and no further than what a trusted one wrote."""
    assert PROXIES.client_ip(peer, header) == client
    assert client_ip(peer, header, trusted=["10.0.0.0/8", "2001:db8:ffff::/48"]) == client


class Unread(list[str]):
    """A header that must not be read."""

    def __reversed__(self) -> object:  # type: ignore[override]
        raise AssertionError("the header was read")

    __iter__ = __len__ = __getitem__ = __bool__ = __reversed__  # type: ignore[assignment]


@pytest.mark.parametrize(("peer", "trusted"), [("203.0.113.7", ["10.0.0.0/8"]), ("10.0.0.1", [])])
def test_without_a_trusted_peer_the_header_is_never_read(peer: str, trusted: list[str]) -> None:
    """RL-13."""
    assert client_ip(peer, Unread(), trusted=trusted) == peer
    with pytest.raises(AssertionError, match="was read"):
        client_ip("10.0.0.1", Unread(), trusted=["10.0.0.0/8"])


ENTRIES = st.sampled_from(["198.51.100.1", "10.9.9.9", "junk", "", "[::1]:1", "2001:db8:ffff::9"]) | st.text()


@given(st.lists(ENTRIES), st.ip_addresses(v=4).filter(lambda ip: ip.packed[0] != 10), st.integers(0, 3))
@example([], IPv4Address("203.0.113.7"), 0)
def test_nothing_a_client_sends_changes_who_it_is(sent: list[str], caller: IPv4Address, proxies: int) -> None:
    """RL-13: the proxies add at the right; what stood there before cannot matter."""
    ours = [f"10.0.0.{n}" for n in range(proxies)]
    header = ", ".join([*sent, str(caller), *ours])
    assert PROXIES.client_ip("10.0.0.9", header) == str(caller)
    assert PROXIES.client_ip("10.0.0.9", [*sent, str(caller), *ours]) == str(caller)


@given(st.text(), st.lists(st.text()))
def test_any_header_gives_an_address(text: str, lines: list[str]) -> None:
    """RL-13: whatever is sent, there is a client to count."""
    for header in (text, lines):
        ip_address(PROXIES.client_ip("10.0.0.1", header))


@pytest.mark.parametrize("parted", [", ".join, list])
def test_no_more_than_a_hundred_entries_are_followed(parted: type) -> None:
    """RL-13: a header of any length is read to a bound."""
    hops = ["203.0.113.7", *(f"10.0.{n // 250}.{n % 250}" for n in range(MAX_HOPS))]
    assert PROXIES.client_ip("10.0.0.1", parted(hops[:-1])) == "203.0.113.7"
    assert PROXIES.client_ip("10.0.0.1", parted(hops)) == hops[1]
    assert PROXIES.client_ip("10.0.0.1", parted(["203.0.113.7"] * 100_000 + hops)) == hops[1]


@pytest.mark.parametrize("peer", ["", "testclient", "unknown", "10.0.0.1, 1.2.3.4"])
def test_a_peer_that_is_no_address_is_refused(peer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        PROXIES.client_ip(peer, None)
    assert refused.value.field == "peer"


@pytest.mark.parametrize("network", ["", "10.0.0.1/8", "10.0.0.0/33", "proxy", "*", 5, None])
def test_a_network_that_is_none_is_refused(network: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        TrustedProxies(["10.0.0.0/8", network])
    assert (refused.value.field, refused.value.index) == ("trusted", 1)


def test_one_text_is_no_list_of_networks() -> None:
    with pytest.raises(InvalidInput, match="must be a list"):
        TrustedProxies("10.0.0.0/8")


@pytest.mark.parametrize("network", ["10.0.0.1", ip_network("10.0.0.0/8"), "::ffff:10.0.0.0/104", "::ffff:10.0.0.1"])
def test_a_network_may_be_an_address_parsed_or_mapped(network: str) -> None:
    for peer in ("10.0.0.1", "::ffff:10.0.0.1"):
        assert client_ip(peer, "203.0.113.7", trusted=iter([network])) == "203.0.113.7"
