"""`Prefer: wait=10` (RFC 7240): an answer that waits a while for what it has begun.

Where that is done in time the answer is 200 with what came of it, else 202 as without; `Preference-Applied` says how
long was waited at most.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Response, status

from shared.domain.ids import OperationId
from shared.domain.operation import Operation, OperationState
from shared.postgres.operations import get_operation
from shared.postgres.pool import Connection

from .resources import Opened, Resources

T = TypeVar("T")

MOST_SECONDS = 30
FIRST_LOOK_SECONDS = 0.02
LONGEST_BETWEEN_LOOKS_SECONDS = 0.5

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?:$|[,;])", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How long somebody wants to wait; 0 = not at all."""

    resources: Resources
    response: Response
    seconds: int

    async def for_operation(self, operation: Operation) -> Operation:
        """The operation, finished where it was in time."""

        async def look(conn: Connection) -> Operation:
            return await get_operation(conn, OperationId(operation.id))

        return await self.until(look, lambda seen: seen.state is not OperationState.ACCEPTED) or operation

    async def until(self, look: Callable[[Connection], Awaitable[T]], is_done: Callable[[T], bool]) -> T | None:
        """What is seen once it is done, with which the answer is 200; None where it is not in time, or nobody waits."""
        if not self.seconds:
            return None
        self.response.headers["Preference-Applied"] = f"wait={self.seconds}"
        pause, stopping = FIRST_LOOK_SECONDS, self.resources.stopping
        try:
            async with asyncio.timeout(self.seconds):
                while not stopping.is_set():
                    await asyncio.sleep(pause)
                    async with self.resources.pool.acquire() as conn:
                        seen = await look(conn)
                    if is_done(seen):
                        self.response.status_code = status.HTTP_200_OK
                        return seen
                    pause = min(pause * 1.5, LONGEST_BETWEEN_LOOKS_SECONDS)
        except TimeoutError:
            pass
        return None


async def _waiting(
    resources: Opened,
    response: Response,
    prefer: Annotated[
        str | None,
        Header(
            max_length=500, description=f"`wait=10`: wait so many seconds, at most {MOST_SECONDS}, for it to be done"
        ),
    ] = None,
) -> Waiting:
    asked = _WAIT.search(prefer or "")
    return Waiting(resources=resources, response=response, seconds=min(int(asked[1]), MOST_SECONDS) if asked else 0)


Waits = Annotated[Waiting, Depends(_waiting)]
"""A route's parameter of this type waits as its caller prefers."""
