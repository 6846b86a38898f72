"""As little HTTP/1.1 as a measurement of latency needs: a client that costs more than the server measures itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Http:
    """Requests over connections that are kept; a new one is opened where all are in use."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._port = port
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._free: list[Connection] = []

    async def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The body of a 200 or 202; anything else raises `RuntimeError`."""
        reader, writer = self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", self._port)
        head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{self._headers}content-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
        content = await reader.readexactly(length)
        if " 200 " not in status and " 202 " not in status:
            raise RuntimeError(f"{method} {path}: {status} {content.decode()}")
        self._free.append((reader, writer))
        return content

    async def close(self) -> None:
        """Closes all connections."""
        for _, writer in self._free:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def open_http(port: int, headers: Mapping[str, str]) -> AsyncIterator[Http]:
    """A client of this machine's `port`, closed at the end."""
    http = Http(port, headers)
    try:
        yield http
    finally:
        await http.close()
