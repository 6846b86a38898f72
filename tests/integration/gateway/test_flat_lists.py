"""No list and no count walks through a table that grows with the targets, whatever the planner knows of it.

Every statement that a list, a count or a page sends is explained, on a database that has the statistics of its rows.
How long they take at a thousand, a hundred thousand and a million targets is measured by `python -m bench lists`.
"""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from redis.asyncio import Redis

from shared.domain.ids import RunId
from shared.outbox import Outbox
from shared.postgres.pool import Pool
from tests.integration.campaigns.rows import Rows

from .filling import fill

GROW = {"targets", "events", "operations", "artifacts"}
EACH, RUNS = 100, 200
LARGE = 2_000


@pytest.fixture
async def runs(pool: Pool) -> list[RunId]:
    """Runs with a hundred targets each; the last has most of a twentieth of all."""
    rows = Rows(pool, Outbox(pool, Redis()))
    campaign_id = await rows.campaign()
    run_ids = [await rows.run(campaign_id, state="completed") for _ in range(RUNS)]
    large = await rows.run(campaign_id)
    async with pool.acquire() as conn:
        await fill(conn, list(run_ids), targets_each=EACH)
        await fill(conn, [large], targets_each=LARGE)
        await conn.execute("ANALYZE")
    return [*run_ids, large]


class Statements:
    """What a gateway asks Postgres while its connections are listened to."""

    def __init__(self) -> None:
        self.asked: dict[str, tuple[Any, ...]] = {}

    def __call__(self, query: Any) -> None:
        if "FROM" in query.query.upper() and query.query.lstrip().upper().startswith(("SELECT", "WITH")):
            self.asked.setdefault(query.query, tuple(query.args))


@pytest.fixture
async def statements(app: FastAPI) -> Statements:
    heard = Statements()
    pool: asyncpg.Pool[Any] = app.state.resources.pool
    connections = [await pool.acquire() for _ in range(pool.get_max_size())]
    for each in connections:
        each.add_query_logger(heard)
    for each in connections:
        await pool.release(each)
    return heard


# but for the table of all runs' targets: it counts the first 50,000 and says so, wherever it finds them
LISTS = [
    "/v1/campaigns",
    "/v1/runs",
    "/v1/runs?campaign=notice&state=running",
    "/v1/runs/{run}",
    "/v1/campaigns/notice?include=latest_run,counts",
    "/v1/runs/{run}/targets",
    "/v1/runs/{run}/targets?state=failed",
    "/v1/runs/{run}/targets?state=failed&state=blocked&checks_state=failed",
    "/v1/runs/{run}/targets?has_warnings=true",
    "/v1/runs/{run}/targets?repository=org-7/*",
    "/v1/runs/{run}/targets?text=repository-17&sort=repository",
    "/v1/runs/{run}/targets?sort=-repository",
    "/v1/runs/{run}/targets?sort=-updated",
    "/v1/bulk-operations",
    "/v1/selections",
    "/v1/targets/{target}?include=events,artifacts",
    "/v1/targets/{target}/artifacts",
    "/v1/targets/{target}/events",
    "/",
    "/ui/campaigns/notice",
    "/ui/runs/{run}",
    "/ui/runs/{run}/targets",
    "/ui/targets/{target}",
]


async def test_no_list_and_no_count_reads_a_table_that_grows_from_end_to_end(
    client: httpx.AsyncClient, api_key: str, pool: Pool, runs: list[RunId], statements: Statements
) -> None:
    await client.post("/ui/sign-in", data={"key": api_key})
    target = await pool.fetchval("SELECT id FROM targets WHERE run_id = $1 LIMIT 1", runs[-1])
    walked: list[str] = []
    explained = 0
    for path in LISTS:
        statements.asked.clear()
        answer = await client.get(path.format(run=runs[-1], target=target))
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        for query, args in statements.asked.items():
            explained += 1
            plan = json.loads(await pool.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *args))
            walked += [f"{path} reads {table}: {query}" for table in set(_scanned(plan[0]["Plan"])) & GROW]
    assert explained > len(LISTS)
    assert not walked, "\n\n".join(walked)


def _scanned(node: dict[str, Any]) -> list[str]:
    """The tables that a plan reads from end to end."""
    found = [node["Relation Name"]] if node["Node Type"] == "Seq Scan" else []
    for each in node.get("Plans", []):
        found += _scanned(each)
    return found
