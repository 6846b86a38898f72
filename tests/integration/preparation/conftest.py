"""A working copy of a small repository, made by git itself, and both ways of isolation."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from shared.domain.change import FileChange
from shared.domain.spec import RunStep
from shared.domain.templates import RepositoryContext, StepResult, TemplateContext
from shared.github.client import GitHubClient
from shared.github.git import Difference, commit_files, commit_tree, difference
from shared.github.git_process import check_out, create_repository
from shared.settings import CampaignsSettings
from tests.github_sandbox import RunningSandbox, running_sandbox
from workers.campaigns.isolation.detecting import detect_isolation
from workers.campaigns.isolation.sandboxes import Isolation, Kind
from workers.campaigns.isolation.working_copy import WorkingCopy
from workers.campaigns.isolation.workspace import working_folder
from workers.campaigns.steps.log import StepLog
from workers.campaigns.steps.run import CommandRunner
from workers.campaigns.steps.secrets import StepSecrets

from .hub import OWNER, Hub

AT = datetime(2026, 1, 1, tzinfo=UTC)
FILES = (
    FileChange(path="go.mod", content=b"module x\ngo 1.21\n"),
    FileChange(path="run.sh", content=b"#!/bin/sh\necho 1\n", executable=True),
    FileChange(path="link", content=b"/etc/passwd", symlink=True),
    FileChange(path="out", content=b"/", symlink=True),
    FileChange(path="image.bin", content=b"\0\1go 1.21\n"),
    FileChange(path=".gitignore", content=b"*.tmp\n"),
    FileChange(path="src/a.py", content=b"print(1)\n"),
    FileChange(path=".github/workflows/ci.yml", content=b"jobs:\n  a:\n    steps:\n      - uses: a@v3 # pin\n"),
)


@dataclass(kw_only=True)
class Copy:
    """A working copy, how its commands are isolated, and what its steps have said."""

    runner: CommandRunner
    base: str
    log: StepLog

    @property
    def copy(self) -> WorkingCopy:
        """The working copy itself."""
        return self.runner.copy

    @property
    def isolation(self) -> Isolation:
        """How its commands are isolated."""
        return self.runner.isolation

    async def run(self, script: str, *, workspace: str = "", **fields: Any) -> StepResult:
        """Runs a step, as a spec has it, in a root of the tree."""
        step = RunStep.model_validate({"run": script, **fields})
        repository = RepositoryContext(name="acme/api", branch="main")
        context = TemplateContext(repository=repository, campaign_name="test", workspace=workspace)
        return await self.runner.run(step, context, self.log)

    def with_runner(self, **fields: Any) -> Copy:
        """The same working copy, whose steps run in another way."""
        return replace(self, runner=replace(self.runner, **fields))

    async def changes(self) -> Difference:
        """What the steps changed so far."""
        tree = await self.copy.snapshot()
        commit = await commit_tree(self.copy.repository, tree, parent=self.base, message="m", at=AT)
        return await difference(self.copy.repository, base=self.base, commit=commit)


def _open_to_others(folder: Path) -> None:
    """pytest's folders are closed to other users; the steps of a worker that is root are another user."""
    for each in [folder, *folder.parents][:4]:
        if each.stat().st_uid == os.getuid() and each.name.startswith(("pytest", "test_")):
            each.chmod(0o711)


@pytest.fixture
def isolation_setting() -> str:
    """The way to isolate; tests that hold for both ways parametrize it."""
    return "bubblewrap"


@pytest.fixture
async def copy(tmp_path: Path, isolation_setting: str) -> AsyncIterator[Copy]:
    """A working copy with `FILES`."""
    _open_to_others(tmp_path)
    async with working_folder(tmp_path / "workspaces") as folder:
        isolation = detect_isolation(isolation_setting, folder.parent)
        (folder / "tree").mkdir()
        repository = await create_repository(folder / "git", folder / "tree")
        base = await commit_files(replace(repository, tree=None), FILES, parent=None, message="base", at=AT)
        await check_out(repository, base)
        working_copy = WorkingCopy(folder, repository, head=base)
        secrets = StepSecrets(tmp_path / "secrets")
        runner = CommandRunner(copy=working_copy, isolation=isolation, secrets=secrets)
        yield Copy(runner=runner, base=base, log=StepLog(redact=secrets.redacted))


BOTH = pytest.mark.parametrize("isolation_setting", [str(Kind.BUBBLEWRAP), str(Kind.PROCESS)])


@pytest.fixture(scope="session")
def github_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A GitHub of this session's own."""
    with running_sandbox(tmp_path_factory.mktemp("github")) as sandbox:
        yield sandbox


@pytest.fixture
async def hub(github_sandbox: RunningSandbox, tmp_path: Path) -> AsyncIterator[Hub]:
    """The sandbox, with a token for everything that the App may do there."""
    _open_to_others(tmp_path)
    settings = CampaignsSettings(
        postgres_dsn=SecretStr("unused"),
        redis_url=SecretStr("unused"),
        blobstore_url="file:///unused",
        workspace_dir=tmp_path / "workspaces",
    )
    token = github_sandbox.token(github_sandbox.installation_id(OWNER))
    async with GitHubClient.open(base_url=github_sandbox.api_base, timeout_seconds=30) as github:
        yield Hub(github=github, token=token, sandbox=github_sandbox, settings=settings, folder=tmp_path)
