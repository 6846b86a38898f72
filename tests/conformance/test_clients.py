"""Clients that we did not write work against the sandbox as they do against GitHub, and every exchange conforms.

Each does the same: signs in as the App, finds its installation, takes a token, lists repositories, reads a file, makes
a branch and a commit, opens a pull request, merges it, and lists what is there.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from github import Auth, GithubIntegration
from githubkit import AppAuthStrategy, AppInstallationAuthStrategy, GitHub

from tests.conformance import published
from tests.conformance.server import JudgedSandbox

HERE = Path(__file__).parent


@pytest.fixture
def service(sandbox: JudgedSandbox) -> JudgedSandbox:
    """The sandbox with one repository, `service`, and 34 others to page through."""
    files = {"README.md": "# Service\n", "src/app.py": "print(1)\n"}
    new = {"name": "service", "files": files, "language": "Python", "visibility": "private"}
    body = {"owner": sandbox.owner, "repositories": [new], "count": 34, "prefix": "other"}
    sandbox.control("POST", "/repositories", body)
    return sandbox


def _pulls(sandbox: JudgedSandbox) -> list[dict[str, Any]]:
    return sandbox.control("GET", f"/pulls?owner={sandbox.owner}")


def _assert_done(sandbox: JudgedSandbox, branch: str) -> None:
    (pull,) = _pulls(sandbox)
    assert (pull["state"], pull["head_ref"], pull["author"]) == ("merged", branch, "octobatch[bot]")
    assert len(sandbox.exchanges) >= 5  # all of them judged


def test_pygithub_works(service: JudgedSandbox) -> None:
    auth = Auth.AppAuth(service.app["app_id"], service.private_key)
    with GithubIntegration(auth=auth, base_url=service.api_base, seconds_between_writes=0) as app:
        (installation,) = list(app.get_installations())
        assert installation.id == service.installation_id
        assert app.get_access_token(installation.id).token.startswith("ghs_")
        github = app.get_github_for_installation(installation.id)
    with github:
        repository = github.get_repo(f"{service.owner}/service")
        assert len(list(github.get_organization(service.owner).get_repos())) == 35
        readme = repository.get_contents("README.md")
        assert not isinstance(readme, list)
        assert readme.decoded_content == b"# Service\n"
        head = repository.get_branch("main").commit.sha
        repository.create_git_ref("refs/heads/pygithub", head)
        repository.update_file("README.md", "Say more", "# The service\n", readme.sha, branch="pygithub")
        pull = repository.create_pull(base="main", head="pygithub", title="Say more", body="More.")
        pull.add_to_labels("docs")
        assert pull.mergeable
        assert [file.filename for file in pull.get_files()] == ["README.md"]
        assert pull.merge(merge_method="squash").merged
        assert [each.number for each in repository.get_pulls(state="closed")] == [pull.number]
        changed = repository.get_contents("README.md", ref="main")
        assert not isinstance(changed, list)
        assert changed.decoded_content == b"# The service\n"
    _assert_done(service, "pygithub")


async def test_githubkit_works(service: JudgedSandbox) -> None:
    app_id, key = service.app["app_id"], service.private_key
    async with GitHub(AppAuthStrategy(app_id, key), base_url=service.api_base) as app:
        installations = (await app.rest.apps.async_list_installations()).parsed_data
        assert [installation.id for installation in installations] == [service.installation_id]
    auth = AppInstallationAuthStrategy(app_id, key, service.installation_id)
    async with GitHub(auth, base_url=service.api_base) as github:
        listing = github.rest.paginate(
            github.rest.apps.async_list_repos_accessible_to_installation,
            map_func=lambda response: response.parsed_data.repositories,
            per_page=10,
        )
        names = [repository.full_name async for repository in listing]
        assert len(names) == 35
        at = {"owner": service.owner, "repo": "service"}
        content = (await github.rest.repos.async_get_content(**at, path="src/app.py")).json()
        assert content["type"] == "file"
        head = (await github.rest.git.async_get_ref(**at, ref="heads/main")).parsed_data.object_.sha
        await github.rest.git.async_create_ref(**at, ref="refs/heads/githubkit", sha=head)
        await github.rest.repos.async_create_or_update_file_contents(
            **at, path="new.txt", message="Add", content="bmV3Cg==", branch="githubkit"
        )
        pull = (
            await github.rest.pulls.async_create(**at, title="Add", head="githubkit", base="main", body="It is new.")
        ).parsed_data
        answer: dict[str, Any] = await github.async_graphql(
            "query($id: ID!) { node(id: $id) { ... on PullRequest { number mergeable headRefName } } }",
            {"id": pull.node_id},
        )
        assert answer["node"] == {"number": pull.number, "mergeable": "MERGEABLE", "headRefName": "githubkit"}
        await github.rest.pulls.async_merge(**at, pull_number=pull.number, data={"merge_method": "merge"})
        listed = (await github.rest.pulls.async_list(**at, state="all")).parsed_data
        assert [each.merged_at is not None for each in listed] == [True]
    _assert_done(service, "githubkit")


@pytest.mark.slow
def test_octokit_works(service: JudgedSandbox, npm: str) -> None:
    folder = published.node_clients()
    script = folder / "octokit.mjs"  # beside node_modules, where node looks for packages
    script.write_text((HERE / "octokit.mjs").read_text())
    facts = {
        "baseUrl": service.api_base,
        "appId": service.app["app_id"],
        "privateKey": service.private_key,
        "owner": service.owner,
    }
    done = subprocess.run(
        ["node", str(script)], input=json.dumps(facts), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "installation": service.installation_id,
        "repositories": 35,
        "readme": "# Service\n",
        "merged": True,
        "closed": [1],
        "viewer": "octobatch[bot]",
    }
    _assert_done(service, "octokit")


def test_git_clones_and_pushes(service: JudgedSandbox, tmp_path: Path) -> None:
    auth = Auth.AppAuth(service.app["app_id"], service.private_key)
    with GithubIntegration(auth=auth, base_url=service.api_base) as app:
        token = app.get_access_token(service.installation_id).token
        github = app.get_github_for_installation(service.installation_id)
    ask = tmp_path / "ask"
    ask.write_text('#!/bin/sh\ncase "$1" in Username*) echo x-access-token ;; *) echo "$TOKEN" ;; esac\n')
    ask.chmod(0o700)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GIT_ASKPASS": str(ask),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "TOKEN": token,
    }

    def git(*arguments: str, folder: Path = tmp_path / "clone") -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    git("clone", "--depth", "1", f"{service.url}/{service.owner}/service.git", "clone", folder=tmp_path)
    (tmp_path / "clone" / "new.txt").write_text("new\n")
    git("checkout", "-b", "pushed")
    git("add", "new.txt")
    git("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-m", "Add a file")
    git("push", "origin", "pushed")
    pushed = git("rev-parse", "HEAD")
    with github:
        repository = github.get_repo(f"{service.owner}/service")
        assert repository.get_branch("pushed").commit.sha == pushed
        pull = repository.create_pull(base="main", head="pushed", title="Add a file", body="")
        assert pull.commits == 1
        assert pull.merge().merged
    git("fetch", "origin", "main")
    assert (
        git("log", "--format=%s", "origin/main", "-1")
        == f"Merge pull request #{pull.number} from {service.owner}/pushed"
    )
    git("push", "origin", "--delete", "pushed")
    _assert_done(service, "pushed")


def test_git_without_a_token_finds_nothing(service: JudgedSandbox, tmp_path: Path) -> None:
    done = subprocess.run(
        ["git", "ls-remote", f"{service.url}/{service.owner}/service.git"],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == ""
