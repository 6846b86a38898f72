"""Asks a route again and again, from a process of its own.

`python -m bench.serving.asking PORT KEY` reads a line of JSON for each load and answers with what its requests took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from bench.askers.http import Http, open_http
from bench.queues.figures import percentile


async def load(
    http: Http, *, method: str, path: str, body: str, count: int, connections: int, rate: float | None
) -> dict[str, float]:
    """`count` requests, as many at once as `connections`; with a `rate`, so many a second."""
    took: list[float] = []
    left = iter(range(count))
    begun = time.perf_counter()

    async def ask() -> None:
        for number in left:
            if rate:
                await asyncio.sleep(max(begun + number / rate - time.perf_counter(), 0))
            asked = time.perf_counter()
            await http.request(method, path, body.encode())
            took.append((time.perf_counter() - asked) * 1000)

    await asyncio.gather(*(ask() for _ in range(connections)))
    seconds = time.perf_counter() - begun
    ordered = sorted(took)
    return {
        "a_second": count / seconds,
        "p50_ms": percentile(ordered, 50),
        "p99_ms": percentile(ordered, 99),
    }


async def main(port: int, key: str) -> None:
    """One load for each line."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    while line := await asyncio.to_thread(sys.stdin.readline):
        wanted: dict[str, Any] = json.loads(line)
        async with open_http(port, headers) as http:  # the server closes connections that are idle between loads
            print(json.dumps(await load(http, **wanted)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
