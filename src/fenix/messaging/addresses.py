"""Which addresses a project may have Fenix post to.

A subscription's URL comes from a project, and Fenix connects to it from inside the cloud's control
plane: its own machine and the link's neighbours must stay out of reach, unless the operator says
otherwise.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from functools import partial

from oslo_config import types

from fenix.threads import Threads

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class NetworkType(types.ConfigType):
    """A network in CIDR notation, as the type of a configuration option."""

    def __init__(self) -> None:
        super().__init__("network in CIDR notation")

    def __call__(self, value: object) -> Network:
        """Reads it.

        Raises:
            ValueError: it is no network.
        """
        return ipaddress.ip_network(str(value))

    def _formatter(self, value: object) -> str:
        return str(value)


def allowed(address: Address, networks: Sequence[Network]) -> bool:
    """Whether Fenix may connect to an address.

    Args:
        networks: where the operator allows it; empty: any private or public unicast address.
            Loopback, link-local and reserved addresses have to be named by a network that has
            no others: ``0.0.0.0/0`` does not let anybody reach the own machine.
    """
    address = _plain(address)
    ordinary = _ordinary(address)
    if not networks:
        return ordinary
    return any(address in network and (ordinary or _special(network)) for network in networks)


def _ordinary(address: Address) -> bool:
    return not (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
        or any(address in network for network in _ODD)
    )


def _special(network: Network) -> bool:
    """Whether it holds nothing but addresses that are not ordinary."""
    return network.prefixlen >= _WIDEST_SPECIAL and not _ordinary(network.network_address)


async def resolve(host: str, port: int) -> Sequence[Address]:
    """All addresses of a host name, or the address that `host` is, in the system's order.

    Raises:
        OSError: the name has none.
    """
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_LOOKUPS, ask)
    # A link-local address carries its interface behind a percent sign.
    return [ipaddress.ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]


_LOOKUPS = Threads(16, thread_name_prefix="names")
"""Threads of their own: whoever runs the name server of a receiver's domain decides how long a
look-up takes, and the event loop's threads are needed for other work."""
_WIDEST_SPECIAL = 8
"""Bits of the prefixes of 127.0.0.0/8 and 0.0.0.0/8; no ordinary address shares them."""
_ODD = tuple(
    map(
        ipaddress.ip_network,
        # This network (RFC 6890); IPv6 addresses that stand for IPv4 ones in ways that only the
        # network knows: NAT64 with a local prefix (RFC 8215), and Teredo (RFC 4380).
        ("0.0.0.0/8", "64:ff9b:1::/48", "2001::/32"),
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it stands for one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address
