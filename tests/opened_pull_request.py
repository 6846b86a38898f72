"""An open pull request on the sandbox, and a client that may act on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from shared.domain.change import FileChange, PreparedChange
from shared.domain.target import DiffStat
from shared.github import pull_request_acts as acts
from shared.github.client import GitHubClient
from shared.github.pull_request_acts import PullRequestView
from shared.github.pull_requests import NewPullRequest, publish_change
from tests.github_sandbox import RunningSandbox


@dataclass(kw_only=True)
class Opened:
    """An open pull request from `fix`, and who asks about it."""

    github: GitHubClient
    sandbox: RunningSandbox
    token: str
    repository: str
    repository_node_id: str
    node_id: str
    head_oid: str

    async def look(self) -> PullRequestView:
        """The pull request as it is now."""
        return await acts.look_at_pull_request(self.github, self.node_id, token=self.token)


@asynccontextmanager
async def opened_pull_request(github: RunningSandbox) -> AsyncIterator[Opened]:
    """A pull request in a new organisation that has a team `core` and the member `ada`."""
    owner = f"acts-{uuid4().hex[:8]}"
    installation_id = github.add_organization(owner, teams=["core"])
    github.ask("POST", "accounts", {"login": "ada", "type": "User", "install": False})
    made = github.add_repository(owner, "api", files={"README": "x"})
    github.ask("PATCH", f"repositories/{made['full_name']}", {"allow_auto_merge": True})
    token = github.token(installation_id)
    change = PreparedChange(
        base_oid=made["head"],
        prepared_at=datetime(2026, 1, 1, tzinfo=UTC),
        stat=DiffStat(files=1, additions=1, deletions=0),
        files=(FileChange(path="fix.txt", content=b"fixed\n"),),
        title="Fix",
        body="Because.",
        commit_message="Fix",
    )
    new = NewPullRequest(
        repository_node_id=made["node_id"], base_branch="main", branch="fix", title="Fix", body="", draft=False
    )
    async with GitHubClient.open(base_url=github.api_base, timeout_seconds=30) as client:
        answer = await publish_change(client, change, repository=made["full_name"], message="Fix", new=new, token=token)
        assert answer.pull_request
        assert answer.commit_oid
        yield Opened(
            github=client,
            sandbox=github,
            token=token,
            repository=made["full_name"],
            repository_node_id=made["node_id"],
            node_id=answer.pull_request.ref.node_id,
            head_oid=answer.commit_oid,
        )
