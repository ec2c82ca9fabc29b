"""Which addresses a project may have Fenix post to.

A subscription's URL comes from a project, and Fenix connects to it from inside the cloud's control
plane: its own machine and the link's neighbours must stay out of reach, unless the operator says
otherwise.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence

from oslo_config import types

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
        networks: where the operator allows it; empty: any private or public unicast address,
            so neither loopback nor link-local nor what is reserved.
    """
    address = _plain(address)
    if networks:
        return any(address in network for network in networks)
    return not (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
        or address in _THIS_NETWORK
    )


async def resolve(host: str, port: int) -> Sequence[Address]:
    """All addresses of a host name, or the address that `host` is, in the system's order.

    Raises:
        OSError: the name has none.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # A link-local address carries its interface behind a percent sign.
    return [ipaddress.ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]


_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it stands for one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address
