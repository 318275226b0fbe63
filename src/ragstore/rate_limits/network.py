"""Who is calling, by address: one key for one network, and the client behind trusted proxies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from ragstore.errors import InvalidInput

MAX_HOPS: Final = 100
MAX_TEXT: Final = 100
MAX_PORT: Final = 65_535
# The prefix of RFC 6052 alone: 64:ff9b:1::/48 is for local use, and says nothing of where an IPv4 address stands in it.
_NAT64: Final = IPv6Network("64:ff9b::/96")
_MAPPED: Final = IPv6Network("::ffff:0:0/96")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def ip_key(address: str, *, ipv6_prefix: int = 64, unwrap: bool = True) -> str:
    """Give the key to count an address by: an IPv4 address, or an IPv6 network.

    One subscriber commonly has a whole /64, and could use another address of it for every request.

    Args:
        address: An address, also with a port ("1.2.3.4:80", "[::1]:80"), brackets or a zone ("fe80::1%eth0"). All of
            these are dropped.
        ipv6_prefix: Length of the IPv6 networks to count, 1 to 128 bits. Some providers give a subscriber a /56.
        unwrap: Count NAT64 (64:ff9b::/96) and 6to4 addresses as the IPv4 address within. IPv4-mapped ones
            (::ffff:1.2.3.4) always are.

    Returns:
        The address or network in its canonical spelling.

    Raises:
        InvalidInput: It is no address ("address"), or no length of a prefix ("ipv6_prefix").

    Example:
        >>> ip_key("2001:db8:1:2:3::4")
        '2001:db8:1:2::/64'
    """
    if not 1 <= ipv6_prefix <= 128:
        raise InvalidInput("must be from 1 to 128 bits", field="ipv6_prefix")
    ip = _parse(address, field="address")
    if unwrap and isinstance(ip, IPv6Address):
        ip = _embedded(ip)
    return str(ip if isinstance(ip, IPv4Address) else IPv6Network((int(ip), ipv6_prefix), strict=False))


class TrustedProxies:
    """The proxies whose word about their caller is taken.

    Args:
        networks: Addresses and networks, as text or of the `ipaddress` module. None of them: no header is ever read.
            Name your own proxies only: whoever calls from inside these networks can claim to be anybody.

    Raises:
        InvalidInput: One is no network, or has bits set beyond its prefix; `field` is "trusted".

    Example:
        >>> proxies = TrustedProxies(["10.0.0.0/8"])
        >>> proxies.client_ip("10.0.0.1", "198.51.100.9, 203.0.113.7")
        '203.0.113.7'
    """

    __slots__ = ("_networks",)

    def __init__(self, networks: Iterable[str | Network]) -> None:
        if isinstance(networks, str):
            raise InvalidInput("must be a list of networks, not one text", field="trusted")
        self._networks = tuple(_network(network, index) for index, network in enumerate(networks))

    def client_ip(self, peer: str, forwarded_for: str | Sequence[str] | None) -> str:
        """Give the address of the first caller that is not one of the trusted proxies.

        Every proxy adds at the right of X-Forwarded-For who called it, so only what stands right of the first
        untrusted address is true, and that address itself. What stands left of it is whatever the client sent.

        Args:
            peer: The address at the other end of the connection, from the socket and not from a header.
            forwarded_for: X-Forwarded-For: its value, or all its values in the order received. Not read unless the
                peer is trusted. At most 100 entries are followed.

        Returns:
            The address in its canonical spelling, without port, brackets and zone. If all are trusted, the leftmost.

        Raises:
            InvalidInput: The peer is no address; `field` is "peer".
        """
        client = _parse(peer, field="peer")
        if not self._trusts(client):
            return str(client)
        for entry in _from_the_right(forwarded_for):
            hop = _parsed_or_none(entry)
            # Nobody knows who called the proxy that wrote this. Reading on past it would believe what the client
            # may have sent, so the proxy itself answers for the request.
            if hop is None:
                break
            client = hop
            if not self._trusts(hop):
                break
        return str(client)

    def _trusts(self, ip: Address) -> bool:
        return any(ip in network for network in self._networks)


def client_ip(peer: str, forwarded_for: str | Sequence[str] | None, *, trusted: Iterable[str | Network]) -> str:
    """Give the address of the client behind trusted proxies: `TrustedProxies.client_ip`, for a single call.

    Args:
        peer: The address at the other end of the connection.
        forwarded_for: X-Forwarded-For: its value, or all its values in the order received.
        trusted: The proxies' networks; none of them: the header is never read.

    Returns:
        The address in its canonical spelling.

    Raises:
        InvalidInput: The peer is no address ("peer"), or a network is none ("trusted").
    """
    return TrustedProxies(trusted).client_ip(peer, forwarded_for)


def _from_the_right(forwarded_for: str | Sequence[str] | None) -> Iterator[str]:
    lines = [forwarded_for] if isinstance(forwarded_for, str) else forwarded_for or ()
    left = MAX_HOPS
    for line in reversed(lines):
        entries = line.rsplit(",", left)[-left:]
        yield from (entry.strip(" \t") for entry in reversed(entries))
        left -= len(entries)
        if left == 0:
            return


def _parse(text: object, *, field: str) -> Address:
    ip = _parsed_or_none(text) if isinstance(text, str) else None
    if ip is None:
        shown = repr(text)[:MAX_TEXT]
        raise InvalidInput(f"must be an IP address such as 203.0.113.7 or 2001:db8::1, not {shown}", field=field)
    return ip


def _parsed_or_none(text: str) -> Address | None:
    host = _host(text) if len(text) <= MAX_TEXT else None
    if host is None:
        return None
    try:
        ip = ip_address(host)
    except ValueError:
        return None
    if isinstance(ip, IPv4Address):
        return ip
    # By its number, an address has no zone.
    return ip.ipv4_mapped or IPv6Address(int(ip))


def _host(text: str) -> str | None:
    """Drop brackets and a port; None where what stands beside the address is neither."""
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        right = bool(bracket) and ":" in host and (not port or (port.startswith(":") and _is_port(port[1:])))
        return host if right else None
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host if _is_port(port) else None
    return text


def _is_port(text: str) -> bool:
    return len(text) <= 5 and text.isascii() and text.isdigit() and int(text) <= MAX_PORT


def _embedded(ip: IPv6Address) -> Address:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.sixtofour or ip


def _network(network: str | Network, index: int) -> Network:
    if not isinstance(network, str | IPv4Network | IPv6Network):  # ip_network(5) is 0.0.0.5
        raise InvalidInput(f"must be a text or a network, not {type(network).__name__}", field="trusted", index=index)
    try:
        parsed = ip_network(network)
    except ValueError as error:
        raise InvalidInput(f"is no network: {error}", field="trusted", index=index) from None
    if isinstance(parsed, IPv6Network) and parsed.subnet_of(_MAPPED):
        # Addresses are unwrapped before they are compared, so this one would match nothing as it is.
        return IPv4Network((int(parsed.network_address) & 0xFFFF_FFFF, parsed.prefixlen - 96))
    return parsed
