"""What is kept of how many targets are alike is what there is, whoever changes them and in whatever order."""

from __future__ import annotations

import asyncio
import random

import pytest

from shared.domain.ids import InstallationId, RunId, TargetId
from shared.domain.target import TargetState
from shared.postgres import target_counts, targets
from shared.postgres.pool import Pool

from .rows import insert_campaign, insert_run, make_target

COUNTED = """
    SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY c), '[]') FROM (
        SELECT run_id, installation_id, state, review_state, checks_state, warnings <> '[]' AS has_warnings,
            publish_as <> 'none' AS to_publish, released_at IS NOT NULL AS is_released,
            released_at IS NOT NULL OR pull_request_number IS NOT NULL AS is_on_its_way,
            detached_at IS NOT NULL AS is_detached, count(*) AS n
        FROM targets GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10) c"""
KEPT = """
    SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY c), '[]') FROM (
        SELECT run_id, installation_id, state, review_state, checks_state, has_warnings, to_publish, is_released,
            is_on_its_way, is_detached, sum(n)::bigint AS n
        FROM target_counts GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 HAVING sum(n) <> 0) c"""


@pytest.fixture
async def planned(pool: Pool) -> tuple[RunId, list[TargetId]]:
    """A run with 200 targets of two installations."""
    async with pool.acquire() as conn, conn.transaction():
        campaign_id = await insert_campaign(conn)
        run_id = await insert_run(conn, campaign_id)
        new = [
            make_target(run_id, campaign_id, number=n, installation_id=InstallationId(n % 2 + 1)) for n in range(200)
        ]
        await targets.insert_targets(conn, new)
    return run_id, [target.id for target in new]


async def test_writers_at_once_keep_what_there_is_and_do_not_wait_for_each_other(
    pool: Pool, planned: tuple[RunId, list[TargetId]]
) -> None:
    run_id, ids = planned
    chance = random.Random(7)

    async def work(mine: list[TargetId]) -> None:
        for _ in range(10):
            states = list(TargetState)
            chosen = chance.sample(mine, 3)
            async with pool.acquire() as conn:
                transaction = conn.transaction()
                await transaction.start()
                for target_id in chosen:
                    await conn.execute(
                        """UPDATE targets SET state = $2, warnings = $3, pull_request_number = $4,
                           released_at = CASE WHEN $5 THEN now() END WHERE id = $1""",
                        target_id,
                        chance.choice(states).value,
                        chance.choice([[], ["protection: main is protected"]]),
                        chance.choice([None, 5]),
                        chance.random() < 0.5,
                    )
                await (transaction.commit() if chance.random() < 0.8 else transaction.rollback())

    async with asyncio.timeout(60):
        await asyncio.gather(*(work(ids[n::10]) for n in range(10)))
    assert await pool.fetchval(KEPT) == await pool.fetchval(COUNTED)
    assert await pool.fetchval("SELECT max(shard) FROM target_counts") < 20  # connections of the pool
    async with pool.acquire() as conn:
        assert sum((await target_counts.count_by_state(conn, run_id)).values()) == 200


async def test_a_transaction_sees_its_own_changes(pool: Pool, planned: tuple[RunId, list[TargetId]]) -> None:
    run_id, ids = planned
    async with pool.acquire() as conn, conn.transaction():
        await targets.move_targets(conn, ids[:50], to=TargetState.PREPARING)
        counts = await target_counts.count_by_state(conn, run_id)
        assert counts == {TargetState.PENDING: 150, TargetState.PREPARING: 50}
        assert await target_counts.not_begun_by_installation(conn, run_id) == {1: 100, 2: 100}
