"""A small GitHub to ask: one organisation with repositories, an App installed on it, questions in GraphQL."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.github.access import Viewer
from sandbox.github.actions import branches, installing, repositories
from sandbox.github.git import FileChange
from sandbox.github.graphql import execute
from sandbox.github.state import Account, Installation, NewRepository, Repository
from sandbox.github.world import World

PERMISSIONS = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "checks": "read",
    "statuses": "read",
    "issues": "write",
}


@dataclass(kw_only=True)
class GitHub:
    """The organisation `acme`, a person in it, and the App's installation on it."""

    world: World
    acme: Account
    person: Account
    bot: Account
    installation: Installation

    @classmethod
    def of(cls, world: World) -> GitHub:
        now = "2026-01-01T00:00:00Z"
        acme = world.state.accounts.create("acme", "Organization", now=now)
        person = world.state.accounts.create("ada", "User", now=now, name="Ada", email="ada@example.org")
        made = installing.create_app(
            world,
            acme,
            name="Octobatch",
            slug="octobatch",
            permissions=PERMISSIONS,
            event_names=[],
            webhook_url=None,
            webhook_secret=None,
        )
        installation = installing.install(world, made.app, acme)
        bot = world.state.accounts.get(made.app.bot_id)
        return cls(world=world, acme=acme, person=person, bot=bot, installation=installation)

    def viewer(
        self, *, permissions: Mapping[str, str] = PERMISSIONS, repositories: list[Repository] | None = None
    ) -> Viewer:
        """Who asks with a token of the installation."""
        return Viewer(
            app=self.world.state.apps.get(self.installation.app_id),
            account=self.bot,
            installation=self.installation,
            permissions=permissions,
            repository_ids=None if repositories is None else frozenset(each.id for each in repositories),
            token="unused here",
        )

    def repository(self, name: str, *, owner: Account | None = None, **columns: Any) -> Repository:
        """A repository with nothing but its first commit."""
        return repositories.create(self.world, self.person, owner or self.acme, NewRepository(name=name, **columns))

    def write(self, repository: Repository, files: Mapping[str, bytes], *, branch: str = "main") -> str:
        """A commit of a person's on the branch; its oid."""
        changes = [FileChange(path=path, content=content) for path, content in files.items()]
        return branches.commit_on_branch(
            self.world, self.person, repository, branch, changes=changes, message="Write files"
        )

    def head(self, repository: Repository, branch: str = "main") -> str:
        """Where the branch is."""
        oid = self.world.git.branch(repository, branch)
        assert oid is not None
        return oid

    async def ask(
        self, query: str, variables: Mapping[str, Any] | None = None, *, viewer: Viewer | None = None
    ) -> dict[str, Any]:
        """The whole answer."""
        return await execute(self.world, viewer or self.viewer(), query=query, variables=variables)

    async def data(
        self, query: str, variables: Mapping[str, Any] | None = None, *, viewer: Viewer | None = None
    ) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = await self.ask(query, variables, viewer=viewer)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def do(self, mutation: str, selection: str, **given: Any) -> dict[str, Any]:
        """The payload of one mutation that succeeds."""
        return (await self.data(self.mutation(mutation, selection), {"input": given}))[mutation]

    async def refused(self, mutation: str, selection: str, **given: Any) -> dict[str, Any]:
        """The error of one mutation that fails."""
        answer = await self.ask(self.mutation(mutation, selection), {"input": given})
        assert answer["data"] == {mutation: None}
        (error,) = answer["errors"]
        assert error["path"] == [mutation]
        return error

    @staticmethod
    def mutation(name: str, selection: str) -> str:
        kind = f"{name[0].upper()}{name[1:]}Input"
        return f"mutation($input: {kind}!) {{ {name}(input: $input) {{ {selection} }} }}"

    async def branch(self, repository: Repository, name: str, *, path: str = "fix.txt") -> str:
        """A branch with one commit of the App's; its oid."""
        base = self.head(repository)
        await self.do("createRef", "ref { id }", repositoryId=repository.node_id, name=f"refs/heads/{name}", oid=base)
        made = await self.do(
            "createCommitOnBranch",
            "commit { oid }",
            branch={"repositoryNameWithOwner": repository.full_name, "branchName": name},
            expectedHeadOid=base,
            message={"headline": "Fix it"},
            fileChanges={"additions": [{"path": path, "contents": base64.b64encode(name.encode()).decode()}]},
        )
        return made["commit"]["oid"]

    async def pull(self, repository: Repository, head: str = "fix", **given: Any) -> dict[str, Any]:
        """An open pull request from a new branch."""
        await self.branch(repository, head)
        made = await self.do(
            "createPullRequest",
            "pullRequest { id number url state }",
            **{"repositoryId": repository.node_id, "headRefName": head, "baseRefName": "main", "title": "Fix"} | given,
        )
        return made["pullRequest"]
