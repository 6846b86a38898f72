"""Many readers of one event stream, as cheap as they can be: a socket each, which looks for when an event happened.

`python -m bench.serving.readers PORT PATH KEY COUNT` says `ready` once each has a snapshot, and at a line on its input
what they received: one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from array import array
from datetime import datetime

from bench.queues.figures import percentile

MARK, STAMP = b'"occurred_at":"', 32
AT_ONCE = 100


class Reader(asyncio.Protocol):
    """One connection."""

    def __init__(self, request: bytes, delays: array[float]) -> None:
        self.is_ready = asyncio.get_running_loop().create_future()
        self.is_broken = False
        self.received = 0
        self._request = request
        self._delays = delays
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks."""
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Notes how late each event is."""
        now = time.time()
        data = self._rest + data
        if not self.is_ready.done() and b"event: snapshot" in data:
            self.is_ready.set_result(None)
        start = 0
        while (found := data.find(MARK, start)) >= 0 and len(data) >= found + len(MARK) + STAMP:
            start = found + len(MARK) + STAMP
            self.received += 1
            self._delays.append(now - datetime.fromisoformat(data[found + len(MARK) : start].decode()).timestamp())
        self._rest = data[max(start, len(data) - len(MARK) - STAMP) :]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Is not to happen."""
        self.is_broken = True


async def main(port: int, path: str, key: str, count: int) -> None:
    """Connects, waits, and tells."""
    loop = asyncio.get_running_loop()
    delays = array("d")
    request = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n\r\n".encode()
    readers: list[Reader] = []
    for start in range(0, count, AT_ONCE):
        some = [Reader(request, delays) for _ in range(min(AT_ONCE, count - start))]
        for reader in some:
            await loop.create_connection(lambda reader=reader: reader, "127.0.0.1", port)
        await asyncio.wait_for(asyncio.gather(*(reader.is_ready for reader in some)), 60)
        readers += some
    print("ready", flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        ordered = sorted(delays)
        report = {
            "received": [min(reader.received for reader in readers), max(reader.received for reader in readers)],
            "broken": sum(reader.is_broken for reader in readers),
            "p50_ms": percentile(ordered, 50) * 1000 if ordered else None,
            "p99_ms": percentile(ordered, 99) * 1000 if ordered else None,
            "max_ms": ordered[-1] * 1000 if ordered else None,
        }
        print(json.dumps(report), flush=True)
        del delays[:]
        for reader in readers:
            reader.received = 0


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
