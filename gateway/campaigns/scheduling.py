"""When a campaign runs again by itself: told whenever its newest spec is another one, or it leaves the archive."""

from __future__ import annotations

from dataclasses import replace

from shared.clock import utcnow
from shared.domain.campaign import Campaign
from shared.domain.selection_schedule import next_time
from shared.domain.spec import CampaignSpec, parse_spec
from shared.postgres import campaign_schedules, campaigns
from shared.postgres.pool import Connection


async def schedule_next(conn: Connection, campaign: Campaign, spec: CampaignSpec | None = None) -> Campaign:
    """The campaign with the next time of its schedule, which counts from now; what was missed is not made up for."""
    if spec is None:
        version = await campaigns.get_spec_version(conn, campaign.id, campaign.current_version)
        spec = parse_spec(version.document)
    next_run_at = next_time(spec.schedule, after=utcnow()) if spec.schedule else None
    await campaign_schedules.set_next_run(conn, campaign.id, next_run_at)
    return replace(campaign, next_run_at=next_run_at)
