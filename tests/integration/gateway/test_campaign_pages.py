"""Pages of campaigns and runs, and what they read: how far runs are, over time, by wave and by owner."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import httpx
import pytest
from redis.asyncio import Redis

from gateway.web.editor import STARTS
from shared.clock import utcnow
from shared.domain.event import target_event
from shared.domain.ids import RunId, SelectionId, new_id
from shared.domain.roles import Grant, Role
from shared.domain.spec import parse_spec
from shared.domain.target import TargetState
from shared.outbox import Outbox
from shared.postgres import owners, progress
from shared.postgres.events import insert_events
from shared.postgres.pool import Pool
from tests.integration.campaigns.rows import SPEC, Rows
from tests.integration.gateway.test_access import make_key

WAVES = "rollout: {waves: [{percent: 40, gate: {merged: 0.9}}, {percent: 100}]}\n"
STATES = ("merged", "open", "open", "failed", "prepared", "unchanged")


@pytest.fixture
def rows(pool: Pool, redis: Redis) -> Rows:
    return Rows(pool, Outbox(pool, redis))


@pytest.fixture
async def page(anonymous: httpx.AsyncClient, api_key: str) -> httpx.AsyncClient:
    """Somebody who has signed in to the pages."""
    assert (await anonymous.post("/ui/sign-in", data={"key": api_key})).status_code == 303
    return anonymous


@pytest.fixture
async def run_id(rows: Rows, pool: Pool) -> RunId:
    """A run in two waves, of which the first one has begun."""
    campaign_id = await rows.campaign(document=SPEC.format(name="notice") + WAVES)
    run_id = await rows.run(campaign_id, state="completed")
    for number, state in enumerate(STATES, start=1):
        await rows.target(run_id, campaign_id, state=state, number=number)
    await pool.execute(
        "UPDATE targets SET released_at = now() + repository_id * interval '1 second' WHERE state IN ('merged', 'open')"
    )
    return run_id


async def tell(pool: Pool, rows: Rows, run_id: RunId, *, of: int, at: datetime, states: str) -> None:
    """Events of a target that goes through these states, a minute each."""
    target = next(each for each in await rows.targets_of(run_id) if each.repository_id == of)
    events = [
        target_event(target, before=TargetState.PUBLISHING, now=at + timedelta(minutes=minute))
        for minute in range(len(states.split()))
    ]
    async with pool.acquire() as conn:
        await insert_events(conn, events=events)
        for event, state in zip(events, states.split(), strict=True):
            await conn.execute("UPDATE events SET type = $2 WHERE id = $1", event.id, f"target.{state}")


async def test_a_burndown_counts_each_pull_request_once_however_often_it_moved(
    pool: Pool, rows: Rows, run_id: RunId
) -> None:
    begin = utcnow() - timedelta(hours=2)
    await tell(pool, rows, run_id, of=1, at=begin, states="draft open conflicted open merged")
    await tell(pool, rows, run_id, of=2, at=begin + timedelta(minutes=1), states="open closed open")
    await tell(pool, rows, run_id, of=3, at=begin + timedelta(minutes=2), states="open closed")
    async with pool.acquire() as conn:
        steps = await progress.list_burndown(conn, run_id)
    assert (steps[0].at, steps[0].opened) == (begin, 1)
    assert (steps[-1].opened, steps[-1].merged, steps[-1].closed) == (3, 1, 1)
    assert steps[-1].at >= begin + timedelta(minutes=4)
    assert [step.at for step in steps] == sorted({step.at for step in steps})
    assert all(step.opened >= step.merged + step.closed for step in steps)


async def test_a_long_run_has_no_longer_burndown(pool: Pool, rows: Rows, run_id: RunId) -> None:
    campaign_id = await pool.fetchval("SELECT campaign_id FROM runs WHERE id = $1", run_id)
    await pool.execute(
        """WITH made AS (
               INSERT INTO targets (id, run_id, campaign_id, repository_node_id, repository, installation_id,
                   base_branch, branch, state)
               SELECT gen_random_uuid(), $1, $2, 'N_' || n, 'acme/many-' || n, 7, 'main', 'b', 'merged'
               FROM generate_series(1, 2000) n RETURNING id, repository)
           INSERT INTO events (id, run_id, target_id, type, payload, occurred_at)
           SELECT gen_random_uuid(), $1, id, type, '{}',
               now() - interval '3 days' + substring(repository, 11)::int * interval '1 minute' + later
           FROM made, (VALUES ('target.open', interval '0'), ('target.merged', interval '1 day')) t (type, later)""",
        run_id,
        campaign_id,
    )
    async with pool.acquire() as conn:
        steps = await progress.list_burndown(conn, run_id)
    assert 60 < len(steps) <= progress.MOST_STEPS
    assert (steps[-1].opened, steps[-1].merged) == (2000, 2000)


async def test_progress_is_told_by_wave_and_by_owner(
    client: httpx.AsyncClient, pool: Pool, rows: Rows, run_id: RunId
) -> None:
    assert (await client.get(f"/v1/runs/{run_id}/progress")).json()["owners"] is None
    selection_id = SelectionId(new_id())
    async with pool.acquire() as conn:
        await conn.execute(
            "INSERT INTO selections (id, state, document, created_by) VALUES ($1, 'complete', '', 'test')", selection_id
        )
        await conn.execute("UPDATE runs SET selection_id = $2 WHERE id = $1", run_id, selection_id)
        blobs = {"a": ("* @acme/core\n", None), "b": ("* @mona @acme/core\n", None)}
        await owners.record_files(conn, blobs)
        files = {1: "a", 2: "b", 3: "a", 4: None}
        places = [(f"R_{number}", "main", blob and "CODEOWNERS", blob) for number, blob in files.items()]
        await owners.record_places(conn, selection_id, places)
    told = (await client.get(f"/v1/runs/{run_id}/progress")).json()
    assert told["owners"] == [
        {"owner": "acme/core", "kind": "team", "counts": {"merged": 1, "open": 2}},
        {"owner": "mona", "kind": "user", "counts": {"open": 1}},
        {"owner": "", "kind": None, "counts": {"failed": 1, "prepared": 1, "unchanged": 1}},
    ]
    first, second = told["waves"]
    assert (first["size"], first["counts"]) == (2, {"merged": 1, "open": 1})
    assert first["gate"] == [{"name": "merged", "wanted": 0.9, "now": 0.5}]
    assert (second["size"], second["counts"], second["gate"]) == (2, {"open": 1}, [])


async def test_campaigns_that_need_somebody_stand_first(
    page: httpx.AsyncClient, rows: Rows, run_id: RunId, pool: Pool
) -> None:
    quiet = await rows.campaign(name="a-quiet-one")
    await pool.execute("UPDATE campaigns SET description = 'Nothing to see' WHERE id = $1", quiet)
    shown = (await page.get("/")).text
    attention = shown[shown.index("Needs somebody") : shown.index('role="search"')]
    assert f"/ui/runs/{run_id}/targets?state=failed" in attention
    assert "1 target failed" in attention
    assert "a-quiet-one" not in attention
    assert "1 of 5 merged, 2 open" in shown
    found = (await page.get("/?q=NOTHING to")).text
    assert ("a-quiet-one" in found, "/ui/campaigns/notice" in found) == (True, False)
    assert "No campaign matches" in (await page.get("/?q=nothing-like-it")).text
    await rows.run(quiet, state="completed")
    later = await rows.run(await pool.fetchval("SELECT campaign_id FROM runs WHERE id = $1", run_id))
    assert "Needs somebody" not in (await page.get("/")).text, f"what run {later} replaces needs nobody"


async def test_a_run_that_failed_as_a_whole_says_so(page: httpx.AsyncClient, pool: Pool, run_id: RunId) -> None:
    await pool.execute("UPDATE runs SET state = 'failed', error = 'no <b>room</b>' WHERE id = $1", run_id)
    for address in ("/", "/ui/campaigns/notice", f"/ui/runs/{run_id}", f"/ui/runs/{run_id}/standing"):
        assert "no &lt;b&gt;room&lt;/b&gt;" in (await page.get(address)).text, address


async def test_buttons_are_those_that_roles_allow(anonymous: httpx.AsyncClient, pool: Pool, run_id: RunId) -> None:
    addresses = ("/", "/ui/campaigns/notice", f"/ui/runs/{run_id}")
    await pool.execute("UPDATE runs SET state = 'running' WHERE id = $1", run_id)
    offered = {"viewer": set[str](), "author": {"preview", "run"}}
    offered["operator"] = {*offered["author"], "pause", "archive", "close", "pause-run", "cancel-run"}
    for role, expected in offered.items():
        key = await make_key(pool, Grant(Role(role), "default"))
        assert (await anonymous.post("/ui/sign-in", data={"key": key})).status_code == 303
        shown = "".join([(await anonymous.get(address)).text for address in addresses])
        assert set(re.findall(r'data-act="([^"]+)"', shown)) == expected, role
        assert ("/ui/new-campaign" in shown) is (role != "viewer")


async def test_versions_of_a_spec_are_compared(page: httpx.AsyncClient, api_key: str) -> None:
    headers = {"Authorization": f"Bearer {api_key}"}
    for content in ("hello", "good bye"):
        document = SPEC.format(name="notice").replace("hello", content)
        given = {"document": document}
        assert (await page.put("/v1/campaigns/notice", json=given, headers=headers)).is_success
    shown = (await page.get("/ui/campaigns/notice/spec?before=1")).text
    assert "from the first on: all of them run again" in shown
    added = re.sub(r"</?(?:span|mark)[^>]*>", "", shown[shown.index('<tr class="added">') :])
    assert re.match(r'<tr class="added">.*good bye', added)
    assert "good bye" in (await page.get("/ui/campaigns/notice/edit")).text
    assert (await page.get("/ui/campaigns/notice/spec?after=3")).status_code == 404


async def test_a_new_campaign_begins_with_a_spec_that_is_valid(page: httpx.AsyncClient) -> None:
    for start in STARTS:
        assert parse_spec(start.document)
        assert (
            f"name: {parse_spec(start.document).name}" in (await page.get(f"/ui/new-campaign?start={start.name}")).text
        )
    assert (await page.get("/ui/new-campaign?start=made-up")).status_code == 404
