"""2,000 readers of one run's event stream: how late an event is, and what a reader costs the gateway.

`python -m bench events` starts the stores and one gateway process, connects the readers from another process, and has
things happen to a run: each a transaction in Postgres and an entry in Redis, as workers make them. Then the same beside
an application whose readers read Redis each for itself, with all 2,000 and with 200. It writes
`bench/results/events.md`; `--quick` takes 200 readers and short times, and writes no page.

The delay of an event counts from before its transaction begins until a reader has it. Memory is the process's resident
set with all readers, after the events, less what it was before they came.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from bench.running import machine, written_by
from bench.serving.stand import Served, Stores, command, running_stores, serving
from shared.clock import utcnow
from shared.domain.event import Event
from shared.domain.ids import EventId, RunId, TargetId, new_id
from shared.outbox import Outbox
from shared.postgres import targets
from shared.postgres.pool import open_pool
from tests.integration.campaigns.rows import insert_campaign, insert_run, make_target

RESULTS = Path(__file__).parent / "results" / "events.md"
READERS, FEW = 2_000, 200
RATES = (10, 50)
SECONDS = 15.0
TARGETS = 1_000
SETTLING_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What readers received at a rate of events. `kilobytes` are those of one reader."""

    name: str
    readers: int
    rate: float
    events: int
    received: tuple[int, int]  # least and most of a reader
    broken: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu: float  # of one core
    kilobytes: float


class Happening:
    """A run, and things that happen to its targets."""

    def __init__(self, outbox: Outbox, run_id: RunId, target_ids: Sequence[TargetId]) -> None:
        self.run_id = run_id
        self._outbox = outbox
        self._target_ids = target_ids

    async def go_on(self, *, rate: float, seconds: float) -> int:
        """As many events a second, for so long; gives how many those were."""
        count = int(rate * seconds)
        begun = asyncio.get_running_loop().time()
        for number in range(count):
            await asyncio.sleep(max(begun + number / rate - asyncio.get_running_loop().time(), 0))
            target_id = self._target_ids[number % len(self._target_ids)]
            now = utcnow()
            async with self._outbox.transaction() as work:
                await work.emit(
                    Event(
                        id=EventId(new_id()),
                        run_id=self.run_id,
                        target_id=target_id,
                        type="target.preparing",
                        payload={"repository": "acme/service-1", "from": "pending", "to": "preparing"},
                        occurred_at=now.replace(microsecond=now.microsecond or 1),  # 32 characters, always
                    )
                )
        return count


@asynccontextmanager
async def happening(stores: Stores) -> AsyncIterator[Happening]:
    """A run with targets that is under way."""
    async with open_pool(stores.dsn, size=4) as pool, Redis.from_url(stores.redis_url) as redis:
        async with pool.acquire() as conn, conn.transaction():
            name = f"bench-{new_id()}"
            campaign_id = await insert_campaign(conn, name=name)
            run_id = await insert_run(conn, campaign_id)
            planned = [make_target(run_id, campaign_id, number=number) for number in range(TARGETS)]
            await targets.insert_targets(conn, planned)
        yield Happening(Outbox(pool, redis), run_id, [target.id for target in planned])


async def measure(
    stores: Stores, served: Served, *, name: str, prefix: str, readers: int, rates: Sequence[float], seconds: float
) -> list[Measured]:
    """The readers at each rate, one after another."""
    found: list[Measured] = []
    async with happening(stores) as run:
        before = served.megabytes
        words = (served.port, f"{prefix}/runs/{run.run_id}/events", stores.api_key, readers)
        process = await asyncio.create_subprocess_exec(
            *command("bench.serving.readers", *words), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin
        assert process.stdout
        try:
            assert (await process.stdout.readline()).strip() == b"ready"
            for rate in rates:
                cpu = served.cpu_seconds
                events = await run.go_on(rate=rate, seconds=seconds)
                cpu = (served.cpu_seconds - cpu) / seconds
                await asyncio.sleep(SETTLING_SECONDS)
                process.stdin.write(b"\n")
                said: dict[str, Any] = json.loads(await process.stdout.readline())
                least, most = said.pop("received")
                kilobytes = (served.megabytes - before) * 1024 / readers
                measured = Measured(
                    name=name, readers=readers, rate=rate, events=events, received=(least, most), cpu=cpu,
                    kilobytes=kilobytes, **said,
                )  # fmt: skip
                print(measured, flush=True)
                found.append(measured)
        finally:
            process.stdin.close()
            await process.wait()
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints, and writes the page (not for `--quick`)."""
    parser = argparse.ArgumentParser(prog="python -m bench events", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{FEW} readers, for a short time, and no page")
    parser.add_argument("--readers", type=int, help=f"other than {READERS}, and no page")
    asked = parser.parse_args(arguments)
    many = asked.readers or (FEW if asked.quick else READERS)
    seconds = 3.0 if asked.quick else SECONDS
    found: list[Measured] = []
    with running_stores() as stores:
        for name, module, prefix, numbers in (
            ("one read for all: the gateway", "gateway", "/v1", (many,)),
            ("a read for each reader", "bench.serving.bare", "", (FEW, many)),
        ):
            for readers in dict.fromkeys(numbers):
                with serving(stores, module) as served:
                    rates = RATES if module == "gateway" else RATES[:1]
                    measuring = measure(
                        stores, served, name=name, prefix=prefix, readers=readers, rates=rates, seconds=seconds
                    )
                    found += asyncio.run(measuring)
    text = _page(found)
    print(text)
    if not (asked.quick or asked.readers):
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text)


def _page(found: Sequence[Measured]) -> str:
    said = (
        f"{written_by('events')}: {machine()} at the end. Stores, the serving process, the process of the readers and"
        " the one that makes events share the machine. Each event goes to every reader, so that 10 a second to 2,000"
        " readers are 20,000 messages a second. The delay counts from before the event's transaction begins."
    )
    columns = "| | readers | events/s | p50 | p99 | longest | received by a reader, of | CPU | KB a reader |"
    lines = ["# Event streams", "", said, "", columns, "| --- " * 9 + "|"]
    for each in found:
        least, most = each.received
        received = f"{least}" if least == most else f"{least} to {most}"
        lines.append(
            f"| {each.name} | {each.readers:,} | {each.rate:g} | {each.p50_ms:.0f} ms | {each.p99_ms:.0f} ms |"
            f" {each.max_ms:.0f} ms | {received} of {each.events} | {each.cpu:.0%} | {each.kilobytes:.0f} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
