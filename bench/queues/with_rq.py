"""rq: `SimpleWorker`, which runs jobs in its own process (its usual worker forks for each one), without results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from adapter import URL, Jobs, done, main_blocking, now_ns
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer


class Client:
    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def submit(self, number: int, at: int) -> None:
        self._queue.enqueue(done, number, at, result_ttl=0, description="job")

    def submit_many(self, numbers: Jobs) -> None:
        self._queue.enqueue_many(
            [Queue.prepare_data(done, args=(number, now_ns()), result_ttl=0, description="job") for number in numbers]
        )


@contextmanager
def connect() -> Iterator[Client]:
    with Redis.from_url(URL) as redis:
        yield Client(Queue("bench", connection=redis, serializer=JSONSerializer))


def work() -> None:
    redis = Redis.from_url(URL)
    SimpleWorker(["bench"], connection=redis, serializer=JSONSerializer, log_job_description=False).work(
        logging_level="ERROR"
    )


if __name__ == "__main__":
    main_blocking(connect, work)
