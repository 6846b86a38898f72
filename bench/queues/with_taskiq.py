"""taskiq-redis: its stream broker, acknowledging after the handler has ended, without a result backend."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapter import URL, Jobs, become, done, gather_many, main_async
from taskiq_redis import RedisStreamBroker

broker = RedisStreamBroker(URL, consumer_id="0", max_connection_pool_size=60)


@broker.task(task_name="job")
async def job(number: int, at: int) -> None:
    done(number, at)


class Client:
    async def submit(self, number: int, at: int) -> None:
        await job.kiq(number, at)

    async def submit_many(self, numbers: Jobs) -> None:
        await gather_many(self.submit, numbers)


@asynccontextmanager
async def connect() -> AsyncIterator[Client]:
    await broker.startup()
    try:
        yield Client()
    finally:
        await broker.shutdown()


def work() -> None:
    # its default of 100 jobs at once and 100 entries a read is better for it than fewer
    become("taskiq", "worker", "with_taskiq:broker", "-w", "1", "--ack-type", "when_executed", "--log-level", "ERROR")


if __name__ == "__main__":
    main_async(connect, work)
