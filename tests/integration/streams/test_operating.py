"""What operators do to a stream by scripts: take out what waits, trim what is finished, count what Redis cannot."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from shared.clock import utcnow
from shared.domain.ids import InstallationId, OperationId, RunId, new_id
from shared.domain.operation import Service
from shared.errors import InvalidInput
from shared.streams.commands import CommandStreams, Depth
from shared.streams.entry_ids import parse_stream_id
from shared.streams.envelope import Envelope
from shared.streams.inspection import Inspection
from shared.streams.keys import GROUP, ServiceKeys
from shared.streams.operating import Operating
from shared.streams.script import Script

SERVICE = Service.CAMPAIGNS
KEYS = ServiceKeys(SERVICE)
TAKE = Script.read("lanes", "take")
RUN, OTHER_RUN = RunId(new_id()), RunId(new_id())


def make_envelope(**fields: object) -> Envelope:
    operation_id = OperationId(new_id())
    given = {"type": "prepare_target", "run_id": RUN, **fields}
    return Envelope(id=operation_id, service=SERVICE, dedupe_key=str(operation_id), actor="test", **given)  # pyright: ignore


async def append(redis: Redis, *envelopes: Envelope) -> list[OperationId]:
    await CommandStreams(redis).append(envelopes)
    return [envelope.id for envelope in envelopes]


async def purge(redis: Redis, **wanted: object) -> list[OperationId]:
    batches = Operating(redis).purge(SERVICE, **wanted)  # pyright: ignore
    return [each.operation_id async for batch in batches for each in batch]


async def read(redis: Redis, count: int = 1000) -> list[tuple[bytes, dict[bytes, bytes]]]:
    answer = await redis.xreadgroup(GROUP, "reader", {KEYS.commands: ">"}, count=count)
    return answer[0][1] if answer else []


async def take(redis: Redis) -> list[str]:
    """Reads as a worker does, through the lanes; gives the ids of entries."""
    taken = await TAKE.run(redis, [KEYS.commands], [GROUP, "reader", 100])
    return [entry_id.decode() for entry_id, _ in taken]


async def depth(redis: Redis) -> Depth:
    return await CommandStreams(redis).depth(SERVICE)


async def wait_everywhere(redis: Redis, run: RunId) -> list[OperationId]:
    """Commands of a run on the stream, in lanes of two tenants, delayed, and behind an order key."""
    later = utcnow() + timedelta(hours=1)
    return await append(
        redis,
        make_envelope(run_id=run, order_key=f"target:{run}"),
        *(make_envelope(run_id=run, installation_id=InstallationId(number % 2)) for number in range(6)),
        *(make_envelope(run_id=run, not_before=later) for _ in range(3)),
        *(make_envelope(run_id=run, order_key=f"target:{run}") for _ in range(4)),
    )


async def test_what_waits_is_taken_out_wherever_it_waits(redis: Redis) -> None:
    wanted, others = await wait_everywhere(redis, RUN), await wait_everywhere(redis, OTHER_RUN)
    assert sorted(await purge(redis, run_id=RUN)) == sorted(wanted)
    assert await CommandStreams(redis).missing(SERVICE, wanted) == wanted
    assert await CommandStreams(redis).missing(SERVICE, others) == []
    left = await depth(redis)
    assert (left.undelivered, left.delayed, left.held, left.pending) == (7, 3, 4, 0)


async def test_everything_is_taken_out_and_nothing_of_it_is_left_in_redis(redis: Redis) -> None:
    wanted = await wait_everywhere(redis, RUN)
    assert sorted(await purge(redis)) == sorted(wanted)
    left = await depth(redis)
    assert (left.undelivered, left.delayed, left.held, left.pending) == (0, 0, 0, 0)
    assert await redis.keys(f"{KEYS.commands.removesuffix('commands')}lane:*") == []
    assert not await redis.exists(KEYS.open, KEYS.delayed, f"{KEYS.commands.removesuffix('commands')}order")
    [again] = await append(redis, make_envelope(order_key=f"target:{RUN}"))
    [(_, fields)] = await read(redis)
    assert Envelope.from_json(fields[b"command"]).id == again


async def test_a_dry_run_counts_the_same_and_takes_nothing_out(redis: Redis) -> None:
    wanted = await wait_everywhere(redis, RUN)
    before = await depth(redis)
    assert sorted(await purge(redis, run_id=RUN, dry_run=True)) == sorted(wanted)
    after = await depth(redis)
    assert (after.undelivered, after.delayed, after.held) == (before.undelivered, before.delayed, before.held)
    assert await CommandStreams(redis).missing(SERVICE, wanted) == []


async def test_what_is_behind_a_purged_command_by_its_order_key_is_let_in(redis: Redis) -> None:
    await append(redis, make_envelope(type="prepare_target", order_key="target:1"))
    [publish] = await append(redis, make_envelope(type="publish_target", order_key="target:1"))
    assert (await depth(redis)).held == 1
    assert len(await purge(redis, type="prepare_target")) == 1
    [(_, fields)] = await read(redis)
    assert Envelope.from_json(fields[b"command"]).id == publish


async def test_what_a_worker_holds_is_not_taken_out(redis: Redis) -> None:
    [held] = await append(redis, make_envelope())
    await read(redis)
    assert await purge(redis) == []
    assert (await depth(redis)).pending == 1
    assert await CommandStreams(redis).missing(SERVICE, [held]) == []


async def test_thousands_are_taken_out_in_batches_and_the_lag_stays_right(redis: Redis) -> None:
    await append(redis, *(make_envelope(type=("odd", "even")[number % 2]) for number in range(3000)))
    assert len(await purge(redis, type="odd")) == 1500
    assert (await depth(redis)).undelivered == 1500
    [group] = (await Inspection(redis).inspect(SERVICE)).groups
    [info] = await redis.xinfo_groups(KEYS.commands)
    assert info["lag"] == group.undelivered


async def finish_all(redis: Redis, count: int) -> list[str]:
    await append(redis, *(make_envelope() for _ in range(count)))
    finished: list[str] = []
    while len(finished) < count:
        for entry in await take(redis):
            await redis.xack(KEYS.commands, GROUP, entry)
            finished.append(entry)
    return finished


async def test_trimming_drops_what_is_finished_and_nothing_that_is_not(redis: Redis) -> None:
    finished = await finish_all(redis, 300)
    await append(redis, *(make_envelope() for _ in range(5)))
    held = await take(redis)
    after_all = f"{int(held[-1].partition('-')[0]) + 1}-0"
    trimmed = await CommandStreams(redis).trim(SERVICE, before_entry=after_all)
    assert trimmed.held_by == GROUP
    assert trimmed.kept_from == held[0]
    assert trimmed.trimmed == len(finished)
    assert [entry.id for entry in await Inspection(redis).entries(SERVICE)] == held
    [group] = (await Inspection(redis).inspect(SERVICE)).groups
    assert (group.pending, group.undelivered) == (5, 0)


async def test_trimming_goes_no_further_than_it_was_told(redis: Redis) -> None:
    finished = await finish_all(redis, 300)
    trimmed = await CommandStreams(redis).trim(SERVICE, before_entry=finished[100])
    assert (trimmed.trimmed, trimmed.length, trimmed.held_by) == (100, 200, None)
    assert (await Inspection(redis).entries(SERVICE, limit=1))[0].id == finished[100]
    assert (await CommandStreams(redis).trim(SERVICE, older_than_seconds=3600)).trimmed == 0


async def test_the_lag_is_counted_where_the_server_does_not_know_it(redis: Redis) -> None:
    await redis.xgroup_create(KEYS.commands, GROUP, "0", mkstream=True)
    entries = [await redis.xadd(KEYS.commands, {"command": make_envelope().to_json()}) for _ in range(10)]
    await redis.xdel(KEYS.commands, entries[4])
    [info] = await redis.xinfo_groups(KEYS.commands)
    assert info["lag"] is None
    [group] = (await Inspection(redis).inspect(SERVICE)).groups
    assert (group.undelivered, (await depth(redis)).undelivered) == (9, 9)


async def test_consumers_that_read_at_once_lose_nothing_to_a_purge(redis: Redis) -> None:
    await append(redis, *(make_envelope(type=("odd", "even")[number % 2]) for number in range(2000)))
    taken: list[str] = []

    async def consume() -> None:
        while len(taken) < 500:
            taken.extend(await take(redis))
            await asyncio.sleep(0)

    purged, _ = await asyncio.gather(purge(redis, type="odd"), consume())
    left = await depth(redis)
    assert len(taken) + len(purged) + left.undelivered == 2000


@pytest.mark.parametrize("text", ["", "x", "-1", "1-", "1-2-3", "18446744073709551616", "1-18446744073709551616"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no id of a stream's entry"):
        parse_stream_id(text)


def test_an_id_is_written_as_redis_does() -> None:
    assert (parse_stream_id("007"), parse_stream_id("5-3")) == ("7-0", "5-3")
