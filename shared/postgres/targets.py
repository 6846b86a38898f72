"""Targets in Postgres: planned in one statement, moved only along `TARGET_TRANSITIONS`.

    move = await move_target(conn, target_id, to=TargetState.OPEN, pull_request=…)
    if move is None: ...          # somebody else (a cancel, another worker) moved it first

Every move is an event: workers move through `workers/campaigns/moves.py`, which emits it in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg import Record

from ..domain.ids import CampaignId, InstallationId, RunId, TargetId
from ..domain.repository import Repository
from ..domain.target import (
    UNSETTLED,
    ChecksState,
    DiffStat,
    NewTarget,
    PublishAs,
    PullRequestRef,
    ReviewState,
    Target,
    TargetState,
    states_before,
)
from ..errors import NotFound
from .pool import Connection

TARGET_COLUMNS = """
    t.id, t.run_id, t.campaign_id, t.repository_node_id, t.repository_id, t.repository, t.installation_id,
    t.base_branch, t.base_oid, t.branch, t.change_group, t.publish_as, t.state, t.review_state, t.checks_state,
    t.reason, t.files_changed, t.additions, t.deletions, t.pull_request_number, t.pull_request_node_id,
    t.pull_request_url, t.head_oid, t.attempt, t.batch, t.detached_at, t.is_imported, t.warnings, t.created_at,
    t.updated_at"""
"""The columns of `targets t` that `target_from_row` reads."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """A step that was made: the state before it, and the target after it."""

    before: TargetState
    target: Target


async def insert_targets(conn: Connection, targets: Sequence[NewTarget]) -> int:
    """Inserts those that are not planned yet, all as `pending`, in one statement; returns how many were new."""
    inserted = await conn.fetch(
        """
        INSERT INTO targets (id, run_id, campaign_id, repository_node_id, repository_id, repository, installation_id,
                             base_branch, base_oid, branch, change_group, publish_as, batch, state)
        SELECT *, 'pending' FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::text[],
                             $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                             $13::integer[])
        ON CONFLICT (run_id, repository_node_id, base_branch, change_group) DO NOTHING
        RETURNING id
        """,
        [t.id for t in targets],
        [t.run_id for t in targets],
        [t.campaign_id for t in targets],
        [t.repository_node_id for t in targets],
        [t.repository_id for t in targets],
        [t.repository for t in targets],
        [t.installation_id for t in targets],
        [t.base_branch for t in targets],
        [t.base_oid for t in targets],
        [t.branch for t in targets],
        [t.group for t in targets],
        [t.publish_as.value for t in targets],
        [t.batch for t in targets],
    )
    return len(inserted)


async def fetch_target(conn: Connection, target_id: TargetId) -> Target | None:
    """The target of that id."""
    row = await conn.fetchrow(f"SELECT {TARGET_COLUMNS} FROM targets t WHERE t.id = $1", target_id)  # noqa: S608
    return target_from_row(row) if row else None


async def get_target(conn: Connection, target_id: TargetId) -> Target:
    """The target of that id; raises `NotFound`."""
    target = await fetch_target(conn, target_id)
    if target is None:
        raise NotFound("target", target_id)
    return target


async def move_target(
    conn: Connection,
    target_id: TargetId,
    *,
    to: TargetState,
    reason: str | None = None,
    base_oid: str | None = None,
    head_oid: str | None = None,
    diff_stat: DiffStat | None = None,
    pull_request: PullRequestRef | None = None,
    pull_request_updated_at: datetime | None = None,
    is_released: bool = False,
    never_from: Collection[TargetState] = (),
) -> Move | None:
    """Moves a target to `to` where the table of transitions allows it from where it is; None where it does not.

    `reason` replaces the old one, also by None; the other values are kept where None is given. `is_released` says that
    it is to be published at once, and waits for no rollout.
    """
    row = await conn.fetchrow(
        f"""
        WITH before AS (SELECT id, state FROM targets WHERE id = $1 AND state = ANY($2) FOR UPDATE)
        UPDATE targets t
        SET state = $3, reason = $4, updated_at = now(),
            base_oid = coalesce($5, t.base_oid), head_oid = coalesce($6, t.head_oid),
            files_changed = coalesce($7, t.files_changed), additions = coalesce($8, t.additions),
            deletions = coalesce($9, t.deletions),
            pull_request_number = coalesce($10, t.pull_request_number),
            pull_request_node_id = coalesce($11, t.pull_request_node_id),
            pull_request_url = coalesce($12, t.pull_request_url),
            pull_request_updated_at = coalesce($13, t.pull_request_updated_at),
            released_at = CASE WHEN $14 THEN now() ELSE t.released_at END
        FROM before WHERE t.id = before.id
        RETURNING before.state AS state_before, {TARGET_COLUMNS}
        """,  # noqa: S608
        target_id,
        [state for state in states_before(to) if state not in never_from],
        to,
        reason,
        base_oid,
        head_oid,
        *_stat_values(diff_stat),
        *_pull_request_values(pull_request),
        pull_request_updated_at,
        is_released,
    )
    return Move(before=TargetState(row["state_before"]), target=target_from_row(row)) if row else None


async def move_targets(conn: Connection, target_ids: Sequence[TargetId], *, to: TargetState) -> list[Move]:
    """Moves those of the targets that the table allows to go to `to` from where they are, in one statement."""
    rows = await conn.fetch(
        f"""
        WITH before AS (
            SELECT id, state FROM targets WHERE id = ANY($1::uuid[]) AND state = ANY($2) ORDER BY id FOR UPDATE
        )
        UPDATE targets t SET state = $3, reason = NULL, updated_at = now()
        FROM before WHERE t.id = before.id
        RETURNING before.state AS state_before, {TARGET_COLUMNS}
        """,  # noqa: S608
        list(target_ids),
        list(states_before(to)),
        to,
    )
    return [Move(before=TargetState(row["state_before"]), target=target_from_row(row)) for row in rows]


async def list_batch(
    conn: Connection, run_id: RunId, installation_id: InstallationId, batch: int, *, states: Sequence[TargetState]
) -> list[Target]:
    """The targets of a batch in these states, in order."""
    rows = await conn.fetch(
        f"""
        SELECT {TARGET_COLUMNS} FROM targets t
        WHERE t.run_id = $1 AND t.installation_id = $2 AND t.batch = $3 AND t.state = ANY($4) ORDER BY t.id
        """,  # noqa: S608
        run_id,
        installation_id,
        batch,
        list(states),
    )
    return [target_from_row(row) for row in rows]


async def repository_ids_of_batch(
    conn: Connection, run_id: RunId, installation_id: InstallationId, batch: int
) -> tuple[int, ...]:
    """GitHub's numbers of the repositories of a batch, each once, in order."""
    rows = await conn.fetch(
        """SELECT DISTINCT repository_id FROM targets
           WHERE run_id = $1 AND installation_id = $2 AND batch = $3 ORDER BY repository_id""",
        run_id,
        installation_id,
        batch,
    )
    return tuple(row["repository_id"] for row in rows)


async def begin_again(conn: Connection, target_id: TargetId, *, reason: str | None = None) -> Move | None:
    """Puts a target back to `pending` with its next attempt, where the table allows it; its pull request stays."""
    row = await conn.fetchrow(
        f"""
        WITH before AS (SELECT id, state FROM targets WHERE id = $1 AND state = ANY($2) FOR UPDATE)
        UPDATE targets t
        SET state = 'pending', reason = $3, attempt = t.attempt + 1, released_at = NULL, updated_at = now()
        FROM before WHERE t.id = before.id
        RETURNING before.state AS state_before, {TARGET_COLUMNS}
        """,  # noqa: S608
        target_id,
        list(states_before(TargetState.PENDING)),
        reason,
    )
    return Move(before=TargetState(row["state_before"]), target=target_from_row(row)) if row else None


async def cancel_unsettled(conn: Connection, run_id: RunId, *, reason: str | None = None) -> list[Move]:
    """Cancels every target of the run that has work left to do; each move is for the caller to emit as an event."""
    rows = await conn.fetch(
        f"""
        WITH before AS (SELECT id, state FROM targets WHERE run_id = $1 AND state = ANY($2) ORDER BY id FOR UPDATE)
        UPDATE targets t SET state = 'cancelled', reason = $3, updated_at = now()
        FROM before WHERE t.id = before.id
        RETURNING before.state AS state_before, {TARGET_COLUMNS}
        """,  # noqa: S608
        run_id,
        list(UNSETTLED),
        reason,
    )
    return [Move(before=TargetState(row["state_before"]), target=target_from_row(row)) for row in rows]


async def note(
    conn: Connection,
    target_id: TargetId,
    *,
    reason: str | None = None,
    head_oid: str | None = None,
    pull_request: PullRequestRef | None = None,
) -> None:
    """Records what was learnt about a target without moving it; None leaves a value as it is."""
    await conn.execute(
        """
        UPDATE targets SET reason = coalesce($2, reason), head_oid = coalesce($3, head_oid),
            pull_request_number = coalesce($4, pull_request_number),
            pull_request_node_id = coalesce($5, pull_request_node_id),
            pull_request_url = coalesce($6, pull_request_url), updated_at = now()
        WHERE id = $1
        """,
        target_id,
        reason,
        head_oid,
        *_pull_request_values(pull_request),
    )


async def set_publish_as(conn: Connection, target_id: TargetId, publish_as: PublishAs) -> bool:
    """Has a prepared target that was not to be published wait for its release; False where it is not prepared now."""
    waits = await conn.fetchval(
        """UPDATE targets SET publish_as = $2, released_at = NULL, updated_at = now()
           WHERE id = $1 AND state = 'prepared' AND publish_as = 'none' RETURNING id""",
        target_id,
        publish_as,
    )
    return waits is not None


async def detach_target(conn: Connection, target_id: TargetId) -> None:
    """Leaves the pull request of a target to people: it is followed and changed no more."""
    await conn.execute(
        "UPDATE targets SET detached_at = coalesce(detached_at, now()), updated_at = now() WHERE id = $1", target_id
    )


async def attach_target(conn: Connection, target_id: TargetId) -> None:
    """Follows a detached pull request again: what became of it meanwhile is asked for before all others."""
    await conn.execute(
        "UPDATE targets SET detached_at = NULL, checked_at = NULL, updated_at = now() WHERE id = $1", target_id
    )


async def page_targets(
    conn: Connection,
    run_id: RunId,
    *,
    states: Sequence[TargetState] = (),
    repository: str | None = None,
    after: TargetId | None = None,
    limit: int = 50,
) -> list[Target]:
    """Targets of a run in the order of their ids, from the one after `after`; filters that are not given let all pass.

    `repository` is a part of `owner/name`, in any case of letters.
    """
    rows = await conn.fetch(
        f"""
        SELECT {TARGET_COLUMNS} FROM targets t
        WHERE t.run_id = $1 AND (cardinality($2::text[]) = 0 OR t.state = ANY($2))
          AND ($3::text IS NULL OR position(lower($3) IN lower(t.repository)) > 0)
          AND ($4::uuid IS NULL OR t.id > $4)
        ORDER BY t.id LIMIT $5
        """,  # noqa: S608
        run_id,
        list(states),
        repository,
        after,
        limit,
    )
    return [target_from_row(row) for row in rows]


async def ids_in_state(conn: Connection, run_id: RunId, state: TargetState) -> list[TargetId]:
    """The ids of a run's targets in that state, in order."""
    rows = await conn.fetch("SELECT id FROM targets WHERE run_id = $1 AND state = $2 ORDER BY id", run_id, state)
    return [TargetId(row["id"]) for row in rows]


async def states_of(conn: Connection, target_ids: Sequence[TargetId]) -> dict[TargetId, TargetState]:
    """The states of those targets that there are."""
    rows = await conn.fetch("SELECT id, state FROM targets WHERE id = ANY($1)", target_ids)
    return {TargetId(row["id"]): TargetState(row["state"]) for row in rows}


async def by_branch(conn: Connection, repository_node_id: str, branch: str) -> list[Target]:
    """The targets of every run that own that head branch, oldest first."""
    rows = await conn.fetch(
        f"SELECT {TARGET_COLUMNS} FROM targets t WHERE t.repository_node_id = $1 AND t.branch = $2 ORDER BY t.id",  # noqa: S608
        repository_node_id,
        branch,
    )
    return [target_from_row(row) for row in rows]


async def was_publishing(conn: Connection, target_id: TargetId) -> bool:
    """Whether publishing was ever begun, whatever came of it."""
    return await conn.fetchval(
        "SELECT EXISTS (SELECT FROM events WHERE target_id = $1 AND type = 'target.publishing')", target_id
    )


def _stat_values(stat: DiffStat | None) -> tuple[int | None, int | None, int | None]:
    return (stat.files, stat.additions, stat.deletions) if stat else (None, None, None)


def _pull_request_values(pull_request: PullRequestRef | None) -> tuple[int | None, str | None, str | None]:
    return (pull_request.number, pull_request.node_id, pull_request.url) if pull_request else (None, None, None)


def target_from_row(row: Record) -> Target:
    """The target of a row with `TARGET_COLUMNS`."""
    return Target(
        id=TargetId(row["id"]),
        run_id=RunId(row["run_id"]),
        campaign_id=CampaignId(row["campaign_id"]),
        repository_node_id=row["repository_node_id"],
        repository_id=row["repository_id"],
        repository=row["repository"],
        installation_id=InstallationId(row["installation_id"]),
        base_branch=row["base_branch"],
        base_oid=row["base_oid"],
        branch=row["branch"],
        group=row["change_group"],
        publish_as=PublishAs(row["publish_as"]),
        state=TargetState(row["state"]),
        review_state=ReviewState(row["review_state"]),
        checks_state=ChecksState(row["checks_state"]),
        reason=row["reason"],
        diff_stat=_optional_stat(row),
        pull_request=_optional_pull_request(row),
        head_oid=row["head_oid"],
        attempt=row["attempt"],
        batch=row["batch"],
        is_detached=row["detached_at"] is not None,
        is_imported=row["is_imported"],
        warnings=tuple(row["warnings"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _optional_stat(row: Record) -> DiffStat | None:
    if row["files_changed"] is None:
        return None
    return DiffStat(files=row["files_changed"], additions=row["additions"], deletions=row["deletions"])


def _optional_pull_request(row: Record) -> PullRequestRef | None:
    values: dict[str, Any] = {name: row[f"pull_request_{name}"] for name in ("number", "node_id", "url")}
    return PullRequestRef(**values) if values["number"] is not None else None


@dataclass(frozen=True, kw_only=True)
class RunRepository:
    """The repository of a target, as it was when the run was planned."""

    target_id: TargetId
    state: TargetState
    repository: Repository
    base_branch: str


async def list_run_repositories(
    conn: Connection, run_id: RunId, *, states: Sequence[TargetState], after: str | None, limit: int
) -> list[RunRepository]:
    """The repositories of a run's targets in these states, by target, from the one after the id `after` on."""
    rows = await conn.fetch(
        """
        SELECT id, state, repository_node_id, repository_id, repository, installation_id, base_branch FROM targets
        WHERE run_id = $1 AND state = ANY($2) AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4
        """,
        run_id,
        [state.value for state in states],
        after,
        limit,
    )
    return [
        RunRepository(
            target_id=TargetId(row["id"]),
            state=TargetState(row["state"]),
            repository=Repository(
                node_id=row["repository_node_id"],
                database_id=row["repository_id"],
                name_with_owner=row["repository"],
                default_branch=None,
                head_oid=None,
                installation_id=InstallationId(row["installation_id"]),
            ),
            base_branch=row["base_branch"],
        )
        for row in rows
    ]
