"""Request and reply over a command stream, for commands that have no row in Postgres (tokens).

    answer = await requests.ask(Service.TOKENS, "mint_token", {"installation_id": 1}, timeout_seconds=10)

A lost request is not tried again by anybody but its asker: `ask` raises `Unavailable` after its timeout. Answers to
all requests of a process come to one list, which is read over one connection while anybody waits.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from ..domain.ids import OperationId, new_id
from ..domain.operation import Service
from ..errors import Unavailable
from . import keys
from .commands import CommandStreams
from .envelope import Envelope
from .script import Script

ANSWER_KEPT_SECONDS = 60
"""How long an answer waits for a process that does not come for it."""

BLOCK_SECONDS = 5.0
RECONNECT_SECONDS = 0.2
ANSWERS_AT_ONCE = 100


_ANSWER = Script.read("answer")


class Requests:
    """Asks workers and waits for their answers."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._commands = CommandStreams(redis)
        self._reply_key = keys.replies(secrets.token_hex(8))
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def ask(
        self,
        service: Service,
        type: str,  # noqa: A002
        payload: Mapping[str, Any],
        *,
        timeout_seconds: float = 10,
    ) -> dict[str, Any]:
        """The answer to the command `type`; raises `Unavailable` where none comes in time.

        An error answer is a result like any other: `{"error": {"type": …, "message": …}}`.
        """
        request_id = OperationId(new_id())
        envelope = Envelope(
            id=request_id,
            service=service,
            type=type,
            payload=payload,
            dedupe_key=str(request_id),
            actor="system",
            reply_to=self._reply_key,
            expires_ms=int(timeout_seconds * 1000),
        )
        answer = self._waiting[str(request_id)] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._commands.append([envelope])
                self._start_reading()
                return await answer
        except TimeoutError:
            raise Unavailable(f"the {service} worker", f"no answer within {timeout_seconds:g} s") from None
        except (RedisError, OSError) as error:
            raise Unavailable("Redis", str(error)) from error
        finally:
            self._waiting.pop(str(request_id), None)
            if not self._waiting and self._reader:
                self._reader.cancel()  # it ended by itself, unless the last one to wait gave up

    def _start_reading(self) -> None:
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read_answers(), name="read answers")

    async def _read_answers(self) -> None:
        while self._waiting:
            try:
                popped: Any = await self._redis.blmpop(  # pyright: ignore
                    BLOCK_SECONDS,
                    1,
                    self._reply_key,  # pyright: ignore[reportArgumentType]
                    direction="LEFT",
                    count=ANSWERS_AT_ONCE,
                )
            except (RedisError, OSError):
                await asyncio.sleep(RECONNECT_SECONDS)  # whoever waits is told by the timeout
                continue
            for raw in cast("list[bytes]", popped[1]) if popped else ():
                self._hand_over(json.loads(raw))

    def _hand_over(self, reply: Mapping[str, Any]) -> None:
        waiting = self._waiting.pop(reply["request_id"], None)
        if waiting and not waiting.done():
            waiting.set_result(reply["answer"])


async def answer_request(redis: Redis, envelope: Envelope, answer: Mapping[str, Any]) -> None:
    """Sends the answer to the process that asked; raises what Redis raises."""
    if envelope.reply_to is None:
        raise TypeError(f"nobody waits for an answer to {envelope.type} {envelope.id}")
    reply = json.dumps({"request_id": str(envelope.id), "answer": dict(answer)}, separators=(",", ":"))
    await _ANSWER.run(redis, [envelope.reply_to], [reply, ANSWER_KEPT_SECONDS])
