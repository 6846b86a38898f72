"""Targets as pages: tables of them, one with its diff and log, and bulk operations that are looked at."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from shared.blobs.folder import FolderStore
from shared.domain.artifact import ArtifactKind, new_artifact
from shared.domain.ids import CampaignId, RunId
from shared.domain.roles import Grant, Role
from shared.domain.target import PullRequestRef
from shared.outbox import Outbox
from shared.postgres import artifacts
from shared.postgres.pool import Pool
from tests.integration.campaigns.rows import SPEC, Rows
from tests.integration.gateway.test_access import make_key

PART = {"HX-Request": "true", "HX-Target": "targets"}
WAVES = "rollout: {waves: [{percent: 40}, {percent: 100}]}\n"


@pytest.fixture
def rows(pool: Pool, redis: Redis) -> Rows:
    return Rows(pool, Outbox(pool, redis))


@pytest.fixture
async def campaign_id(rows: Rows) -> CampaignId:
    return await rows.campaign(document=SPEC.format(name="notice") + WAVES)


@pytest.fixture
async def page(anonymous: httpx.AsyncClient, api_key: str) -> httpx.AsyncClient:
    """Somebody who has signed in to the pages."""
    assert (await anonymous.post("/ui/sign-in", data={"key": api_key})).status_code == 303
    return anonymous


def _shown(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return re.findall(r'<a href="/ui/targets/[^"]+">([^<]+)</a>', answer.text)


def _facets(answer: httpx.Response) -> dict[str, int]:
    found = re.findall(r'id="facet-\w+?-(\w+)".*?<b>([\d,]+)</b>', answer.text, re.DOTALL)
    return {value: int(count) for value, count in found}


async def _make(rows: Rows, pool: Pool, campaign_id: CampaignId) -> RunId:
    """Five targets: two open ones, one of them approved; one failed, with a warning; one merged; one of a group."""
    run_id = await rows.run(campaign_id)
    states = ("open", "open", "failed", "merged", "draft")
    for number, state in enumerate(states, start=1):
        pull = (
            None
            if state == "failed"
            else PullRequestRef(number=number, node_id=f"PR_{number}", url=f"https://h/{number}")
        )
        group = "@acme/core @mona" if number == 5 else ""
        await rows.target(run_id, campaign_id, state=state, number=number, pull_request=pull, group=group)
    await pool.execute(
        "UPDATE targets SET review_state = CASE repository WHEN 'acme/repo-1' THEN 'approved' ELSE 'none' END,"
        " reason = CASE state WHEN 'failed' THEN 'the step timed out' END, additions = repository_id * 10,"
        " files_changed = 1, deletions = 0,"
        " warnings = CASE state WHEN 'failed' THEN '[\"size: large\"]'::jsonb ELSE '[]' END,"
        " released_at = now() + repository_id * interval '1 second'"
    )
    return run_id


async def test_targets_of_a_run_are_filtered_sorted_and_counted_by_facet(
    page: httpx.AsyncClient, rows: Rows, pool: Pool, campaign_id: CampaignId
) -> None:
    run_id = await _make(rows, pool, campaign_id)
    address = f"/ui/runs/{run_id}/targets"
    whole = await page.get(address)
    assert _shown(whole) == [f"acme/repo-{number}" for number in range(1, 6)]
    assert _facets(whole) == {
        "open": 2, "failed": 1, "merged": 1, "draft": 1, "approved": 1, "none": 4, "true": 1, "false": 4,
    }  # fmt: skip
    for query, expected in {
        "state=open&state=failed": "1 2 3",
        "review_state=approved": "1",
        "has_warnings=true": "3",
        "text=TIMED+out": "3",
        "repository=*/repo-[45]": "4 5",
        "owner=ACME": "1 2 3 4 5",
        "owner=other": "",
        "owner=acme/core": "5",
        "owner=@mona": "5",
        "group=%40acme/core+%40mona": "5",
        "wave=1": "1 2",
        "wave=2": "3 4 5",
        "sort=-size": "5 4 3 2 1",
        "sort=state&state=open&state=draft": "5 1 2",
        "text=&repository=&owner=&state=nonsense&sort=nonsense": "1 2 3 4 5",
    }.items():
        shown = _shown(await page.get(f"{address}?{query}"))
        assert [name.removeprefix("acme/repo-") for name in shown] == expected.split(), query
    chosen = await page.get(f"{address}?state=open&text=&owner=acme", headers=PART)
    assert chosen.headers["hx-push-url"] == f"{address}?state=open&owner=acme"
    assert "<html" not in chosen.text
    assert _facets(chosen)["draft"] == 1, "a facet counts what its other values would let through"
    assert (await page.get(f"{address}?wave=7")).status_code == 422


async def test_a_long_table_comes_in_pages_that_fit_together(
    page: httpx.AsyncClient, rows: Rows, pool: Pool, campaign_id: CampaignId
) -> None:
    run_id = await rows.run(campaign_id)
    await pool.execute(
        """INSERT INTO targets (id, run_id, campaign_id, repository_node_id, repository, installation_id, base_branch,
               branch, state, additions, deletions, files_changed, updated_at)
           SELECT gen_random_uuid(), $1, $2, 'R_' || n, 'acme/repo-' || n, 7, 'main', 'b', 'open', n % 7, 0, 1,
               now() - n % 5 * interval '1 minute' FROM generate_series(1, 250) n""",
        run_id,
        campaign_id,
    )
    for sort in ("repository", "-repository", "-updated", "size", "state"):
        address, seen = f"/ui/runs/{run_id}/targets?sort={sort}", list[str]()
        while address:
            answer = await page.get(address, headers=PART)
            seen += _shown(answer)
            following = re.search(r'hx-get="([^"]+cursor=[^"]+)"', answer.text)
            address = following[1].replace("&amp;", "&") if following else ""
        assert len(seen) == len(set(seen)) == 250, sort


async def test_what_waits_over_all_campaigns_is_the_newest_of_each_branch(
    page: httpx.AsyncClient, rows: Rows, pool: Pool, campaign_id: CampaignId
) -> None:
    await _make(rows, pool, campaign_id)
    later = await rows.run(campaign_id)
    await rows.target(later, campaign_id, state="merged", number=1)
    await rows.target(later, campaign_id, state="blocked", number=2)
    preview = await rows.run(campaign_id, dry_run=True)
    await rows.target(preview, campaign_id, state="prepared", number=3)
    other = await rows.campaign(name="other")
    await rows.target(await rows.run(other), other, state="open", number=1, branch="octobatch/other")
    waits = await page.get("/ui/targets")
    assert _shown(waits) == ["acme/repo-1", "acme/repo-2", "acme/repo-3", "acme/repo-5"]
    assert _facets(waits)["blocked"] == 1
    assert _shown(await page.get("/ui/targets?ended=true&campaign=notice")) == [f"acme/repo-{n}" for n in range(1, 6)]
    assert _shown(await page.get("/ui/targets?repository=acme/repo-2")) == ["acme/repo-2"]
    assert _shown(await page.get("/ui/targets?campaign=nobody")) == []


async def test_a_target_shows_its_diff_its_log_and_what_happened(
    page: httpx.AsyncClient, rows: Rows, pool: Pool, campaign_id: CampaignId, blobs_folder: Path
) -> None:
    run_id = await rows.run(campaign_id)
    target = await rows.target(run_id, campaign_id, state="failed")
    body = "".join(f"+line {number}\n" for number in range(2000))
    added = "diff --git a/{0} b/{0}\nnew file mode 100644\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1,2000 @@\n{1}"
    diff = added.format("a<b>.txt", body) + added.format("b.txt", body) + added.format("c.txt", body)
    diff += added.format("d.txt", body)
    log = "acme/repo-1 at abc (main)\nstep 1 of 1: run\n  out | <b>\n  failed: exit code 1\n"
    for kind, content in ((ArtifactKind.LOG, log), (ArtifactKind.DIFF, diff)):
        new = new_artifact(run_id, target.id, kind, content.encode())
        await FolderStore(blobs_folder).put(new.key, new.stored, media_type=kind.media_type)
        async with pool.acquire() as conn:
            await artifacts.upsert_artifacts(conn, [new])
    address = f"/ui/targets/{target.id}"
    first = (await page.get(address)).text
    assert "failed: exit code 1" in first, "of what failed the log comes first"
    assert "&lt;b&gt;" in first
    changes = (await page.get(f"{address}?tab=changes")).text
    assert "a&lt;b&gt;.txt" in changes
    assert changes.count('<tr class="added">') < 2500, "of 8,000"
    assert f'hx-get="{address}/diff/3?view=unified"' in changes, "what is far down is loaded when it is opened"
    seen, part = 0, f"{address}/diff/3?view=split"
    while part:
        answer = await page.get(part, headers=PART)
        seen += answer.text.count('<td class="code added">')
        following = re.search(r'hx-get="([^"]+begin=[^"]+)"', answer.text)
        part = following[1].replace("&amp;", "&") if following else ""
    assert seen == 2000
    assert (await page.get(f"{address}/diff/9")).status_code == 404
    assert "Nothing has happened yet" in (await page.get(f"{address}?tab=timeline")).text
    assert "download" in (await page.get(f"{address}?tab=files")).text
    bare = await rows.target(run_id, campaign_id, state="preparing", number=2)
    asked_again = (await page.get(f"/ui/targets/{bare.id}?tab=log")).text
    assert 'hx-trigger="every 2s"' in asked_again


async def test_a_bulk_operation_shows_how_far_it_is_and_what_became_of_each_target(
    page: httpx.AsyncClient, rows: Rows, pool: Pool, campaign_id: CampaignId, api_key: str
) -> None:
    run_id = await _make(rows, pool, campaign_id)
    made = await page.post(
        f"/v1/runs/{run_id}/bulk-operations",
        json={"action": "merge", "parameters": {"method": "squash"}},
        headers={"Authorization": f"Bearer {api_key}"},
    )
    address = f"/ui/bulk-operations/{made.json()['bulk_operation']['id']}"
    shown = (await page.get(address)).text
    assert "is a draft: undraft it first" in shown
    assert "squash" in shown
    assert 'hx-trigger="every 1s"' in shown, "while it runs the page asks for itself"
    assert _shown(await page.get(f"{address}?state=pending")) == ["acme/repo-1", "acme/repo-2"]
    assert address in (await page.get("/ui/bulk-operations?campaign=notice")).text
    assert address not in (await page.get("/ui/bulk-operations?campaign=nobody")).text


async def test_who_may_only_look_is_offered_nothing_to_do(
    anonymous: httpx.AsyncClient, rows: Rows, pool: Pool, campaign_id: CampaignId
) -> None:
    run_id = await _make(rows, pool, campaign_id)
    target_id = await pool.fetchval("SELECT id FROM targets LIMIT 1")
    for role, offered in (("viewer", False), ("operator", True)):
        key = await make_key(pool, Grant(Role(role), "default"))
        assert (await anonymous.post("/ui/sign-in", data={"key": key})).status_code == 303
        for address in (f"/ui/runs/{run_id}/targets", "/ui/targets", f"/ui/targets/{target_id}"):
            shown = await anonymous.get(address)
            assert shown.status_code == 200
            assert ('data-actions="[]"' not in shown.text) == offered, address
