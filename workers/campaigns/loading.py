"""What a handler needs to know of its target before it acts."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shared.domain.artifact import Artifact, ArtifactKind
from shared.domain.change import PreparedChange
from shared.domain.ids import TargetId
from shared.domain.run import Run
from shared.domain.spec import CampaignSpec, parse_version
from shared.domain.target import Target
from shared.postgres import artifacts, campaigns, runs, targets
from shared.postgres.pool import Connection

from ..runtime import Command
from .context import CampaignsContext


@dataclass(frozen=True, kw_only=True)
class TargetOfRun:
    """A target with its run."""

    target: Target
    run: Run


async def load_target(ctx: CampaignsContext, command: Command) -> TargetOfRun:
    """The target that a command names, with its run; raises `NotFound`."""
    target_id = TargetId(UUID(command.payload["target_id"]))
    async with ctx.pool.acquire() as conn:
        target = await targets.get_target(conn, target_id)
        return TargetOfRun(target=target, run=await runs.get_run(conn, target.run_id))


async def load_spec(conn: Connection, run: Run) -> CampaignSpec:
    """The spec that a run follows."""
    version = await campaigns.get_spec_version(conn, run.campaign_id, run.spec_version)
    return parse_version(version.document)


async def load_change(ctx: CampaignsContext, target_id: TargetId) -> tuple[Artifact, PreparedChange]:
    """The change that a target was prepared with, and its artifact; raises `NotFound`, or `ArtifactDeleted`."""
    async with ctx.pool.acquire() as conn:
        artifact = await artifacts.get_artifact(conn, target_id, ArtifactKind.CHANGE)
    return artifact, PreparedChange.from_json(artifact.unpacked(await ctx.blobs.get(artifact.key)))


def campaign_link(ctx: CampaignsContext, run: Run) -> str:
    """The address of the campaign's page."""
    return f"{ctx.settings.public_url.rstrip('/')}/ui/campaigns/{run.campaign_name}"
