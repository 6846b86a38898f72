"""What tests of the campaigns worker put into Postgres, and read back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from shared.domain import commands
from shared.domain.ids import CampaignId, InstallationId, RunId, SelectionId, TargetId, new_id
from shared.domain.operation import NewOperation
from shared.domain.selection import SelectedRepository
from shared.domain.target import NewTarget, PublishAs, PullRequestRef, Target
from shared.outbox import Outbox
from shared.postgres import selections, targets, webhook_deliveries
from shared.postgres.pool import Connection, Pool
from workers.runtime import Command

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


class Rows:
    """What tests put into Postgres, and read back."""

    def __init__(self, pool: Pool, outbox: Outbox) -> None:
        self._pool = pool
        self._outbox = outbox

    async def campaign(self, *, name: str = "notice", document: str | None = None) -> CampaignId:
        """A campaign with one version of a spec."""
        async with self._pool.acquire() as conn:
            return await insert_campaign(conn, name=name, document=document)

    async def run(self, campaign_id: CampaignId, *, state: str = "running", dry_run: bool = False) -> RunId:
        """A run of the campaign."""
        async with self._pool.acquire() as conn:
            return await insert_run(conn, campaign_id, state=state, dry_run=dry_run)

    async def planned_run(
        self, campaign_id: CampaignId, selected: Sequence[SelectedRepository], *, dry_run: bool = False
    ) -> RunId:
        """A run that is to be planned, with its complete selection."""
        run_id = await self.run(campaign_id, state="planning", dry_run=dry_run)
        selection_id = SelectionId(new_id())
        async with self._pool.acquire() as conn, conn.transaction():
            await selections.insert_selection(
                conn, selection_id=selection_id, document="", created_by="test", run_id=run_id
            )
            await selections.complete_selection(conn, selection_id, selected)
            await conn.execute("UPDATE runs SET selection_id = $2 WHERE id = $1", run_id, selection_id)
        return run_id

    async def target(self, run_id: RunId, campaign_id: CampaignId, *, state: str = "pending", **values: Any) -> Target:
        """A target in any state; `pull_request` and `head_oid` go with it."""
        pull_request: PullRequestRef | None = values.pop("pull_request", None)
        head_oid: str | None = values.pop("head_oid", None)
        new = make_target(run_id, campaign_id, **values)
        async with self._pool.acquire() as conn:
            await targets.insert_targets(conn, [new])
            await conn.execute("UPDATE targets SET state = $2 WHERE id = $1", new.id, state)
            await targets.note(conn, new.id, head_oid=head_oid, pull_request=pull_request)
            return await targets.get_target(conn, new.id)

    async def command(self, command: NewOperation, *, attempt: int = 1) -> Command:
        """The command, accepted if it was not yet, as the runtime hands it to its handler."""
        async with self._outbox.transaction() as work:
            [operation] = await work.accept(command)
        return Command(
            operation_id=operation.id,
            type=operation.type,
            payload=operation.payload,
            actor=operation.actor,
            attempt=attempt,
            run_id=operation.run_id,
            target_id=operation.target_id,
        )

    async def delivery(self, event: str, payload: dict[str, Any], *, delivery_id: str | None = None) -> Command:
        """A webhook as the gateway takes it in: kept once, and its command."""
        identifier = delivery_id or str(new_id())
        async with self._outbox.transaction() as work:
            await webhook_deliveries.insert_delivery(
                work.conn,
                delivery_id=identifier,
                event=event,
                action=payload.get("action"),
                installation_id=7,
                payload=payload,
            )
        return await self.command(commands.handle_webhook(identifier))

    async def reload(self, target: Target | TargetId) -> Target:
        """The target as it is now."""
        async with self._pool.acquire() as conn:
            return await targets.get_target(conn, target.id if isinstance(target, Target) else target)

    async def targets_of(self, run_id: RunId) -> list[Target]:
        """The targets of a run."""
        async with self._pool.acquire() as conn:
            return await targets.page_targets(conn, run_id, limit=10_000)

    async def event_types(self, run_id: RunId) -> list[str]:
        """The types of a run's events, oldest first."""
        rows = await self._pool.fetch("SELECT type FROM events WHERE run_id = $1 ORDER BY id", run_id)
        return [row["type"] for row in rows]

    async def operation_state(self, command: Command) -> str:
        """What became of a command."""
        return await self._pool.fetchval("SELECT state FROM operations WHERE id = $1", command.operation_id)

    async def accepted(self, command_type: str) -> int:
        """How many commands of that type wait."""
        return await self._pool.fetchval(
            "SELECT count(*) FROM operations WHERE type = $1 AND state = 'accepted'", command_type
        )

    async def states(self, run_id: RunId) -> str:
        """The states of a run's targets, in order."""
        return " ".join(target.state for target in await self.targets_of(run_id))

    async def run_state(self, run_id: RunId) -> str:
        """The state of a run."""
        return await self._pool.fetchval("SELECT state FROM runs WHERE id = $1", run_id)
