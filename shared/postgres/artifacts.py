"""Artifacts in Postgres: what is stored of each target and where; the bytes are in the blob store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from asyncpg import Record

from ..domain.artifact import Artifact, ArtifactKind, NewArtifact
from ..domain.ids import ArtifactId, RunId, TargetId, new_id
from ..errors import ArtifactDeleted, NotFound
from .pool import Connection

_COLUMNS = "id, run_id, target_id, kind, key, size_bytes, sha256, created_at"


async def upsert_artifacts(conn: Connection, stored: Sequence[NewArtifact]) -> None:
    """Records where artifacts are, in one statement; a target has one of each kind, the newest."""
    await conn.execute(
        """
        INSERT INTO artifacts (id, run_id, target_id, kind, key, size_bytes, sha256)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::text[])
        ON CONFLICT (target_id, kind) DO UPDATE
        SET key = excluded.key, size_bytes = excluded.size_bytes, sha256 = excluded.sha256, created_at = now()
        """,
        [new_id() for _ in stored],
        [artifact.run_id for artifact in stored],
        [artifact.target_id for artifact in stored],
        [artifact.kind.value for artifact in stored],
        [artifact.key for artifact in stored],
        [artifact.size_bytes for artifact in stored],
        [artifact.sha256 for artifact in stored],
    )


async def fetch_artifacts(conn: Connection, target_id: TargetId) -> list[Artifact]:
    """What is stored of a target, by kind."""
    rows = await conn.fetch(f"SELECT {_COLUMNS} FROM artifacts WHERE target_id = $1 ORDER BY kind", target_id)  # noqa: S608
    return [_from_row(row) for row in rows]


async def get_artifact(conn: Connection, target_id: TargetId, kind: ArtifactKind) -> Artifact:
    """The target's artifact of that kind; raises `ArtifactDeleted` where it was there once, else `NotFound`."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM artifacts WHERE target_id = $1 AND kind = $2",  # noqa: S608
        target_id,
        kind,
    )
    if row is not None:
        return _from_row(row)
    if await conn.fetchval(
        """SELECT r.artifacts_deleted_at IS NOT NULL FROM targets t JOIN runs r ON r.id = t.run_id WHERE t.id = $1""",
        target_id,
    ):
        raise ArtifactDeleted(kind, target_id)
    raise NotFound(f"{kind} of target", target_id)


async def list_expired(conn: Connection, *, ended_before: datetime, limit: int) -> list[Artifact]:
    """Artifacts of runs that ended before a time, of the oldest runs first."""
    rows = await conn.fetch(
        """
        SELECT a.id, a.run_id, a.target_id, a.kind, a.key, a.size_bytes, a.sha256, a.created_at
        FROM runs r JOIN artifacts a ON a.run_id = r.id
        WHERE r.finished_at < $1 ORDER BY r.finished_at, a.id LIMIT $2
        """,
        ended_before,
        limit,
    )
    return [_from_row(row) for row in rows]


async def list_keys_in_use(conn: Connection, *, keys: Sequence[str], but_for: Sequence[ArtifactId]) -> list[str]:
    """Those keys that other artifacts have too."""
    rows = await conn.fetch("SELECT key FROM artifacts WHERE key = ANY($1) AND NOT id = ANY($2)", keys, but_for)
    return [row["key"] for row in rows]


async def delete_artifacts(conn: Connection, expired: Sequence[Artifact]) -> None:
    """Forgets artifacts; their runs know that they had some."""
    await conn.execute("DELETE FROM artifacts WHERE id = ANY($1)", [each.id for each in expired])
    await conn.execute(
        "UPDATE runs SET artifacts_deleted_at = now() WHERE id = ANY($1)", list({each.run_id for each in expired})
    )


def _from_row(row: Record) -> Artifact:
    return Artifact(
        id=ArtifactId(row["id"]),
        run_id=RunId(row["run_id"]),
        target_id=TargetId(row["target_id"]),
        kind=ArtifactKind(row["kind"]),
        key=row["key"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        created_at=row["created_at"],
    )
