"""Campaigns and their immutable spec versions in Postgres."""

from __future__ import annotations

from ..domain.campaign import SpecVersion
from ..domain.ids import CampaignId
from ..errors import NotFound
from .pool import Connection


async def get_spec_version(conn: Connection, campaign_id: CampaignId, version: int) -> SpecVersion:
    """That version of a campaign's spec; raises `NotFound`."""
    row = await conn.fetchrow(
        "SELECT campaign_id, version, document, sha256, created_by, created_at FROM spec_versions"
        " WHERE campaign_id = $1 AND version = $2",
        campaign_id,
        version,
    )
    if row is None:
        raise NotFound("spec version", version)
    return SpecVersion(**dict(row))
