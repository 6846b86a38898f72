"""An organisation of the test's own in the shared sandbox, and what acts in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.github_sandbox import RunningSandbox


@dataclass(frozen=True, kw_only=True)
class Organization:
    """An organisation with the App installed, and a client with a token for all of it."""

    github: RunningSandbox
    login: str
    installation_id: int
    rest: httpx.Client

    def repository(self, name: str = "api", **facts: Any) -> dict[str, Any]:
        """A new repository in it."""
        return self.github.add_repository(self.login, name, **facts)

    def branch(self, repository: str, name: str, head: str) -> None:
        """A new branch at a commit."""
        body = {"ref": f"refs/heads/{name}", "sha": head}
        self.ask("POST", f"repos/{self.login}/{repository}/git/refs", 201, json=body)

    def pull(self, repository: str = "api", branch: str = "fix", **facts: Any) -> dict[str, Any]:
        """A pull request with one commit of the person on a new branch."""
        commit = {"branch": branch, "files": {f"{branch}.txt": "fixed\n"}}
        self.github.ask("POST", f"repositories/{self.login}/{repository}/commits", commit)
        body = {"title": "Fix", "head": branch, "base": "main", **facts}
        pull: dict[str, Any] = self.ask("POST", f"repos/{self.login}/{repository}/pulls", 201, json=body)
        return pull

    def ask(self, method: str, path: str, status: int = 200, **given: Any) -> Any:
        """A request with the token that must be answered with that status."""
        response = self.rest.request(method, path, **given)
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None


@pytest.fixture
def org(github: RunningSandbox) -> Iterator[Organization]:
    """A fresh organisation."""
    login = f"org-{uuid4().hex[:12]}"
    installation_id = github.add_organization(login)
    with github.client(github.token(installation_id)) as rest:
        yield Organization(github=github, login=login, installation_id=installation_id, rest=rest)


class Git:
    """The real git, in a folder, without any configuration of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, status: int = 0, cwd: Path | None = None) -> str:
        """Runs git; what it says on both outputs."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.org",
        }
        done = subprocess.run(
            ["git", *arguments], cwd=cwd or self.folder, env=environment, capture_output=True, text=True, check=False
        )
        said = done.stdout + done.stderr
        assert done.returncode == status, said
        return said


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """git in an empty folder."""
    return Git(tmp_path)


def remote(org: Organization, name: str = "api", token: str | None = None) -> str:
    """The address of a repository with a token in it."""
    secret = token or org.github.token(org.installation_id)
    return f"http://x-access-token:{secret}@{org.github.url.partition('://')[2]}/{org.login}/{name}.git"
