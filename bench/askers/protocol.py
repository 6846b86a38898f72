"""What an asker answers, a line of JSON for each line of JSON.

The first line holds the facts that it needs to begin, and is answered with `{}`. Then

| line | answer |
| --- | --- |
| `{"do": "one_by_one", "scopes": […]}` | `{"ns": […]}`, how long each took |
| `{"do": "at_once", "scopes": […]}` | `{"begun": ns, "ended": ns}` |

A scope is `[installation id, repository id]`, each with `contents: read`. Times are of the machine's monotonic clock.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Facts = dict[str, Any]
Scope = tuple[int, int]
PERMISSIONS = {"contents": "read"}


class Asker(Protocol):
    """Asks for tokens."""

    async def token(self, installation_id: int, repository_id: int) -> str: ...


def serve(opened: Callable[[Facts], AbstractAsyncContextManager[Asker]]) -> None:
    """Answers standard input until it ends."""
    asyncio.run(_serve(opened))


async def _serve(opened: Callable[[Facts], AbstractAsyncContextManager[Asker]]) -> None:
    lines = _lines()
    async with opened(await anext(lines)) as asker:
        print("{}", flush=True)
        async for line in lines:
            does = _one_by_one if line["do"] == "one_by_one" else _at_once
            print(json.dumps(await does(asker, line["scopes"])), flush=True)


async def _lines() -> AsyncIterator[dict[str, Any]]:
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield json.loads(line)


async def _one_by_one(asker: Asker, scopes: list[Scope]) -> dict[str, Any]:
    took: list[int] = []
    for scope in scopes:
        begun = time.monotonic_ns()
        await asker.token(*scope)
        took.append(time.monotonic_ns() - begun)
    return {"ns": took}


async def _at_once(asker: Asker, scopes: list[Scope]) -> dict[str, Any]:
    begun = time.monotonic_ns()
    await asyncio.gather(*(asker.token(*scope) for scope in scopes))
    return {"begun": begun, "ended": time.monotonic_ns()}
