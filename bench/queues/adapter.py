"""What all adapters share. Standard library only: it runs in every queue's own environment.

An adapter is a script of three commands:

    submit N         submits N jobs as fast as it can, prints the seconds
    pace N RATE      submits the jobs 1 to N, RATE a second, one at a time
    work             runs one worker process until SIGTERM

Each job is two integers, its number and the time it was submitted; its handler does nothing but `done(number, at)`.
Times are `time.monotonic_ns()`, which is one clock for all processes of a machine.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import struct
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import Protocol

URL = os.environ["BENCH_REDIS_URL"]
CONCURRENCY = int(os.environ["BENCH_CONCURRENCY"])
OPTION = os.environ.get("BENCH_OPTION", "")

RECORD = struct.Struct("=QQQ")  # number, submitted at, done at
MOST_RECORDS = 1_000_000
now_ns = time.monotonic_ns

Jobs = Sequence[int]


class Tally:
    """What one process has done, in a file that is mapped into memory: cheap to write, and read while it runs."""

    def __init__(self, folder: Path) -> None:
        path = folder / f"{os.getpid()}.tally"
        with path.open("wb") as file:
            file.truncate(8 + MOST_RECORDS * RECORD.size)  # sparse
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._lock = threading.Lock()
        self._count = 0

    def add(self, number: int, submitted_ns: int) -> None:
        """Writes down that a job's handler has ended, now."""
        with self._lock:
            RECORD.pack_into(self._map, 8 + self._count * RECORD.size, number, submitted_ns, now_ns())
            self._count += 1
            struct.pack_into("=Q", self._map, 0, self._count)


_tally: Tally | None = None


def _forget() -> None:
    global _tally  # noqa: PLW0603  # a forked child writes to a file of its own
    _tally = None


os.register_at_fork(after_in_child=_forget)
_making = threading.Lock()


def done(number: int, submitted_ns: int) -> None:
    """The last thing that every handler does."""
    global _tally  # noqa: PLW0603
    if _tally is None:
        with _making:
            if _tally is None:
                _tally = Tally(Path(os.environ["BENCH_TALLY"]))
    _tally.add(number, submitted_ns)


class AsyncClient(Protocol):
    """Submits jobs of a queue with an asyncio client."""

    async def submit(self, number: int, at: int) -> object: ...
    async def submit_many(self, numbers: Jobs) -> None: ...


class Client(Protocol):
    """Submits jobs of a queue with a blocking client."""

    def submit(self, number: int, at: int) -> object: ...
    def submit_many(self, numbers: Jobs) -> None: ...


def batches(count: int, size: int = 500) -> Iterator[range]:
    """The numbers below `count`, in batches."""
    for start in range(0, count, size):
        yield range(start, min(start + size, count))


def _due(count: int, rate: float) -> Iterator[tuple[int, float]]:
    started = time.monotonic()
    for number in range(1, count + 1):
        yield number, started + number / rate - time.monotonic()


async def _paced(count: int, rate: float) -> AsyncIterator[int]:
    for number, wait in _due(count, rate):
        if wait > 0:
            await asyncio.sleep(wait)
        yield number


async def _submit_async(connect: Callable[[], AbstractAsyncContextManager[AsyncClient]], arguments: list[str]) -> None:
    async with connect() as client:
        started = time.perf_counter()
        if arguments[0] == "pace":
            async for number in _paced(int(arguments[1]), float(arguments[2])):
                await client.submit(number, now_ns())
        else:
            for numbers in batches(int(arguments[1])):
                await client.submit_many(numbers)
        print(time.perf_counter() - started)


def main_async(connect: Callable[[], AbstractAsyncContextManager[AsyncClient]], work: Callable[[], object]) -> None:
    """Runs the command of an adapter whose client is of asyncio."""
    if sys.argv[1] == "work":
        work()
    else:
        asyncio.run(_submit_async(connect, sys.argv[1:]))


def main_blocking(connect: Callable[[], AbstractContextManager[Client]], work: Callable[[], object]) -> None:
    """Runs the command of an adapter whose client blocks."""
    if sys.argv[1] == "work":
        work()
        return
    with connect() as client:
        started = time.perf_counter()
        if sys.argv[1] == "pace":
            for number, wait in _due(int(sys.argv[2]), float(sys.argv[3])):
                if wait > 0:
                    time.sleep(wait)
                client.submit(number, now_ns())
        else:
            for numbers in batches(int(sys.argv[2])):
                client.submit_many(numbers)
        print(time.perf_counter() - started)


def become(*command: str) -> None:
    """Replaces this process by a queue's own command line, from the environment's `bin`, in this folder."""
    program = Path(sys.executable).parent / command[0]
    os.chdir(Path(__file__).parent)
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    os.execv(program, [str(program), *command[1:]])


async def gather_many(submit: Callable[[int, int], Awaitable[object]], numbers: Jobs, at_once: int = 50) -> None:
    """For clients that have no way to submit many: so many calls at once."""
    for start in range(0, len(numbers), at_once):
        await asyncio.gather(*(submit(number, now_ns()) for number in numbers[start : start + at_once]))
