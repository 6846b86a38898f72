"""Rows that targets hang on, inserted directly: a campaign with a spec, a run."""

from __future__ import annotations

import hashlib
from typing import Any

from shared.domain.ids import CampaignId, InstallationId, RunId, TargetId, new_id
from shared.domain.target import NewTarget, PublishAs
from shared.postgres.pool import Connection

SPEC = """\
version: 1
name: {name}
on:
  - repository: acme/api
steps:
  - edit: {{write: {{path: NOTICE, content: "hello\\n"}}}}
changesetTemplate:
  title: Add a notice
  body: Because.
  branch: octobatch/{name}
  commit: {{message: Add a notice}}
"""


async def insert_campaign(conn: Connection, *, name: str = "notice", document: str | None = None) -> CampaignId:
    """A campaign with one version of a spec."""
    campaign_id = CampaignId(new_id())
    text = document or SPEC.format(name=name)
    await conn.execute(
        "INSERT INTO campaigns (id, name, description, state, current_version, created_by)"
        " VALUES ($1, $2, '', 'active', 1, 'test')",
        campaign_id,
        name,
    )
    await conn.execute(
        "INSERT INTO spec_versions (campaign_id, version, document, sha256, created_by) VALUES ($1, 1, $2, $3, 'test')",
        campaign_id,
        text,
        hashlib.sha256(text.encode()).hexdigest(),
    )
    return campaign_id


async def insert_run(
    conn: Connection, campaign_id: CampaignId, *, state: str = "running", dry_run: bool = False
) -> RunId:
    """A run of the campaign's first version."""
    run_id = RunId(new_id())
    await conn.execute(
        "INSERT INTO runs (id, campaign_id, spec_version, dry_run, state, created_by)"
        " VALUES ($1, $2, 1, $3, $4, 'test')",
        run_id,
        campaign_id,
        dry_run,
        state,
    )
    return run_id


def make_target(run_id: RunId, campaign_id: CampaignId, **values: Any) -> NewTarget:
    """A target to plan, of a repository of its own unless told."""
    number = values.pop("number", 1)
    fields: dict[str, Any] = {
        "id": TargetId(new_id()),
        "run_id": run_id,
        "campaign_id": campaign_id,
        "repository_node_id": f"R_{number}",
        "repository_id": number,
        "repository": f"acme/repo-{number}",
        "installation_id": InstallationId(7),
        "base_branch": "main",
        "base_oid": "a" * 40,
        "branch": "octobatch/notice",
        "publish_as": PublishAs.OPEN,
    }
    return NewTarget(**{**fields, **values})
