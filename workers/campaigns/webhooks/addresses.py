"""Which addresses an outgoing webhook may go to: those of the public internet.

Whoever registers an endpoint chooses its name, and may have that name lead anywhere. So a name is resolved, each of
its addresses is looked at, and the connection is made to an address that was looked at, not to the name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import httpcore

from shared.errors import OctobatchError

_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


class AddressRefused(OctobatchError):
    """None of the addresses of a name is public."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address, and one that it carries within, is reached over the public internet."""
    if isinstance(address, IPv6Address):
        if any(address in network for network in _NAT64):
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        teredo = address.teredo
        within = (address.ipv4_mapped, address.sixtofour, *(teredo or ()))
        if carried := [each for each in within if each is not None]:
            return all(is_public(each) for each in carried)
    return address.is_global and not address.is_multicast and not address.is_reserved


async def resolve(host: str, port: int, *, allow_private: bool, threads: ThreadPoolExecutor | None = None) -> list[str]:
    """Addresses of a host that may be asked; raises `AddressRefused`, or `OSError` where it has none.

    `threads` look it up, so that a name server that does not answer holds up nobody else's names.
    """
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(threads, look_up)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    allowed = [each for each in addresses if allow_private or is_public(ipaddress.ip_address(each.partition("%")[0]))]
    if not allowed:
        raise AddressRefused(f"{host} is at {', '.join(addresses)}, which is not an address of the public internet")
    return allowed


class PublicBackend(httpcore.AsyncNetworkBackend):
    """Connections of httpcore, to the addresses that `resolve` gives and no other."""

    def __init__(self, *, allow_private: bool, threads: ThreadPoolExecutor) -> None:
        self._allow_private = allow_private
        self._threads = threads
        self._connecting: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()  # pyright: ignore[reportAttributeAccessIssue]

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first of the host's addresses that takes one."""
        try:
            addresses = await resolve(host, port, allow_private=self._allow_private, threads=self._threads)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} cannot be found: {error.strerror or error}") from error
        for address in addresses[:-1]:
            try:
                return await self._connecting.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._connecting.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Waits, for httpcore."""
        await asyncio.sleep(seconds)
