"""Commands through Octobatch beside jobs through other queues: one run, one server, the same durability.

`python -m bench queue` installs the others into environments of their own, runs rounds in alternating order, and writes
the medians to `bench/results/queue.md`. `--quick` takes one short round, `--only arq,celery` these beside ours.

Throughput: all jobs are submitted, then one worker process (or two) starts; the clock runs from when each has done its
first job until the last is done. Latency: one worker process waits, and jobs come one at a time at a tenth of our own
throughput, or at half of what a queue can do where that is less; from just before a job is submitted to its handler's
end. Handlers do nothing. Each job must be done once, or the round is an error.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import psutil
from redis import Redis

import migrations
from bench.queues import figures
from bench.queues.figures import Latency, Line, Record, Target, Throughput
from bench.queues.systems import BARE, CONCURRENCY, EFFECTS, OURS, QUEUES, WITH_POSTGRES, System, python_of
from sandbox.embedded.postgres import EmbeddedPostgres, running_postgres
from sandbox.embedded.valkey import EmbeddedValkey, running_valkey

ADAPTERS = Path(__file__).parent / "queues"
RESULTS = Path(__file__).parent / "results" / "queue.md"
RECORD = struct.Struct("=QQQ")  # as in `queues/adapter.py`
CONNECTIONS = 16
LONGEST_SECONDS = 60.0
READY_SECONDS = 20.0
WARM_UP = 50
POLL_SECONDS = 0.05


class Failed(Exception):
    """A run that says nothing: the process ended, or took too long."""


class Stand:
    """The servers, and the runs on them."""

    def __init__(self, valkey: EmbeddedValkey, postgres: EmbeddedPostgres, folder: Path) -> None:
        self._redis = Redis.from_url(valkey.url)
        self._folder = folder
        self._dsn = postgres.dsn()
        self._environment = {
            "PATH": os.environ["PATH"],
            "BENCH_REDIS_URL": valkey.url,
            "BENCH_CONCURRENCY": str(CONCURRENCY),
            "OCTOBATCH_REDIS_URL": valkey.url,
            "OCTOBATCH_POSTGRES_DSN": self._dsn,
            "OCTOBATCH_POSTGRES_POOL_SIZE": str(CONNECTIONS),
            "OCTOBATCH_WORKER_CONCURRENCY": str(CONCURRENCY),
            "OCTOBATCH_BLOBSTORE_URL": folder.as_uri(),
            "OCTOBATCH_LOG_LEVEL": "WARNING",
        }
        self._runs = 0

    def prepare(self) -> None:
        """Makes the tables."""
        migrations.upgrade(self._dsn)
        asyncio.run(self._execute("CREATE TABLE effects (operation_id uuid PRIMARY KEY, at timestamptz DEFAULT now())"))

    async def _execute(self, *statements: str) -> None:
        conn = await asyncpg.connect(self._dsn)
        try:
            for statement in statements:
                await conn.execute(statement)
        finally:
            await conn.close()

    def throughput(self, system: System, *, processes: int, count: int) -> Throughput:
        """Submits `count` jobs, and then has them done."""
        tallies = self._fresh(system)
        submitting = float(self._command(system, "submit", count))
        with self._workers(system, processes, tallies) as workers:
            started = self._until(tallies, workers, 1, processes=processes)
            before = _cpu_seconds(workers)
            done = self._until(tallies, workers, count)
            cpu = _cpu_seconds(workers) - before
        by_process = _read(tallies)
        figures.check_once_each([record for records in by_process for record in records], count)
        return Throughput(
            jobs=count,
            jobs_a_second=figures.jobs_a_second(by_process),
            submitted_a_second=count / submitting,
            cpu_us_a_job=cpu / (done - started) * 1e6,
        )

    def latency(self, system: System, *, rate: float, seconds: float) -> Latency:
        """Submits jobs at `rate` to a worker that waits for them."""
        tallies = self._fresh(system)
        with self._workers(system, 1, tallies) as workers:
            self._command(system, "submit", 1)  # done once it is ready
            self._until(tallies, workers, 1, seconds=READY_SECONDS)
            count = WARM_UP + int(rate * seconds)
            self._command(system, "pace", count, rate)
            self._until(tallies, workers, 1 + count)
        records = [record for records in _read(tallies) for record in records]
        figures.check_once_each(records, 1 + count)
        return figures.latency(records, rate=rate, warm_up=WARM_UP)

    def _fresh(self, system: System) -> Path:
        self._runs += 1
        self._redis.flushall()
        if system.needs_postgres:
            asyncio.run(self._execute("TRUNCATE operations, effects CASCADE", "CHECKPOINT"))
        tallies = self._folder / f"run-{self._runs}"
        tallies.mkdir()
        return tallies

    def _environment_of(self, system: System, tallies: Path) -> dict[str, str]:
        return self._environment | {"BENCH_OPTION": system.option, "BENCH_TALLY": str(tallies)}

    def _command(self, system: System, *words: object) -> str:
        done = subprocess.run(
            [python_of(system.adapter), ADAPTERS / f"with_{system.adapter}.py", *map(str, words)],
            env=self._environment_of(system, self._folder),
            check=False,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
        )
        if done.returncode:
            raise Failed(f"{system.name}: {words[0]}: {done.stderr[-2000:]}")
        return done.stdout.strip()

    @contextlib.contextmanager
    def _workers(self, system: System, processes: int, tallies: Path) -> Iterator[list[psutil.Popen]]:
        log = self._folder / f"{tallies.name}.log"
        with log.open("wb") as out:
            workers = [
                psutil.Popen(
                    [python_of(system.adapter), ADAPTERS / f"with_{system.adapter}.py", "work"],
                    env=self._environment_of(system, tallies),
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )
                for _ in range(processes)
            ]
        try:
            yield workers
        except Failed as error:
            raise Failed(f"{system.name}: {error}\n{log.read_text(errors='replace')[-2000:]}") from error
        finally:
            for worker in workers:
                _stop(worker)

    def _until(
        self,
        tallies: Path,
        workers: Sequence[psutil.Popen],
        count: int,
        *,
        processes: int = 1,
        seconds: float = LONGEST_SECONDS,
    ) -> int:
        deadline = time.monotonic() + seconds
        while True:
            counts = [_count(path) for path in tallies.glob("*.tally")]
            if len([each for each in counts if each]) >= processes and sum(counts) >= count:
                return sum(counts)
            if time.monotonic() > deadline or any(worker.poll() is not None for worker in workers):
                raise Failed(f"{sum(counts)} of {count} jobs were done by {len(counts)} of {processes} processes")
            time.sleep(POLL_SECONDS)


def _count(tally: Path) -> int:
    with tally.open("rb") as file:
        return int.from_bytes(file.read(8), sys.byteorder)  # 0 where the process is still making it


def _read(tallies: Path) -> list[list[Record]]:
    found: list[list[Record]] = []
    for path in tallies.glob("*.tally"):
        with path.open("rb") as file:
            [count] = struct.unpack("=Q", file.read(8))
            if count:
                found.append(list(RECORD.iter_unpack(file.read(count * RECORD.size))))
    return found


def _cpu_seconds(workers: Sequence[psutil.Popen]) -> float:
    spent = 0.0
    for worker in workers:
        for process in (worker, *worker.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                spent += times.user + times.system
    return spent


def _stop(worker: psutil.Popen) -> None:
    group = worker.pid  # a session of its own
    with contextlib.suppress(psutil.TimeoutExpired, psutil.NoSuchProcess):
        worker.send_signal(signal.SIGTERM)
        worker.wait(5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    worker.wait(5)


class Measurement:
    """Rounds of all systems, in an order that turns round each time."""

    def __init__(self, stand: Stand, systems: Sequence[System], *, seconds: float) -> None:
        self._stand = stand
        self._systems = systems
        self._seconds = seconds
        self._rates = {
            (system.name, processes): system.expected * processes for system in systems for processes in (1, 2)
        }
        self.throughputs: defaultdict[tuple[str, int], list[Throughput]] = defaultdict(list)
        self.latencies: defaultdict[str, list[Latency]] = defaultdict(list)

    def throughput_round(self, number: int) -> None:
        """One run of each system with each number of processes."""
        for system in self._systems if number % 2 == 0 else reversed(self._systems):
            for processes in system.processes:
                key = (system.name, processes)
                count = max(int(self._rates[key] * self._seconds), 200)
                found = self._stand.throughput(system, processes=processes, count=count)
                self._rates[key] = found.jobs_a_second
                self.throughputs[key].append(found)
                print(
                    f"{system.name}, {processes} process{'es' if processes > 1 else ''}: "
                    f"{found.jobs_a_second:,.0f}/s of {count:,}, {found.cpu_us_a_job:,.0f} µs CPU a job",
                    flush=True,
                )

    def latency_round(self, number: int) -> None:
        """One paced run of each system."""
        load = self._one(OURS).jobs_a_second / 10
        for system in self._systems if number % 2 == 0 else reversed(self._systems):
            if system.has_latency:
                rate = min(load, self._one(system).jobs_a_second / 2)
                found = self._stand.latency(system, rate=rate, seconds=self._seconds)
                self.latencies[system.name].append(found)
                print(f"{system.name}: p50 {found.p50_ms:.2f}, p99 {found.p99_ms:.2f} ms at {rate:,.0f}/s", flush=True)

    def _one(self, system: System) -> Throughput:
        return figures.middle(self.throughputs[system.name, 1])

    def line(self, system: System) -> Line:
        """What is to be said of a system."""
        rates = [each.jobs_a_second for each in self.throughputs[system.name, 1]]
        rounds = self.latencies[system.name]
        return Line(
            name=system.name,
            settings=system.settings,
            by_processes={each: figures.middle(self.throughputs[system.name, each]) for each in system.processes},
            spread=(min(rates), max(rates)),
            latency=figures.middle_latency(rounds) if rounds else None,
        )


def _targets(lines: Sequence[Line]) -> list[Target]:
    by_name = {line.name: line for line in lines}

    def rate(name: str) -> float:
        return by_name[name].by_processes[1].jobs_a_second

    targets = [
        Target(f"jobs a second beside {name}", rate(OURS.name) / rate(name), wanted, "x")
        for name, wanted in (("arq", 15.0), ("arq, poll 0.5 s", 15.0), ("streaq", 8.0), ("taskiq-redis", 6.0))
        if name in by_name
    ]
    ours = by_name[OURS.name].latency
    if ours:
        targets.append(Target("p99 at a tenth of that load", ours.p99_ms, 4.0, "ms", is_most=True))
        rivals = [line.latency.p99_ms for line in lines if line.latency and not line.name.startswith("Octobatch")]
        if rivals:
            targets.append(Target("p99 beside the best of the others", ours.p99_ms, min(rivals), "ms", is_most=True))
    if EFFECTS.name in by_name:
        share = rate(EFFECTS.name) / rate(BARE.name) * 100
        targets.append(Target("effects in Postgres beside a bare asyncpg loop", share, 70.0, "%"))
    return targets


def _page(lines: Sequence[Line], *, rounds: int, seconds: float) -> str:
    queues = [line for line in lines if line.name not in {system.name for system in WITH_POSTGRES}]
    postgres = [line for line in lines if line not in queues]
    said = (
        f"Written by `python -m bench queue` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: medians of {rounds} rounds of "
        f"about {seconds:g} s each, {os.cpu_count()} cores, Python {platform.python_version()}, load average "
        f"{os.getloadavg()[0]:.1f} at the end. One Valkey 9 with an append-only file (everysec); no-op handlers."
    )
    page = ["# Commands through queues", "", said, "", *figures.table(queues, ours=OURS.name), ""]
    if postgres:
        page += [
            f"With Postgres (durable, {CONNECTIONS} connections):",
            "",
            *figures.table(postgres, ours=EFFECTS.name),
            "",
        ]
    page += ["| target | wanted | reached | |", "| --- | --- | --- | --- |", *map(str, _targets(lines)), ""]
    return "\n".join(page)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints, and writes the page (not for `--quick` or `--only`)."""
    parser = argparse.ArgumentParser(prog="python -m bench queue", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of a second each")
    parser.add_argument("--rounds", type=int, help="rounds; their medians count (3)")
    parser.add_argument("--seconds", type=float, help="about how long one run of a backlog takes (2)")
    parser.add_argument("--only", help="adapters, with commas: these beside ours")
    asked = parser.parse_args(arguments)
    rounds = asked.rounds or (1 if asked.quick else 3)
    seconds = asked.seconds or (1.0 if asked.quick else 2.0)
    only = set(asked.only.split(",")) if asked.only else None
    systems = [
        system
        for system in (*QUEUES, *WITH_POSTGRES)
        if only is None or system is OURS or ("postgres" if system.needs_postgres else system.adapter) in only
    ]
    for system in systems:
        python_of(system.adapter)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_valkey(folder) as valkey, running_postgres(folder) as postgres:
            stand = Stand(valkey, postgres, folder)
            stand.prepare()
            measurement = Measurement(stand, systems, seconds=seconds)
            for number in range(rounds):
                measurement.throughput_round(number)
            for number in range(rounds):
                measurement.latency_round(number)
    page = _page([measurement.line(system) for system in systems], rounds=rounds, seconds=seconds)
    print(page)
    if not asked.quick and only is None:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(page)


if __name__ == "__main__":
    main()
