"""Campaigns and their immutable spec versions in Postgres."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from asyncpg import Record

from ..domain.campaign import Campaign, CampaignSort, CampaignState, SpecVersion
from ..domain.ids import CampaignId, new_id
from ..errors import AlreadyExists, Conflict, NotFound
from .pool import Connection

CAMPAIGN_COLUMNS = """id, name, namespace, description, state, current_version, created_by, created_at, updated_at,
    archived_at, closed_at, next_run_at"""
"""What `campaign_from_row` reads."""

_SORTED_BY = {
    "name": ("name", "text"),
    "created": ("created_at", "timestamptz"),
    "updated": ("updated_at", "timestamptz"),
}
_VERSION_COLUMNS = "campaign_id, version, document, sha256, created_by, created_at"


async def insert_campaign(
    conn: Connection,
    *,
    name: str,
    namespace: str,
    description: str,
    document: str,
    created_by: str,
    notifies: bool = False,
) -> Campaign:
    """A new campaign with its first spec version, which says whether it `notifies` anybody; raises `AlreadyExists`."""
    row = await conn.fetchrow(
        f"""INSERT INTO campaigns (id, name, namespace, description, state, current_version, created_by, notifies)
            VALUES ($1, $2, $3, $4, 'active', 1, $5, $6) ON CONFLICT (name) DO NOTHING
            RETURNING {CAMPAIGN_COLUMNS}""",  # noqa: S608
        new_id(),
        name,
        namespace,
        description,
        created_by,
        notifies,
    )
    if row is None:
        raise AlreadyExists("campaign", name)
    campaign = campaign_from_row(row)
    await _insert_version(conn, campaign.id, version=1, document=document, created_by=created_by)
    return campaign


async def update_campaign(
    conn: Connection,
    *,
    name: str,
    namespace: str,
    description: str,
    document: str,
    updated_by: str,
    notifies: bool = False,
) -> Campaign | None:
    """Adds a spec version where the document differs from the newest; None where there is no such campaign.

    Raises `Conflict` for an archived campaign. Updates of one campaign wait for each other.
    """
    campaign = await lock_campaign(conn, name)
    if campaign is None:
        return None
    if campaign.state is CampaignState.ARCHIVED:
        raise Conflict(f"campaign {name} is archived; unarchive it to change it")
    newest = await get_spec_version(conn, campaign.id, campaign.current_version)
    if newest.document == document:
        return campaign
    version = campaign.current_version + 1
    await _insert_version(conn, campaign.id, version=version, document=document, created_by=updated_by)
    changed = await conn.fetchrow(
        f"""UPDATE campaigns SET description = $2, current_version = $3, notifies = $4, namespace = $5,
                updated_at = now()
            WHERE id = $1 RETURNING {CAMPAIGN_COLUMNS}""",  # noqa: S608
        campaign.id,
        description,
        version,
        notifies,
        namespace,
    )
    return campaign_from_row(changed) if changed else None


async def get_campaign(conn: Connection, name: str) -> Campaign:
    """The campaign of that name; raises `NotFound`."""
    row = await conn.fetchrow(f"SELECT {CAMPAIGN_COLUMNS} FROM campaigns WHERE name = $1", name)  # noqa: S608
    if row is None:
        raise NotFound("campaign", name)
    return campaign_from_row(row)


async def hold_campaign(conn: Connection, name: str) -> Campaign:
    """The campaign of that name, which is neither archived nor closed until the transaction ends; raises `NotFound`."""
    row = await conn.fetchrow(f"SELECT {CAMPAIGN_COLUMNS} FROM campaigns WHERE name = $1 FOR SHARE", name)  # noqa: S608
    if row is None:
        raise NotFound("campaign", name)
    return campaign_from_row(row)


async def lock_campaign(conn: Connection, name: str) -> Campaign | None:
    """The campaign of that name, which nobody else changes until the transaction ends."""
    row = await conn.fetchrow(f"SELECT {CAMPAIGN_COLUMNS} FROM campaigns WHERE name = $1 FOR UPDATE", name)  # noqa: S608
    return campaign_from_row(row) if row else None


async def page_campaigns(
    conn: Connection,
    *,
    namespaces: Sequence[str] | None,
    state: CampaignState | None = None,
    text: str | None = None,
    sort: CampaignSort = CampaignSort.NAME,
    after: tuple[str | datetime, str] | None = None,
    limit: int = 50,
) -> list[Campaign]:
    """Campaigns of the namespaces (None = of all) in that order, from the one after `after`.

    `after` is the value that it is ordered by, and its name.

    Filters that are not given let all pass. `text` is a part of the name or the description, in any case of letters.
    """
    column, kind = _SORTED_BY[sort.removeprefix("-")]
    is_after, direction = ("<", "DESC") if sort.startswith("-") else (">", "ASC")
    rows = await conn.fetch(
        f"""SELECT {CAMPAIGN_COLUMNS} FROM campaigns
            WHERE ($1::text IS NULL OR state = $1)
              AND ($2::text IS NULL OR strpos(lower(name || ' ' || description), lower($2)) > 0)
              AND ($4::text IS NULL OR ({column}, name) {is_after} ($3::{kind}, $4))
              AND ($6::text[] IS NULL OR namespace = ANY($6))
            ORDER BY {column} {direction}, name {direction} LIMIT $5""",  # noqa: S608
        state,
        text,
        *(after or (None, None)),
        limit,
        namespaces,
    )
    return [campaign_from_row(row) for row in rows]


async def list_namespaces(conn: Connection, namespaces: Sequence[str] | None) -> list[str]:
    """Those of the namespaces (None = of all) that have campaigns, in order."""
    rows = await conn.fetch(
        "SELECT DISTINCT namespace FROM campaigns WHERE $1::text[] IS NULL OR namespace = ANY($1) ORDER BY 1",
        namespaces,
    )
    return [row["namespace"] for row in rows]


async def set_campaign_state(conn: Connection, name: str, state: CampaignState) -> Campaign:
    """Archives a campaign, or takes it out of the archive; raises `NotFound`."""
    row = await conn.fetchrow(
        f"""UPDATE campaigns SET state = $2, updated_at = now(),
                archived_at = CASE WHEN $2 = 'archived' THEN coalesce(archived_at, now()) END,
                closed_at = CASE WHEN $2 = 'archived' THEN closed_at END, next_run_at = NULL
            WHERE name = $1 RETURNING {CAMPAIGN_COLUMNS}""",  # noqa: S608
        name,
        state,
    )
    if row is None:
        raise NotFound("campaign", name)
    return campaign_from_row(row)


async def close_campaign(conn: Connection, name: str) -> Campaign:
    """Archives a campaign and records that its pull requests are to be closed; raises `NotFound`."""
    row = await conn.fetchrow(
        f"""UPDATE campaigns SET state = 'archived', updated_at = now(), next_run_at = NULL,
                archived_at = coalesce(archived_at, now()), closed_at = coalesce(closed_at, now())
            WHERE name = $1 RETURNING {CAMPAIGN_COLUMNS}""",  # noqa: S608
        name,
    )
    if row is None:
        raise NotFound("campaign", name)
    return campaign_from_row(row)


async def delete_campaign(conn: Connection, name: str) -> None:
    """Removes a campaign that never ran; raises `NotFound`, or `Conflict` where history would be lost."""
    campaign = await get_campaign(conn, name)
    deleted = await conn.fetchval(
        "DELETE FROM campaigns c WHERE id = $1 AND NOT EXISTS (SELECT FROM runs WHERE campaign_id = c.id) RETURNING id",
        campaign.id,
    )
    if deleted is None:
        raise Conflict(f"campaign {name} has runs, whose history is kept; archive it instead")


async def get_spec_version(conn: Connection, campaign_id: CampaignId, version: int) -> SpecVersion:
    """That version of a campaign's spec; raises `NotFound`."""
    row = await conn.fetchrow(
        f"SELECT {_VERSION_COLUMNS} FROM spec_versions WHERE campaign_id = $1 AND version = $2",  # noqa: S608
        campaign_id,
        version,
    )
    if row is None:
        raise NotFound("spec version", version)
    return SpecVersion(**dict(row))


async def list_spec_versions(conn: Connection, campaign_id: CampaignId) -> list[SpecVersion]:
    """All versions of a campaign's spec, newest first."""
    rows = await conn.fetch(
        f"SELECT {_VERSION_COLUMNS} FROM spec_versions WHERE campaign_id = $1 ORDER BY version DESC",  # noqa: S608
        campaign_id,
    )
    return [SpecVersion(**dict(row)) for row in rows]


async def _insert_version(
    conn: Connection, campaign_id: CampaignId, *, version: int, document: str, created_by: str
) -> None:
    await conn.execute(
        "INSERT INTO spec_versions (campaign_id, version, document, sha256, created_by) VALUES ($1, $2, $3, $4, $5)",
        campaign_id,
        version,
        document,
        hashlib.sha256(document.encode()).hexdigest(),
        created_by,
    )


def campaign_from_row(row: Record) -> Campaign:
    """The campaign of a row with `CAMPAIGN_COLUMNS`."""
    values: dict[str, Any] = {**dict(row), "state": CampaignState(row["state"])}
    return Campaign(**values)
