"""A campaign over repositories on the sandbox, worked on by the worker's own handlers, one command at a time.

    world = await make_world(template="  conflictStrategy: rebase")
    await world.apply()
    await world.work()                                      # until no command waits
    world.push(world.repositories[0], {"c.yml": "a: 5\\n"})  # a person moves the base
    await world.reconcile()                                 # a look at every pull request, and what follows from it

No webhook arrives unless the test hands it in: what is noticed is noticed by asking.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from shared.blobs.folder import FolderStore
from shared.clock import utcnow
from shared.domain import commands
from shared.domain.ids import CampaignId, InstallationId, RunId
from shared.domain.installation import InstallationToken, TokenRequest
from shared.domain.repository import Repository
from shared.domain.selection import SelectedRepository
from shared.domain.target import Target
from shared.errors import AlreadyDone, GitHubUnavailable, OctobatchError
from shared.outbox import Outbox
from shared.postgres import operations
from shared.postgres.pool import open_pool
from shared.settings import CampaignsSettings
from shared.streams.requests import Requests
from shared.streams.tokens import TokenClient
from tests.github_sandbox import RunningSandbox
from tests.integration.campaigns.rows import Rows
from workers.campaigns.context import CampaignsContext, open_campaigns
from workers.campaigns.following.reconciling import follow_pull_requests
from workers.campaigns.settings import WORKER
from workers.runtime import Command, Infrastructure

SPEC = """\
version: 1
name: {name}
on: [{{repository: acme/api}}]
steps:
  - edit: {{yaml: {{path: c.yml, set: {{a: 100}}}}}}
changesetTemplate:
  title: Set a
  body: Because.
  branch: octobatch/a
  commit: {{message: Set a}}
{rest}"""
FILES = {"c.yml": "a: 1\n", "README": "x\n"}
BRANCH = "octobatch/a"


WorldMaker = Callable[..., Awaitable["World"]]


@asynccontextmanager
async def open_worlds(
    settings: CampaignsSettings, *, redis_url: str, blobs_folder: Path, sandbox: RunningSandbox
) -> AsyncIterator[WorldMaker]:
    """What makes worlds: `rest` goes on where `SPEC` ends, inside of its changesetTemplate."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.postgres_dsn.get_secret_value(), size=10))
        redis = await stack.enter_async_context(Redis.from_url(redis_url))
        outbox = Outbox(pool, redis)
        infrastructure = Infrastructure(
            pool=pool, redis=redis, blobs=FolderStore(blobs_folder), outbox=outbox, requests=Requests(redis)
        )
        ctx = await stack.enter_async_context(open_campaigns(settings, infrastructure))

        async def make(*, rest: str = "", repositories: int = 1) -> World:
            owner = f"following-{uuid4().hex[:8]}"
            installation_id = InstallationId(sandbox.add_organization(owner))
            await pool.execute(
                "INSERT INTO installations (id, account, account_type, repository_selection, permissions)"
                " VALUES ($1, $2, 'Organization', 'all', $3)",
                installation_id,
                owner,
                {"checks": "read"},
            )
            made = [sandbox.add_repository(owner, f"r-{n}", files=FILES) for n in range(repositories)]
            rows = Rows(pool, outbox)
            return World(
                ctx=replace(ctx, tokens=SandboxTokens(sandbox)),
                rows=rows,
                sandbox=sandbox,
                owner=owner,
                installation_id=installation_id,
                campaign_id=await rows.campaign(name=owner, document=SPEC.format(name=owner, rest=rest)),
                made={each["full_name"]: each for each in made},
            )

        yield make


class SandboxTokens(TokenClient):
    """Tokens straight from the sandbox: one for each installation, for all that it grants."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self._sandbox = sandbox
        self._given: dict[InstallationId, InstallationToken] = {}

    async def get(self, request: TokenRequest) -> InstallationToken:
        """The installation's token."""
        installation_id = request.scope.installation_id
        if installation_id not in self._given:
            self._given[installation_id] = InstallationToken(
                token=await asyncio.to_thread(self._sandbox.token, installation_id),
                installation_id=installation_id,
                expires_at=utcnow() + timedelta(hours=1),
                minted_at=utcnow() - timedelta(minutes=1),
                permissions={},
                repository_selection="all",
            )
        return self._given[installation_id]

    async def invalidate(self, token: InstallationToken) -> None:
        """The next is a new one."""
        self._given.pop(token.installation_id, None)


@dataclass(kw_only=True)
class World:
    """One organisation with its repositories, one campaign, and the worker's context. Repositories go by owner/name."""

    ctx: CampaignsContext
    rows: Rows
    sandbox: RunningSandbox
    owner: str
    installation_id: InstallationId
    campaign_id: CampaignId
    made: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    @cached_property
    def repositories(self) -> list[str]:
        """The names of the repositories."""
        return list(self.made)

    async def apply(self) -> RunId:
        """Another run of the campaign over all repositories, to be planned."""
        run_id = await self.rows.planned_run(self.campaign_id, [self.selected(each) for each in self.made.values()])
        await self.rows.command(commands.plan_run(run_id, actor="test"))
        return run_id

    async def work(self) -> None:
        """Runs commands in their order until none waits."""
        while waiting := await self.waiting():
            for command in waiting:
                await self.run(command)

    async def waiting(self) -> list[Command]:
        """The commands that wait, oldest first."""
        rows = await self.ctx.pool.fetch("SELECT * FROM operations WHERE state = 'accepted' ORDER BY id")
        return [
            Command(
                operation_id=row["id"],
                type=row["type"],
                payload=row["payload"],
                actor=row["actor"],
                attempt=row["attempts"] + 1,
                run_id=row["run_id"],
                target_id=row["target_id"],
            )
            for row in rows
        ]

    async def run(self, command: Command, *, ctx: CampaignsContext | None = None) -> None:
        """One delivery of a command, as the runtime makes it: completed, or tried again by the next `work`."""
        try:
            await WORKER.handlers[command.type](ctx or self.ctx, command)
        except AlreadyDone:
            return
        except GitHubUnavailable:
            await self.count_attempt(command)
            return
        except OctobatchError as error:
            await self._give_up(command, str(error))
            return
        async with self.ctx.pool.acquire() as conn:
            await operations.complete_operation(conn, command.operation_id)

    async def _give_up(self, command: Command, error: str) -> None:
        assert WORKER.on_failed
        await WORKER.on_failed(self.ctx, command, error)
        async with self.ctx.pool.acquire() as conn:
            await operations.fail_operation(conn, command.operation_id, error=error)

    async def count_attempt(self, command: Command) -> None:
        """The command was begun and not done."""
        async with self.ctx.pool.acquire() as conn:
            await operations.record_attempt(conn, command.operation_id, attempts=command.attempt, error="interrupted")

    async def reconcile(self) -> None:
        """One pass of the reconciler over all pull requests, and the work that follows from it."""
        await self.ctx.pool.execute(
            "UPDATE targets SET checked_at = CASE WHEN campaign_id = $1 THEN NULL ELSE now() END", self.campaign_id
        )
        await follow_pull_requests(self.ctx)
        await self.work()

    async def targets(self) -> list[Target]:
        """The targets of every run, by the age of the run, then by repository."""
        ids = await self.ctx.pool.fetch(
            "SELECT id FROM targets WHERE campaign_id = $1 ORDER BY run_id, repository", self.campaign_id
        )
        return [await self.rows.reload(row["id"]) for row in ids]

    async def target(self) -> Target:
        """The newest target."""
        return (await self.targets())[-1]

    def push(self, repository: str, files: Mapping[str, str | None], *, branch: str = "main") -> str:
        """A person's commit on a branch; its oid."""
        body = {"branch": branch, "files": dict(files)}
        return self.sandbox.ask("POST", f"repositories/{repository}/commits", body)["oid"]

    def pulls(self) -> list[dict[str, Any]]:
        """All pull requests, as the sandbox has them, oldest first."""
        found = self.sandbox.ask("GET", f"pulls?owner={self.owner}")
        return sorted(found, key=lambda each: each["id"])

    def act(self, act: str, pull: Mapping[str, Any], **body: Any) -> None:
        """Somebody merges, closes, reopens, reviews or checks a pull request."""
        self.sandbox.ask("POST", f"repositories/{pull['repository']}/pulls/{pull['number']}/{act}", body)

    def comments(self, pull: Mapping[str, Any]) -> list[str]:
        """What was said below a pull request."""
        token = self.sandbox.token(self.installation_id)
        with self.sandbox.client(token) as client:
            return [
                each["body"]
                for each in client.get(f"repos/{pull['repository']}/issues/{pull['number']}/comments").json()
            ]

    def file(self, repository: str, path: str, *, branch: str) -> str:
        """The text of a file on a branch."""
        token = self.sandbox.token(self.installation_id)
        with self.sandbox.client(token) as client:
            answer = client.get(
                f"repos/{repository}/contents/{path}",
                params={"ref": branch},
                headers={"accept": "application/vnd.github.raw+json"},
            )
        return answer.raise_for_status().text

    def selected(self, made: Mapping[str, Any]) -> SelectedRepository:
        repository = Repository(
            node_id=made["node_id"],
            database_id=made["id"],
            name_with_owner=made["full_name"],
            default_branch="main",
            head_oid=made["head"],
            installation_id=self.installation_id,
        )
        return SelectedRepository(
            repository=repository, branch="main", head_oid=made["head"], included=True, entry=0, reason=""
        )
