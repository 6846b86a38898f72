"""Repositories on the sandbox, and preparations of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

from shared.domain.change import FileChange, PreparedChange
from shared.domain.spec import parse_spec
from shared.domain.templates import RepositoryContext
from shared.github.client import GitHubClient
from shared.github.git import commit_files
from shared.github.git_process import create_repository, fetch_commit, push_commit
from shared.settings import CampaignsSettings
from tests.github_sandbox import RunningSandbox
from workers.campaigns.preparation.assignment import Caches
from workers.campaigns.preparation.making import prepare_change
from workers.campaigns.preparation.reading import Reader

OWNER = "octo-org"
AT = datetime(2026, 1, 1, tzinfo=UTC)
_numbers = count(1)

SPEC = """version: 1
name: x
on: [{{org: octo-org}}]
steps:
{steps}
changesetTemplate:
  title: "{title}"
  body: See ${{{{ campaign.link }}}}
  branch: octobatch/x
  commit: {{message: "Change ${{{{ repository.owner }}}}"}}
"""


@dataclass(kw_only=True)
class Hub:
    """The sandbox, and what a worker has of it: a client and a token."""

    github: GitHubClient
    token: str
    sandbox: RunningSandbox
    settings: CampaignsSettings
    folder: Path

    async def repository(self, files: Sequence[FileChange]) -> tuple[str, str]:
        """A new repository with these files; its name and the commit that they are in."""
        name = f"{OWNER}/prepared-{next(_numbers)}"
        head = self.sandbox.add_repository(OWNER, name.partition("/")[2], files={"README": "x"})["head"]
        repository = await create_repository(Path(mkdtemp(dir=self.folder)) / "git")
        oid = await commit_files(repository, files, parent=None, message="base", at=AT)
        await push_commit(
            repository,
            clone_url=self.github.clone_url(name),
            token=self.token,
            oid=oid,
            branch="main",
            expected_oid=head,
            network=self.github.network,
        )
        return name, oid

    async def commit(self, name: str, parent: str, files: Sequence[FileChange]) -> str:
        """Another commit on `main`; its oid."""
        repository = await create_repository(Path(mkdtemp(dir=self.folder)) / "git")
        place = {"clone_url": self.github.clone_url(name), "token": self.token}
        await fetch_commit(repository, **place, oid=parent, network=self.github.network)
        oid = await commit_files(repository, files, parent=parent, message="more", at=AT)
        push = push_commit(
            repository, **place, oid=oid, branch="main", expected_oid=parent, network=self.github.network
        )
        await push
        return oid

    async def branch(self, name: str, branch: str) -> str:
        """The commit that a branch points to."""
        return (await self.github.rest("GET", f"/repos/{name}/git/ref/heads/{branch}", token=self.token))["object"][
            "sha"
        ]

    def git_requests(self) -> int:
        """How many requests git has made so far."""
        counters = self.sandbox.ask("GET", "counters")
        return sum(number for kind, number in counters.items() if kind.startswith("git "))

    async def prepare(
        self,
        steps: str,
        name: str,
        oid: str,
        *,
        title: str = "T",
        more: str = "",
        github: GitHubClient | None = None,
        caches: Caches | None = None,
    ) -> PreparedChange:
        """Prepares a spec of these steps, and of `more`."""
        node = await self.github.rest("GET", f"/repos/{name}", token=self.token)
        return await prepare_change(
            spec=parse_spec(SPEC.format(steps=steps.strip("\n"), title=title) + more),
            repository=RepositoryContext(name=name, branch="main"),
            repository_node_id=node["node_id"],
            base_oid=oid,
            github=github or self.github,
            reader=Reader(github or self.github, self.token),
            settings=self.settings,
            campaign_link="https://octobatch.test/campaigns/x",
            places=asyncio.Semaphore(),
            caches=caches,
        )

    def clone_url_with_token(self, name: str) -> str:
        """The address for a git of the test's own."""
        return self.github.clone_url(name).replace("://", f"://x-access-token:{self.token}@")
