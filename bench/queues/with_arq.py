"""arq: a sorted set and polling. No results are kept, which spares it two writes a job."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from adapter import CONCURRENCY, OPTION, URL, Jobs, done, gather_many, main_async
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.worker import Worker, func

SETTINGS = RedisSettings.from_dsn(URL)


async def job(_ctx: dict[Any, Any], number: int, at: int) -> None:
    done(number, at)


class Client:
    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis

    async def submit(self, number: int, at: int) -> None:
        await self._redis.enqueue_job("job", number, at)

    async def submit_many(self, numbers: Jobs) -> None:
        await gather_many(self.submit, numbers)


@asynccontextmanager
async def connect() -> AsyncIterator[Client]:
    redis = await create_pool(SETTINGS)
    try:
        yield Client(redis)
    finally:
        await redis.aclose()


def work() -> None:
    Worker(
        [func(job, name="job", keep_result=0)],
        redis_settings=SETTINGS,
        max_jobs=CONCURRENCY,
        poll_delay=float(OPTION),
    ).run()


if __name__ == "__main__":
    main_async(connect, work)
