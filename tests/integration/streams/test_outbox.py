"""Commit, then append: operations are accepted once, and reach Redis only after their commit."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from shared.blobs.folder import FolderStore
from shared.clock import utcnow
from shared.domain.event import run_event
from shared.domain.ids import InstallationId, OperationId, RunId, new_id
from shared.domain.operation import NewOperation, OperationState, Priority, Service
from shared.domain.run import RunState
from shared.errors import AlreadyDone, InvalidInput, NotFound
from shared.observability.traces import continued
from shared.outbox import Outbox
from shared.postgres import operations
from shared.postgres.pool import Pool
from shared.streams.commands import CommandStreams
from shared.streams.connection import open_redis
from shared.streams.envelope import Envelope
from shared.streams.keys import ServiceKeys

KEYS = ServiceKeys(Service.CAMPAIGNS)


def make_command(dedupe_key: str | None = None, **payload: object) -> NewOperation:
    return NewOperation(
        service=Service.CAMPAIGNS,
        type="prepare_target",
        payload=payload,
        dedupe_key=dedupe_key or str(uuid4()),
        actor="test",
    )


async def test_an_accepted_command_is_stored_and_appended(pool: Pool, redis: Redis) -> None:
    async with Outbox(pool, redis).transaction() as work:
        [operation] = await work.accept(make_command(target_id="1"))
        assert await redis.exists(KEYS.commands) == 0  # not before the commit
    async with pool.acquire() as conn:
        stored = await operations.get_operation(conn, operation.id)
    assert stored == operation
    assert (stored.state, stored.attempts, stored.payload) == (OperationState.ACCEPTED, 0, {"target_id": "1"})
    [(_, fields)] = await redis.xrange(KEYS.commands)
    assert Envelope.from_json(fields[b"command"]) == Envelope.of(operation)


async def test_nothing_is_left_of_a_transaction_that_failed(pool: Pool, redis: Redis) -> None:
    async def fail_on_the_way() -> None:
        async with Outbox(pool, redis).transaction() as work:
            await work.accept(make_command())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_on_the_way()
    assert await pool.fetchval("SELECT count(*) FROM operations") == 0
    assert await redis.exists(KEYS.commands) == 0


async def test_the_same_dedupe_key_gives_the_first_operation_and_one_entry(pool: Pool, redis: Redis) -> None:
    outbox = Outbox(pool, redis)

    async def accept() -> OperationId:
        async with outbox.transaction() as work:
            [operation] = await work.accept(make_command("the same"))
            return operation.id

    ids = await asyncio.gather(*(accept() for _ in range(200)))
    assert len(set(ids)) == 1
    assert await pool.fetchval("SELECT count(*) FROM operations") == 1
    assert await redis.xlen(KEYS.commands) == 1


async def test_a_key_twice_in_one_call_is_one_operation_in_its_places(pool: Pool, redis: Redis) -> None:
    async with Outbox(pool, redis).transaction() as work:
        first, second, third = await work.accept(make_command("a"), make_command("b"), make_command("a"))
    assert first == third != second
    assert (await CommandStreams(redis).depth(Service.CAMPAIGNS)).undelivered == 2


async def test_ten_thousand_commands_are_accepted_in_one_go(pool: Pool, redis: Redis) -> None:
    commands = [make_command(f"key {number}") for number in range(10_000)]
    async with Outbox(pool, redis).transaction() as work:
        accepted = await work.accept(*commands)
    assert [operation.dedupe_key for operation in accepted] == [command.dedupe_key for command in commands]
    assert (await CommandStreams(redis).depth(Service.CAMPAIGNS)).undelivered == 10_000
    assert await redis.scard(KEYS.open) == 10_000


async def test_an_operation_is_completed_once(pool: Pool, redis: Redis) -> None:
    outbox = Outbox(pool, redis)
    async with outbox.transaction() as work:
        [operation] = await work.accept(make_command())

    async def complete() -> bool:
        try:
            async with outbox.transaction(completing=operation.id):
                await asyncio.sleep(0)
        except AlreadyDone:
            return False
        return True

    assert sorted(await asyncio.gather(*(complete() for _ in range(10)))) == [False] * 9 + [True]
    async with pool.acquire() as conn:
        assert (await operations.get_operation(conn, operation.id)).state is OperationState.SUCCEEDED


async def test_a_completion_whose_effect_failed_is_none(pool: Pool, redis: Redis) -> None:
    outbox = Outbox(pool, redis)
    async with outbox.transaction() as work:
        [operation] = await work.accept(make_command())
    with pytest.raises(ZeroDivisionError):
        async with outbox.transaction(completing=operation.id):
            raise ZeroDivisionError
    async with pool.acquire() as conn:
        assert (await operations.get_operation(conn, operation.id)).state is OperationState.ACCEPTED


async def test_what_redis_cannot_take_now_is_committed_all_the_same(pool: Pool) -> None:
    async with open_redis("redis://127.0.0.1:1/0") as nowhere, Outbox(pool, nowhere).transaction() as work:
        [operation] = await work.accept(make_command())
    assert await pool.fetchval("SELECT appended_at IS NULL FROM operations WHERE id = $1", operation.id)


async def test_a_large_payload_goes_to_the_blob_store_and_its_address_travels(
    pool: Pool, redis: Redis, blobs_folder: Path
) -> None:
    blobs = FolderStore(blobs_folder)
    async with Outbox(pool, redis, blobs=blobs).transaction() as work:
        [operation] = await work.accept(make_command(text="x" * 300_000))
    assert operation.payload == {}
    assert operation.payload_at is not None
    assert json.loads(await blobs.get(operation.payload_at)) == {"text": "x" * 300_000}
    [(_, fields)] = await redis.xrange(KEYS.commands)
    assert len(fields[b"command"]) < 1000
    assert Envelope.from_json(fields[b"command"]) == Envelope.of(operation)


async def test_a_large_payload_without_a_blob_store_is_refused_before_the_commit(pool: Pool, redis: Redis) -> None:
    with pytest.raises(InvalidInput, match="300011 bytes"):
        async with Outbox(pool, redis).transaction() as work:
            await work.accept(make_command(text="x" * 300_000))
    assert await pool.fetchval("SELECT count(*) FROM operations") == 0


async def test_what_a_command_asks_of_the_stream_survives_the_way_through_postgres(pool: Pool, redis: Redis) -> None:
    asked = replace(
        make_command(),
        installation_id=InstallationId(7),
        priority=Priority.URGENT,
        order_key="target:1",
        not_before=utcnow() + timedelta(hours=1),
    )
    parent = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    with continued(parent):
        async with Outbox(pool, redis).transaction() as work:
            [operation] = await work.accept(asked)
    async with pool.acquire() as conn:
        assert await operations.get_operation(conn, operation.id) == operation
    envelope = Envelope.from_json(Envelope.of(operation).to_json())
    assert envelope == Envelope.of(operation)
    assert (envelope.priority, envelope.order_key, envelope.trace) == (Priority.URGENT, "target:1", parent)
    assert (envelope.installation_id, envelope.not_before) == (7, asked.not_before)
    assert (await CommandStreams(redis).depth(Service.CAMPAIGNS)).delayed == 1


async def test_operations_are_listed_by_run_in_order_and_in_pages(pool: Pool, redis: Redis) -> None:
    run_id = RunId(new_id())
    commands = [
        NewOperation(
            service=Service.CAMPAIGNS, type="plan_run", payload={}, dedupe_key=str(number), actor="test", run_id=run_id
        )
        for number in range(5)
    ]
    async with Outbox(pool, redis).transaction() as work:
        accepted = await work.accept(*commands)
    async with pool.acquire() as conn:
        page = await operations.list_operations_of_run(conn, run_id=run_id, limit=3)
        rest = await operations.list_operations_of_run(conn, run_id=run_id, after=page[-1].id)
        with pytest.raises(NotFound):
            await operations.get_operation(conn, OperationId(new_id()))
    assert page + rest == accepted


async def test_concurrent_appends_of_one_key_make_one_entry(redis: Redis) -> None:
    streams = CommandStreams(redis)
    envelope = Envelope(id=OperationId(new_id()), service=Service.CAMPAIGNS, type="x", dedupe_key="one", actor="test")
    results = [
        entry
        for entries in await asyncio.gather(*(streams.append([envelope]) for _ in range(100)))
        for entry in entries
    ]
    assert sum(entry.is_new for entry in results) == 1
    assert len({entry.operation_id for entry in results}) == 1


async def test_events_are_stored_and_appended_in_order(pool: Pool, redis: Redis) -> None:
    run_id = await insert_run(pool)
    async with Outbox(pool, redis).transaction() as work:
        await work.emit(*(run_event(run_id, state, now=utcnow()) for state in (RunState.SELECTING, RunState.PLANNING)))
    stored = await pool.fetch("SELECT type FROM events ORDER BY id")
    assert [row["type"] for row in stored] == ["run.selecting", "run.planning"]
    assert await redis.xlen(f"octobatch:{{run:{run_id}}}:events") == 2


async def insert_run(pool: Pool) -> RunId:
    run_id, campaign_id = RunId(new_id()), new_id()
    await pool.execute(
        """INSERT INTO campaigns (id, name, description, state, current_version, created_by)
           VALUES ($1, $2, '', 'active', 1, 't')""",
        campaign_id,
        str(campaign_id),
    )
    await pool.execute(
        "INSERT INTO spec_versions (campaign_id, version, document, sha256, created_by) VALUES ($1, 1, '', '', 't')",
        campaign_id,
    )
    await pool.execute(
        """INSERT INTO runs (id, campaign_id, spec_version, dry_run, state, created_by)
           VALUES ($1, $2, 1, false, 'running', 't')""",
        run_id,
        campaign_id,
    )
    return run_id
