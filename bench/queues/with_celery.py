"""celery: acknowledging late, no results, no gossip; `BENCH_OPTION` names the pool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from adapter import CONCURRENCY, OPTION, URL, Jobs, become, done, main_blocking, now_ns
from celery import Celery

app = Celery("with_celery", broker=URL)
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    task_serializer="json",
    worker_prefetch_multiplier=4,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    worker_send_task_events=False,
)


@app.task(name="job", ignore_result=True)
def job(number: int, at: int) -> None:
    done(number, at)


class Client:
    def submit(self, number: int, at: int) -> None:
        job.apply_async((number, at))

    def submit_many(self, numbers: Jobs) -> None:
        for number in numbers:
            job.apply_async((number, now_ns()))


@contextmanager
def connect() -> Iterator[Client]:
    with app.connection_for_write():
        yield Client()


def work() -> None:
    size = "1" if OPTION == "prefork" else str(CONCURRENCY)
    flags = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR")
    become("celery", "--app", "with_celery", "worker", "--pool", OPTION, "--concurrency", size, *flags)


if __name__ == "__main__":
    main_blocking(connect, work)
