"""Schedules: made, paused and deleted over HTTP, and a time that is due makes one selection."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
from redis.asyncio import Redis

from gateway.schemas import EXAMPLE_SPEC
from shared.clock import utcnow
from shared.outbox import Outbox
from shared.postgres.pool import Pool
from workers.selection.schedules import start_due

SCHEDULE = {"name": "hourly", "document": EXAMPLE_SPEC, "cron": "0 * * * *", "fresh": True}
PATH = "/v1/selection-schedules"


async def test_a_schedule_is_made_paused_resumed_and_deleted(client: httpx.AsyncClient, pool: Pool) -> None:
    made = await client.post(PATH, json=SCHEDULE)
    assert (made.status_code, made.json()["paused_at"], made.json()["last_selection_id"]) == (201, None, None)
    assert (await client.post(PATH, json=SCHEDULE)).json()["type"] == "/problems/already-exists"
    assert [each["name"] for each in (await client.get(PATH)).json()["items"]] == ["hourly"]
    assert (await client.post(f"{PATH}/hourly/pause")).json()["paused_at"] is not None
    await pool.execute("UPDATE selection_schedules SET next_at = now() - interval '1 day'")
    resumed = (await client.post(f"{PATH}/hourly/resume")).json()
    assert (resumed["paused_at"], resumed["next_at"]) == (None, made.json()["next_at"])
    assert (await client.delete(f"{PATH}/hourly")).status_code == 204
    assert (await client.get(f"{PATH}/hourly")).status_code == 404


async def test_a_wrong_cron_string_is_refused_with_what_to_write(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json={**SCHEDULE, "cron": "every hour"})
    assert (answer.status_code, answer.json()["problems"][0]["path"]) == (422, "cron")
    assert "0 6 * * MON-FRI" in answer.json()["problems"][0]["hint"]


async def test_missed_times_are_made_up_for_once(client: httpx.AsyncClient, pool: Pool, redis: Redis) -> None:
    await client.post(PATH, json=SCHEDULE)
    outbox, later = Outbox(pool, redis), utcnow() + timedelta(hours=5)
    assert await start_due(outbox, now=utcnow()) == 0
    assert sum(await asyncio.gather(*(start_due(outbox, now=later) for _ in range(5)))) == 1
    schedule = (await client.get(f"{PATH}/hourly")).json()
    [selection] = (await client.get("/v1/selections", params={"schedule_id": schedule["id"]})).json()["items"]
    assert (selection["id"], selection["is_fresh"]) == (schedule["last_selection_id"], True)
    assert await pool.fetchval("SELECT count(*) FROM operations WHERE type = 'select_repositories'") == 1


async def test_a_selection_follows_the_one_before_once_that_is_finished(
    client: httpx.AsyncClient, pool: Pool, redis: Redis
) -> None:
    await client.post(PATH, json=SCHEDULE)
    outbox, now = Outbox(pool, redis), utcnow()
    assert await start_due(outbox, now=now + timedelta(hours=1)) == 1
    assert await start_due(outbox, now=now + timedelta(hours=2)) == 0  # the last one is still being made
    await pool.execute("UPDATE selections SET state = 'complete'")
    await pool.execute("UPDATE selection_schedules SET document = 'of an older version'")
    assert await start_due(outbox, now=now + timedelta(hours=3)) == 1
    await pool.execute("UPDATE selections SET state = 'failed' WHERE state = 'pending'")
    assert await start_due(outbox, now=now + timedelta(hours=4)) == 1
    third, second, first = (await client.get("/v1/selections")).json()["items"]
    assert third["previous_id"] == second["previous_id"] == first["id"]  # the last one that is complete
