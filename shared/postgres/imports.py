"""Targets of pull requests that were there already: first by repository and number, then as GitHub knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..domain.ids import RunId, TargetId
from ..domain.target import NewTarget
from .pool import Connection
from .targets import insert_targets


async def insert_imports(conn: Connection, run_id: RunId, planned: Sequence[NewTarget]) -> None:
    """Inserts targets that are to be looked up; nothing is ever put on their pull requests by itself."""
    await insert_targets(conn, planned)
    await conn.execute(
        "UPDATE targets SET is_imported = true WHERE run_id = $1 AND id = ANY($2::uuid[])",
        run_id,
        [target.id for target in planned],
    )


@dataclass(frozen=True, kw_only=True)
class ImportedPlace:
    """Where an imported pull request is: what a target that is made by steps is planned with."""

    target_id: TargetId
    repository_node_id: str
    repository_id: int
    repository: str
    base_branch: str
    branch: str
    group: str


async def place_imports(conn: Connection, places: Sequence[ImportedPlace]) -> None:
    """Records where these imported pull requests are."""
    await conn.execute(
        """
        UPDATE targets t SET repository_node_id = p.repository_node_id, repository_id = p.repository_id,
            repository = p.repository, base_branch = p.base_branch, branch = p.branch, change_group = p.change_group
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
            AS p (target_id, repository_node_id, repository_id, repository, base_branch, branch, change_group)
        WHERE t.id = p.target_id
        """,
        [place.target_id for place in places],
        [place.repository_node_id for place in places],
        [place.repository_id for place in places],
        [place.repository for place in places],
        [place.base_branch for place in places],
        [place.branch for place in places],
        [place.group for place in places],
    )
