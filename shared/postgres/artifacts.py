"""Artifacts in Postgres: what is stored of each target and where; the bytes are in the blob store."""

from __future__ import annotations

from asyncpg import Record

from ..domain.artifact import Artifact, ArtifactKind
from ..domain.ids import ArtifactId, RunId, TargetId, new_id
from ..errors import NotFound
from .pool import Connection

_COLUMNS = "id, run_id, target_id, kind, key, size_bytes, sha256, created_at"


async def upsert_artifact(
    conn: Connection,
    *,
    run_id: RunId,
    target_id: TargetId,
    kind: ArtifactKind,
    key: str,
    size_bytes: int,
    sha256: str,
) -> Artifact:
    """Records where an artifact is; a target has one of each kind, the newest."""
    row = await conn.fetchrow(
        f"""
        INSERT INTO artifacts (id, run_id, target_id, kind, key, size_bytes, sha256)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (target_id, kind) DO UPDATE
        SET key = excluded.key, size_bytes = excluded.size_bytes, sha256 = excluded.sha256, created_at = now()
        RETURNING {_COLUMNS}
        """,  # noqa: S608
        new_id(),
        run_id,
        target_id,
        kind,
        key,
        size_bytes,
        sha256,
    )
    assert row is not None  # noqa: S101  # an upsert returns its row
    return _from_row(row)


async def fetch_artifacts(conn: Connection, target_id: TargetId) -> list[Artifact]:
    """What is stored of a target, by kind."""
    rows = await conn.fetch(f"SELECT {_COLUMNS} FROM artifacts WHERE target_id = $1 ORDER BY kind", target_id)  # noqa: S608
    return [_from_row(row) for row in rows]


async def get_artifact(conn: Connection, target_id: TargetId, kind: ArtifactKind) -> Artifact:
    """The target's artifact of that kind; raises `NotFound`."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM artifacts WHERE target_id = $1 AND kind = $2",  # noqa: S608
        target_id,
        kind,
    )
    if row is None:
        raise NotFound(f"{kind} of target", target_id)
    return _from_row(row)


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
