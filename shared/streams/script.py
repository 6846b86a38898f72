"""Lua scripts in Redis: read from `scripts/`, called by their digest, loaded where the server does not know them.

A server forgets its scripts when it restarts or fails over: `NOSCRIPT` says that nothing was run, so the script is
loaded and the call repeated.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode, PipelineCommand
from redis.exceptions import AskError, NoScriptError, RedisError

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
        if isinstance(redis, RedisCluster):
            return await self._pipelined_by_node(redis, calls)
        async with redis.pipeline(transaction=False) as pipeline:
            for keys, args in calls:
                pipeline.evalsha(self.sha, len(keys), *keys, *args)  # pyright: ignore
            return await pipeline.execute(raise_on_error=False)

    async def _pipelined_by_node(
        self, cluster: RedisCluster, calls: Sequence[tuple[Sequence[str], Sequence[Argument]]]
    ) -> list[Any]:
        # a cluster's own pipeline takes no scripts, since their keys may be on several nodes; ours are on one
        await cluster.initialize()
        commands = [
            PipelineCommand(index, "EVALSHA", self.sha, len(keys), *keys, *args)
            for index, (keys, args) in enumerate(calls)
        ]
        nodes: dict[str, ClusterNode] = {}
        by_node: dict[str, list[PipelineCommand]] = defaultdict(list)
        for command, (keys, _) in zip(commands, calls, strict=True):
            node = cast("ClusterNode", cluster.get_node_from_key(keys[0]))
            nodes[node.name] = node
            by_node[node.name].append(command)
        await asyncio.gather(*(nodes[name].execute_pipeline(asked) for name, asked in by_node.items()))
        for command, (keys, args) in zip(commands, calls, strict=True):
            if isinstance(command.result, AskError):  # and MovedError: nothing was run there
                command.result = await self._one(cluster, keys, args)
        return [command.result for command in commands]

    async def _one(self, cluster: RedisCluster, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        try:
            return await cluster.evalsha(self.sha, len(keys), *keys, *args)  # pyright: ignore
        except RedisError as error:
            return error
