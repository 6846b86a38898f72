"""Artifacts over HTTP: packed at rest, checked by their SHA-256, gone with a clear answer."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from shared.blobs.folder import FolderStore
from shared.domain.artifact import Artifact, ArtifactKind, new_artifact
from shared.domain.ids import TargetId
from shared.postgres import artifacts
from shared.postgres.pool import Pool
from tests.integration.campaigns.conftest import ctx, make_settings, rows  # noqa: F401  # fixtures
from tests.integration.campaigns.rows import Rows
from workers.campaigns.context import CampaignsContext
from workers.campaigns.forgetting import forget_artifacts

LOG = b"step 1 of 1\n" * 1000


@pytest.fixture
async def target_id(rows: Rows, pool: Pool, redis: Redis, blobs_folder: Path) -> TargetId:  # noqa: F811
    """A target of a run that ended ten days ago, with a log and a small diff."""
    campaign_id = await rows.campaign()
    run_id = await rows.run(campaign_id, state="completed")
    await pool.execute("UPDATE runs SET finished_at = now() - interval '10 days' WHERE id = $1", run_id)
    target = await rows.target(run_id, campaign_id, state="open")
    for kind, content in ((ArtifactKind.LOG, LOG), (ArtifactKind.DIFF, b"+x\n")):
        new = new_artifact(run_id, target.id, kind, content)
        await FolderStore(blobs_folder).put(new.key, new.stored, media_type=kind.media_type)
        async with pool.acquire() as conn:
            await artifacts.upsert_artifacts(conn, [new])
    return target.id


async def test_an_artifact_is_packed_at_rest_and_on_the_way_to_whoever_takes_that(
    client: httpx.AsyncClient, target_id: TargetId, blobs_folder: Path
) -> None:
    [stored] = blobs_folder.rglob("*.log.gz")
    assert stored.stat().st_size < len(LOG) / 10
    for encoding, expected in (("gzip, br", "gzip"), ("identity", None)):
        answer = await client.get(f"/v1/targets/{target_id}/log", headers={"Accept-Encoding": encoding})
        assert answer.content == LOG
        assert answer.headers.get("content-encoding") == expected
        digest = base64.b64encode(hashlib.sha256(LOG).digest()).decode()
        assert answer.headers["repr-digest"] == f"sha-256=:{digest}:"
    again = await client.get(f"/v1/targets/{target_id}/log", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    listed = (await client.get(f"/v1/targets/{target_id}/artifacts")).json()["items"]
    assert [(each["kind"], each["size_bytes"]) for each in listed] == [("diff", 3), ("log", len(LOG))]
    saved = await client.get(f"/v1/targets/{target_id}/artifacts/diff/download")
    assert saved.content == b"+x\n"
    assert saved.headers["content-disposition"] == f'attachment; filename="{target_id}.diff"'
    assert (await client.get(f"/v1/targets/{target_id}/artifacts/patch/download")).status_code == 404


async def test_artifacts_are_deleted_in_time_and_the_answer_says_so(
    client: httpx.AsyncClient,
    target_id: TargetId,
    ctx: CampaignsContext,  # noqa: F811
    blobs_folder: Path,
) -> None:
    for days, status in ((0, 200), (11, 200), (9, 410)):
        settings = ctx.settings.model_copy(update={"artifact_retention_days": days})
        await forget_artifacts(replace(ctx, settings=settings))
        answer = await client.get(f"/v1/targets/{target_id}/log")
        assert answer.status_code == status
    assert "log of target" in answer.json()["detail"]
    assert "longer ago than artifacts are kept" in answer.json()["detail"]
    assert not [path for path in blobs_folder.rglob("*") if path.is_file()]


def test_bytes_that_changed_in_the_store_are_not_taken_for_the_artifact(target_id: TargetId) -> None:
    new = new_artifact(target_id, target_id, ArtifactKind.CHANGE, LOG)  # type: ignore[arg-type]
    fields = {name: value for name, value in vars(new).items() if name != "stored"}
    artifact = Artifact(id=target_id, created_at=None, **fields)  # type: ignore[arg-type]
    assert artifact.unpacked(new.stored) == LOG
    with pytest.raises(ValueError, match="SHA-256 differs"):
        artifact.unpacked(new_artifact(target_id, target_id, ArtifactKind.CHANGE, LOG + b"x").stored)  # type: ignore[arg-type]
