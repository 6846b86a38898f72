"""Lua scripts in Redis: read from `scripts/`, called by their digest, loaded where the server does not know them.

A server forgets its scripts when it restarts or fails over: `NOSCRIPT` says that nothing was run, so the script is
loaded and the call repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

Argument: TypeAlias = str | bytes | int | float


@dataclass(frozen=True)
class Script:
    """A script's source and its SHA-1, which is its name in Redis."""

    source: bytes
    sha: str

    @classmethod
    def read(cls, *names: str) -> Script:
        """The script in `scripts/<name>.lua`, with those that it builds on before it."""
        folder = Path(__file__).parent / "scripts"
        source = b"\n".join((folder / f"{name}.lua").read_bytes() for name in names)
        return cls(source, hashlib.sha1(source, usedforsecurity=False).hexdigest())

    async def run(self, redis: Redis, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """What the script returns."""
        try:
            return await redis.evalsha(self.sha, len(keys), *keys, *args)  # pyright: ignore
        except NoScriptError:
            await redis.script_load(self.source)  # pyright: ignore
            return await redis.evalsha(self.sha, len(keys), *keys, *args)  # pyright: ignore

    async def run_all(self, redis: Redis, calls: Sequence[tuple[Sequence[str], Sequence[Argument]]]) -> list[Any]:
        """What the script returns for each `(keys, args)`, or the error it ended with; one round trip for all."""
        results = await self._pipelined(redis, calls)
        unknown = [index for index, result in enumerate(results) if isinstance(result, NoScriptError)]
        if unknown:
            await redis.script_load(self.source)  # pyright: ignore
            again = await self._pipelined(redis, [calls[index] for index in unknown])
            for index, result in zip(unknown, again, strict=True):
                results[index] = result
        return results

    async def _pipelined(self, redis: Redis, calls: Sequence[tuple[Sequence[str], Sequence[Argument]]]) -> list[Any]:
        async with redis.pipeline(transaction=False) as pipeline:
            for keys, args in calls:
                pipeline.evalsha(self.sha, len(keys), *keys, *args)  # pyright: ignore
            return await pipeline.execute(raise_on_error=False)
