"""dramatiq: its Redis broker, one process of eight threads (its default number)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dramatiq
from adapter import URL, Jobs, become, done, main_blocking, now_ns
from dramatiq.brokers.redis import RedisBroker

broker = RedisBroker(url=URL)
dramatiq.set_broker(broker)


@dramatiq.actor(actor_name="job")
def job(number: int, at: int) -> None:
    done(number, at)


class Client:
    def submit(self, number: int, at: int) -> None:
        job.send(number, at)

    def submit_many(self, numbers: Jobs) -> None:
        for number in numbers:
            job.send(number, now_ns())


@contextmanager
def connect() -> Iterator[Client]:
    yield Client()


def work() -> None:
    become("dramatiq", "with_dramatiq", "--processes", "1", "--threads", "8", "--skip-logging")


if __name__ == "__main__":
    main_blocking(connect, work)
