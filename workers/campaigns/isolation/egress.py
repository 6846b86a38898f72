"""The way out of a step with `network: true`: an HTTP proxy that reaches public addresses, and no others.

The step's own network has nothing but this proxy, whose port the step's sandbox opens and the worker answers (see
`command_lines`). Programs are told of it as usual, by `HTTP_PROXY` and `HTTPS_PROXY`. The worker's own addresses, its
loopback services, private networks and the metadata address of clouds are refused, whatever name leads to them: the
address that was looked at is the one that is connected to.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from .command_lines import PROXY_PORT

CONNECT_SECONDS = 20.0
PIECE_BYTES = 65536
_NAT64 = ip_network("64:ff9b::/96")
_PROXY = f"http://127.0.0.1:{PROXY_PORT}"
VARIABLES: dict[str, str] = dict.fromkeys(
    ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), _PROXY
)
"""How a step's programs learn of the proxy."""

AnyNetwork = IPv4Network | IPv6Network
AnyAddress = IPv4Address | IPv6Address


class _Refused(Exception):
    """The proxy does not go there; the message says why."""


@dataclass(kw_only=True)
class Egress:
    """The proxy of one command. `allowed`: networks that may be reached although they are not public."""

    allowed: Sequence[AnyNetwork] = ()
    refused: list[str] = field(default_factory=list[str])

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """Serves until the end; gives the descriptor that the sandbox hands its port out by."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        serving = asyncio.create_task(self._serve(ours))
        try:
            with closing(theirs):
                yield theirs.fileno()
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            ours.close()

    async def _serve(self, channel: socket.socket) -> None:
        listener = await _received(channel)
        connections: set[asyncio.Task[None]] = set()
        try:
            while True:
                client, _ = await asyncio.get_running_loop().sock_accept(listener)
                task = asyncio.create_task(self._answer(client))
                connections.add(task)
                task.add_done_callback(connections.discard)
        finally:
            listener.close()
            for task in list(connections):
                task.cancel()
            await asyncio.gather(*connections, return_exceptions=True)

    async def _answer(self, client: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=client)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError), closing(writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            try:
                host, port, forwarded = read_request(head)
                upstream = await self._connect(host, port)
            except _Refused as refusal:
                self.refused.append(str(refusal))
                writer.write(f"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n{refusal}\n".encode())
                return await writer.drain()
            except OSError as error:
                writer.write(f"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n{error}\n".encode())
                return await writer.drain()
            with closing(upstream[1]):
                if forwarded:
                    upstream[1].write(forwarded)
                else:
                    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await asyncio.gather(_pass_on(reader, upstream[1]), _pass_on(upstream[0], writer))
        return None

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        for address in addresses:
            if self.may_reach(ip_address(address.partition("%")[0])):
                return await asyncio.wait_for(asyncio.open_connection(address, port), CONNECT_SECONDS)
        raise _Refused(f"{host}:{port} is no public address ({', '.join(addresses)})")

    def may_reach(self, address: AnyAddress) -> bool:
        """Whether the proxy connects to an address."""
        if any(address in network for network in self.allowed):
            return True
        return is_public(address) and not _is_own(address)


def is_public(address: AnyAddress) -> bool:
    """Whether an address is of the internet, also where it carries another one in it."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


def _is_own(address: AnyAddress) -> bool:
    """Whether it is one of this machine's: only those can be bound to."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as trial:
        try:
            trial.bind((str(address), 0))
        except OSError:
            return False
    return True


def read_request(head: str) -> tuple[str, int, bytes]:
    """Host and port of a request to a proxy, and what is sent on of its head: nothing where it asks for a tunnel.

    Raises `_Refused` for what is no request to a proxy.
    """
    line, *fields = head.rstrip("\r\n").split("\r\n")
    method, _, rest = line.partition(" ")
    target = rest.rpartition(" ")[0]
    try:
        url = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host, port = url.hostname or "", url.port or 80
    except ValueError:
        host, port, url = "", 0, urlsplit("")
    if not host or (method != "CONNECT" and url.scheme != "http"):
        raise _Refused(f"{line[:200]!r} is no request to a proxy")
    if method == "CONNECT":
        return host, port, b""
    path = url._replace(scheme="", netloc="").geturl() or "/"
    kept = [each for each in fields if not each.lower().startswith(("proxy-", "connection:"))]
    return host, port, "\r\n".join([f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]).encode("latin-1")


async def _received(channel: socket.socket) -> socket.socket:
    """The listening socket that the sandbox sends."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[None] = loop.create_future()
    loop.add_reader(channel, lambda: arrived.done() or arrived.set_result(None))
    try:
        await arrived
    finally:
        loop.remove_reader(channel)
    _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
    if not descriptors:
        raise OSError("the sandbox ended before it had a port")
    listener = socket.socket(fileno=descriptors[0])
    listener.setblocking(False)
    return listener


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
