"""Targets, artifacts and deliveries in real Postgres."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.clock import utcnow
from shared.domain.artifact import ArtifactKind, new_artifact
from shared.domain.target import (
    ChecksState,
    DiffStat,
    PublishAs,
    PullRequestRef,
    ReviewState,
    Target,
    TargetState,
    states_before,
)
from shared.errors import NotFound
from shared.postgres import artifacts, pull_requests, settling, target_counts, targets, webhook_deliveries
from shared.postgres.pool import Connection, Pool
from tests.integration.campaigns.rows import insert_campaign, insert_run, make_target

PULL_REQUEST = PullRequestRef(number=12, node_id="PR_12", url="https://github.test/acme/repo-1/pull/12")


async def test_planning_twice_plans_each_repository_and_branch_once(pool: Pool) -> None:
    async with pool.acquire() as conn:
        campaign_id = await insert_campaign(conn)
        run_id = await insert_run(conn, campaign_id)
        planned = [make_target(run_id, campaign_id, number=n) for n in range(1000)]
        again = [make_target(run_id, campaign_id, number=n) for n in range(1001)]
        assert await targets.insert_targets(conn, planned) == 1000
        assert await targets.insert_targets(conn, again) == 1
        assert await target_counts.count_by_state(conn, run_id) == {TargetState.PENDING: 1001}
        stored = await targets.get_target(conn, planned[0].id)
    expected = planned[0]
    assert (stored.branch, stored.publish_as, stored.repository_id) == (expected.branch, PublishAs.OPEN, 0)
    assert (stored.base_oid, stored.review_state, stored.pull_request) == ("a" * 40, ReviewState.NONE, None)


@pytest.mark.parametrize("to", TargetState)
async def test_a_target_moves_only_along_the_table(pool: Pool, to: TargetState) -> None:
    async with pool.acquire() as conn:
        campaign_id = await insert_campaign(conn)
        run_id = await insert_run(conn, campaign_id)
        for number, state in enumerate(TargetState):
            target = make_target(run_id, campaign_id, number=number)
            await targets.insert_targets(conn, [target])
            await conn.execute("UPDATE targets SET state = $2 WHERE id = $1", target.id, state)
            move = await targets.move_target(conn, target.id, to=to)
            if state in states_before(to):
                assert move
                assert (move.before, move.target.state) == (state, to)
            else:
                assert move is None
                assert (await targets.get_target(conn, target.id)).state is state


async def test_of_two_movers_at_once_one_moves(pool: Pool) -> None:
    async with pool.acquire() as conn:
        campaign_id = await insert_campaign(conn)
        run_id = await insert_run(conn, campaign_id)
        target = make_target(run_id, campaign_id)
        await targets.insert_targets(conn, [target])

    async def move(to: TargetState) -> bool:
        async with pool.acquire() as conn, conn.transaction():
            return await targets.move_target(conn, target.id, to=to) is not None

    moved = await asyncio.gather(*(move(TargetState.PREPARING) for _ in range(10)))
    assert moved.count(True) == 1


async def test_what_a_move_does_not_tell_is_kept(pool: Pool) -> None:
    async with pool.acquire() as conn:
        campaign_id = await insert_campaign(conn)
        run_id = await insert_run(conn, campaign_id)
        target = make_target(run_id, campaign_id)
        await targets.insert_targets(conn, [target])
        stat = DiffStat(files=2, additions=3, deletions=4)
        await targets.move_target(conn, target.id, to=TargetState.PREPARING, reason="trying")
        await targets.move_target(conn, target.id, to=TargetState.PREPARED, diff_stat=stat, base_oid="b" * 40)
        await targets.move_target(conn, target.id, to=TargetState.PUBLISHING)
        move = await targets.move_target(
            conn, target.id, to=TargetState.OPEN, pull_request=PULL_REQUEST, head_oid="c" * 40
        )
    assert move
    moved = move.target
    assert (moved.diff_stat, moved.base_oid, moved.head_oid) == (stat, "b" * 40, "c" * 40)
    assert (moved.pull_request, moved.reason) == (PULL_REQUEST, None)


async def test_cancelling_touches_only_what_is_not_settled_and_tells_from_where(pool: Pool) -> None:
    async with pool.acquire() as conn:
        campaign_id = await insert_campaign(conn)
        run_id = await insert_run(conn, campaign_id)
        for number, state in enumerate(TargetState):
            target = make_target(run_id, campaign_id, number=number)
            await targets.insert_targets(conn, [target])
            await conn.execute("UPDATE targets SET state = $2 WHERE id = $1", target.id, state)
        moves = await targets.cancel_unsettled(conn, run_id)
    assert {move.before for move in moves} == {
        TargetState.PENDING, TargetState.PREPARING, TargetState.PREPARED, TargetState.PUBLISHING, TargetState.PAUSED,
    }  # fmt: skip
    assert {move.target.state for move in moves} == {TargetState.CANCELLED}


async def test_pages_hold_each_target_once_and_obey_filters(pool: Pool) -> None:
    async with pool.acquire() as conn:
        campaign_id = await insert_campaign(conn)
        run_id = await insert_run(conn, campaign_id)
        planned = [make_target(run_id, campaign_id, number=n) for n in range(25)]
        await targets.insert_targets(conn, planned)
        await targets.move_target(conn, planned[3].id, to=TargetState.PREPARING)
        seen: list[object] = []
        after = None
        while page := await targets.page_targets(conn, run_id, after=after, limit=10):
            seen += [target.id for target in page]
            after = page[-1].id
        preparing = await targets.page_targets(conn, run_id, states=[TargetState.PREPARING])
        named = await targets.page_targets(conn, run_id, repository="REPO-7")
    assert seen == [target.id for target in planned]
    assert [target.id for target in preparing] == [planned[3].id]
    assert [target.repository for target in named] == ["acme/repo-7"]


async def due_for_reconcile(conn: Connection) -> list[Target]:
    """Those that were not asked for in the last minute; closed ones in the last hour, for a day."""
    now = utcnow()
    return await pull_requests.due_for_reconcile(
        conn,
        checked_before=now - timedelta(minutes=1),
        closed_checked_before=now - timedelta(hours=1),
        closed_since=now - timedelta(days=1),
        limit=3,
    )


async def test_those_asked_for_least_recently_are_due_first(pool: Pool) -> None:
    async with pool.acquire() as conn:
        campaign_id = await insert_campaign(conn)
        run_id = await insert_run(conn, campaign_id)
        planned = [make_target(run_id, campaign_id, number=n) for n in range(6)]
        await targets.insert_targets(conn, planned)
        states = ["open", "draft", "conflicted", "merged", "open", "open"]
        ages = [timedelta(hours=1), None, timedelta(hours=2), None, timedelta(seconds=1), timedelta(hours=3)]
        for number, (target, state, age) in enumerate(zip(planned, states, ages, strict=True)):
            await conn.execute(
                "UPDATE targets SET state = $2, checked_at = $3, pull_request_number = $4, pull_request_node_id = $5,"
                " pull_request_url = 'u' WHERE id = $1",
                target.id, state, utcnow() - age if age else None, number + 1, f"PR_{number}",
            )  # fmt: skip
        due = await due_for_reconcile(conn)
        assert [target.id for target in due] == [planned[1].id, planned[5].id, planned[2].id]
        await pull_requests.mark_checked(conn, [target.id for target in due])
        left = await due_for_reconcile(conn)
        assert [target.id for target in left] == [planned[0].id]
        changed = await pull_requests.observe_reviews(
            conn, planned[4].id, checks_state=ChecksState.PASSED, ask_again=True
        )
        assert changed
        assert not await pull_requests.observe_reviews(conn, planned[4].id, checks_state=ChecksState.PASSED)
        left = await due_for_reconcile(conn)
    assert [target.id for target in left] == [planned[4].id, planned[0].id]


async def test_whatever_has_a_pull_request_that_may_change_is_asked_for_and_a_closed_one_less_often(pool: Pool) -> None:
    async with pool.acquire() as conn:
        campaign_id = await insert_campaign(conn)
        run_id = await insert_run(conn, campaign_id)
        asked: dict[tuple[str, int, int], bool] = {
            ("failed", 2, 0): True, ("blocked", 2, 0): True, ("pending", 2, 0): True, ("cancelled", 2, 0): False,
            ("cancelled", 90, 0): True,
            ("merged", 2, 0): False, ("closed", 2, 0): False, ("closed", 90, 0): True, ("closed", 90, 2): False,
        }  # fmt: skip
        for number, ((state, minutes, days), is_due) in enumerate(asked.items()):
            target = make_target(run_id, campaign_id, number=number)
            await targets.insert_targets(conn, [target])
            await conn.execute(
                "UPDATE targets SET state = $2, checked_at = $3, updated_at = $4, pull_request_node_id = 'PR',"
                " pull_request_number = 1, pull_request_url = 'u' WHERE id = $1",
                target.id, state, utcnow() - timedelta(minutes=minutes), utcnow() - timedelta(days=days),
            )  # fmt: skip
            assert bool(await due_for_reconcile(conn)) is is_due, (state, minutes, days)
            await conn.execute("DELETE FROM targets")


@pytest.mark.parametrize(
    ("states", "publish_as", "settles"),
    [
        (["open", "failed", "unchanged", "blocked", "merged"], PublishAs.OPEN, True),
        (["open", "pending"], PublishAs.OPEN, False),
        (["open", "preparing"], PublishAs.OPEN, False),
        (["open", "publishing"], PublishAs.OPEN, False),
        (["open", "prepared"], PublishAs.OPEN, False),
        (["prepared", "unchanged"], PublishAs.NONE, True),
        (["prepared", "pending"], PublishAs.NONE, False),
    ],
)
async def test_a_run_is_completed_once_and_only_when_its_targets_are_settled(
    pool: Pool, states: list[str], publish_as: PublishAs, settles: bool
) -> None:
    async with pool.acquire() as conn:
        campaign_id = await insert_campaign(conn)
        run_id = await insert_run(conn, campaign_id)
        for number, state in enumerate(states):
            target = make_target(run_id, campaign_id, number=number, publish_as=publish_as)
            await targets.insert_targets(conn, [target])
            await conn.execute("UPDATE targets SET state = $2 WHERE id = $1", target.id, state)
        assert (await settling.settled_runs(conn) == [run_id]) is settles
    async with pool.acquire() as one, pool.acquire() as other:
        completed = await asyncio.gather(*(settling.complete_if_settled(conn, run_id) for conn in (one, other)))
    assert completed.count(True) == (1 if settles else 0)


async def test_a_target_has_one_artifact_of_each_kind_the_newest(pool: Pool) -> None:
    async with pool.acquire() as conn:
        campaign_id = await insert_campaign(conn)
        run_id = await insert_run(conn, campaign_id)
        target = make_target(run_id, campaign_id)
        await targets.insert_targets(conn, [target])
        for key in ("first", "second"):
            new = new_artifact(run_id, target.id, ArtifactKind.LOG, b"x")
            await artifacts.upsert_artifacts(conn, [replace(new, key=key)])
        assert [artifact.key for artifact in await artifacts.fetch_artifacts(conn, target.id)] == ["second"]
        assert (await artifacts.get_artifact(conn, target.id, ArtifactKind.LOG)).key == "second"
        with pytest.raises(NotFound, match="there is no patch of target"):
            await artifacts.get_artifact(conn, target.id, ArtifactKind.PATCH)


async def test_a_delivery_is_kept_and_handled_once(pool: Pool) -> None:
    async with pool.acquire() as conn:
        for expected in (True, False):
            inserted = await webhook_deliveries.insert_delivery(
                conn, delivery_id="d-1", event="ping", action=None, installation_id=7, payload={"zen": "Keep it."}
            )
            assert inserted is expected
        delivery = await webhook_deliveries.get_delivery(conn, "d-1")
        assert (delivery.payload, delivery.installation_id, delivery.handled_at) == ({"zen": "Keep it."}, 7, None)
        assert await webhook_deliveries.mark_handled(conn, "d-1")
        assert not await webhook_deliveries.mark_handled(conn, "d-1")
        with pytest.raises(NotFound):
            await webhook_deliveries.get_delivery(conn, "d-2")
