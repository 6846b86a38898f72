"""Owners of selected repositories in Postgres: CODEOWNERS by blob, and the teams that they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..domain.ids import InstallationId, SelectionId
from ..domain.selection import SelectedRepository
from .pool import Connection
from .selections import list_selected


@dataclass(frozen=True, kw_only=True)
class Owned:
    """A selected repository and branch, and its CODEOWNERS file.

    `path` is None where it has none; `document` where it has none, or where it cannot be read: `problem` says why.
    """

    position: int
    name_with_owner: str
    branch: str
    path: str | None
    blob_oid: str | None
    document: str | None
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team (`slug` is organisation/slug) and its members' logins; `is_missing` where GitHub shows none."""

    slug: str
    name: str
    members: tuple[str, ...]
    is_missing: bool


@dataclass(frozen=True, kw_only=True)
class UnreadFile:
    """A CODEOWNERS file by its blob, and where it is: a repository and a revision of it."""

    blob_oid: str
    node_id: str
    installation_id: InstallationId
    name_with_owner: str
    revision: str


async def fetch_unlocated(
    conn: Connection, selection_id: SelectionId, *, limit: int
) -> list[tuple[int, SelectedRepository]]:
    """Repositories that are in, whose CODEOWNERS was not looked for yet."""
    position = await conn.fetchval(
        """
        SELECT min(r.position) FROM selection_repositories r LEFT JOIN selection_owners o
            USING (selection_id, node_id, branch)
        WHERE r.selection_id = $1 AND r.included AND o.node_id IS NULL
        """,
        selection_id,
    )
    if position is None:
        return []
    return await list_selected(conn, selection_id, included=True, after=position - 1, limit=limit)


async def record_places(
    conn: Connection, selection_id: SelectionId, places: Sequence[tuple[str, str, str | None, str | None]]
) -> None:
    """Records where repositories have their CODEOWNERS: node id, branch, path and blob, None for nowhere."""
    await conn.execute(
        """
        INSERT INTO selection_owners (selection_id, node_id, branch, path, blob_oid)
        SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
        ON CONFLICT (selection_id, node_id, branch) DO UPDATE SET path = excluded.path, blob_oid = excluded.blob_oid
        """,
        selection_id,
        *map(list, zip(*places, strict=True)),
    )


async def fetch_unread(conn: Connection, selection_id: SelectionId, *, limit: int) -> list[UnreadFile]:
    """Files that nobody read, each as one of the repositories has it."""
    rows = await conn.fetch(
        """
        SELECT DISTINCT ON (o.blob_oid) o.blob_oid, node_id, r.installation_id, r.name_with_owner,
            CASE WHEN branch = r.default_branch THEN 'HEAD' ELSE 'refs/heads/' || branch END AS revision
        FROM selection_owners o JOIN selection_repositories r USING (selection_id, node_id, branch)
        LEFT JOIN codeowners_files f ON f.blob_oid = o.blob_oid
        WHERE selection_id = $1 AND o.blob_oid IS NOT NULL AND f.blob_oid IS NULL
        ORDER BY o.blob_oid, r.position LIMIT $2
        """,
        selection_id,
        limit,
    )
    return [UnreadFile(**row) for row in rows]


async def record_files(conn: Connection, files: Mapping[str, tuple[str | None, str | None]]) -> None:
    """Keeps CODEOWNERS files by blob: text, or the problem with it."""
    await conn.execute(
        "INSERT INTO codeowners_files (blob_oid, document, problem)"
        " SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT (blob_oid) DO NOTHING",
        list(files),
        [document for document, _ in files.values()],
        [problem for _, problem in files.values()],
    )


async def list_documents(conn: Connection, selection_id: SelectionId) -> list[str]:
    """Each CODEOWNERS text of a selection once."""
    rows = await conn.fetch(
        "SELECT document FROM codeowners_files WHERE document IS NOT NULL AND blob_oid IN"
        " (SELECT blob_oid FROM selection_owners WHERE selection_id = $1)",
        selection_id,
    )
    return [row["document"] for row in rows]


async def list_owned(conn: Connection, selection_id: SelectionId, *, after: int = -1, limit: int = 100) -> list[Owned]:
    """Repositories that are in, in order, with their CODEOWNERS, from the position after `after` on."""
    rows = await conn.fetch(
        """
        SELECT r.position, r.name_with_owner, r.branch, o.path, o.blob_oid, f.document, f.problem
        FROM selection_repositories r JOIN selection_owners o USING (selection_id, node_id, branch)
        LEFT JOIN codeowners_files f USING (blob_oid)
        WHERE r.selection_id = $1 AND r.included AND r.position > $2 ORDER BY r.position LIMIT $3
        """,
        selection_id,
        after,
        limit,
    )
    return [Owned(**row) for row in rows]


async def list_counted_documents(conn: Connection, selection_id: SelectionId) -> list[tuple[str | None, int]]:
    """Each CODEOWNERS text of a selection and how many of its repositories have it; None for those without one."""
    rows = await conn.fetch(
        """
        SELECT f.document, count(*) AS repositories
        FROM selection_owners o JOIN selection_repositories r USING (selection_id, node_id, branch)
        LEFT JOIN codeowners_files f USING (blob_oid)
        WHERE selection_id = $1 AND r.included GROUP BY f.document
        """,
        selection_id,
    )
    return [(row["document"], row["repositories"]) for row in rows]


async def fetch_unknown_teams(conn: Connection, slugs: Sequence[str], *, max_age: timedelta) -> list[str]:
    """Those of the teams that were not asked for lately."""
    rows = await conn.fetch(
        "SELECT slug FROM unnest($1::text[]) AS slug WHERE slug NOT IN"
        " (SELECT slug FROM teams WHERE fetched_at > now() - $2::interval) ORDER BY slug",
        slugs,
        max_age,
    )
    return [row["slug"] for row in rows]


async def record_teams(conn: Connection, teams: Sequence[Team]) -> None:
    """Keeps what GitHub said of teams."""
    await conn.executemany(
        "INSERT INTO teams (slug, name, members, is_missing) VALUES ($1, $2, $3, $4) ON CONFLICT (slug)"
        " DO UPDATE SET name = $2, members = $3, is_missing = $4, fetched_at = now()",
        [(each.slug, each.name, list(each.members), each.is_missing) for each in teams],
    )


async def list_teams(conn: Connection, slugs: Sequence[str]) -> list[Team]:
    """What is known of these teams."""
    rows = await conn.fetch(
        "SELECT slug, name, members, is_missing FROM teams WHERE slug = ANY($1) ORDER BY slug", slugs
    )
    return [
        Team(slug=row["slug"], name=row["name"], members=tuple(row["members"]), is_missing=row["is_missing"])
        for row in rows
    ]
