"""streaq: Redis Streams. No results are kept, nothing is logged for each job."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapter import CONCURRENCY, URL, Jobs, done, main_async, now_ns
from streaq import Worker

worker = Worker(redis_url=URL, concurrency=CONCURRENCY)


@worker.task(ttl=0, silent=True, name="job")
async def job(number: int, at: int) -> None:
    done(number, at)


class Client:
    async def submit(self, number: int, at: int) -> None:
        await job.enqueue(number, at)

    async def submit_many(self, numbers: Jobs) -> None:
        await worker.enqueue_many([job.enqueue(number, now_ns()) for number in numbers])


@asynccontextmanager
async def connect() -> AsyncIterator[Client]:
    async with worker:
        yield Client()


if __name__ == "__main__":
    main_async(connect, worker.run_sync)
