"""Plain git clones and pushes with a token, and what it pushes is noticed."""

from __future__ import annotations

import os

from tests.github_sandbox import RunningSandbox
from tests.integration.sandbox.conftest import Git, Organization, remote

FILES = {"a.txt": "a\n", "src/b.txt": "b\n"}


def _push(git: Git, org: Organization, path: str = "new.txt", *, token: str | None = None, status: int = 0) -> str:
    """Clones, commits a file on the branch `work`, pushes; what git says."""
    git("clone", "--quiet", remote(org), "work")
    work = git.folder / "work"
    git("switch", "--quiet", "-c", "work", cwd=work)
    (work / path).parent.mkdir(parents=True, exist_ok=True)
    (work / path).write_text("new\n")
    git("add", ".", cwd=work)
    git("commit", "--quiet", "-m", "Add", cwd=work)
    return git("push", remote(org, token=token), "work", cwd=work, status=status)


def test_a_clone_has_the_files_and_a_push_makes_a_branch(git: Git, org: Organization) -> None:
    org.repository(files=FILES)
    _push(git, org)
    assert (git.folder / "work/src/b.txt").read_text() == "b\n"
    pushed = git("rev-parse", "work", cwd=git.folder / "work").strip()
    assert org.ask("GET", f"repos/{org.login}/api/git/ref/heads/work")["object"]["sha"] == pushed


def test_an_untouched_repository_can_be_cloned(git: Git, org: Organization) -> None:
    head = org.repository()["head"]
    git("clone", "--quiet", remote(org), "work")
    assert git("rev-parse", "HEAD", cwd=git.folder / "work").strip() == head


def test_shallow_and_partial_clones_and_fetches_of_a_commit_work(git: Git, org: Organization) -> None:
    head = org.repository(files=FILES)["head"]
    git("clone", "--quiet", "--depth", "1", "--filter", "blob:none", "--no-checkout", remote(org), "partial")
    git("init", "--quiet", "bare")
    git("fetch", "--quiet", "--depth", "1", remote(org), head, cwd=git.folder / "bare")
    assert git("rev-parse", "FETCH_HEAD", cwd=git.folder / "bare").strip() == head


def test_a_large_push_arrives_whole(git: Git, org: Organization) -> None:
    org.repository()
    git("clone", "--quiet", remote(org), "work")
    work = git.folder / "work"
    (work / "large.bin").write_bytes(bytes(range(256)) * 20_000 + os.urandom(4_000_000))
    git("add", ".", cwd=work)
    git("commit", "--quiet", "-m", "Large", cwd=work)
    git("push", "--quiet", "origin", "HEAD:large", cwd=work)
    assert org.ask("GET", f"repos/{org.login}/api/contents/large.bin?ref=large")["size"] == 9_120_000


def test_a_push_to_the_head_of_a_pull_request_is_its_new_head(git: Git, org: Organization) -> None:
    org.repository()
    pull = org.pull(branch="work")
    git("clone", "--quiet", "--branch", "work", remote(org), "work")
    work = git.folder / "work"
    git("commit", "--quiet", "--allow-empty", "-m", "More", cwd=work)
    git("push", "--quiet", "origin", "work", cwd=work)
    head = git("rev-parse", "HEAD", cwd=work).strip()
    assert org.ask("GET", f"repos/{org.login}/api/pulls/{pull['number']}")["head"]["sha"] == head
    assert head in git("ls-remote", remote(org), f"refs/pull/{pull['number']}/head")


def test_a_deleted_branch_is_noticed(git: Git, org: Organization) -> None:
    org.repository()
    pull = org.pull(branch="work")
    git("clone", "--quiet", remote(org), "work")
    git("push", "--quiet", "origin", "--delete", "work", cwd=git.folder / "work")
    assert org.ask("GET", f"repos/{org.login}/api/pulls/{pull['number']}")["state"] == "closed"


def test_a_token_that_may_read_cannot_push(git: Git, org: Organization, github: RunningSandbox) -> None:
    org.repository()
    token = github.token(org.installation_id, permissions={"contents": "read"})
    assert "403" in _push(git, org, token=token, status=128)


def test_workflows_are_pushed_only_with_their_permission(git: Git, org: Organization, github: RunningSandbox) -> None:
    org.repository()
    token = github.token(org.installation_id, permissions={"contents": "write"})
    said = _push(git, org, ".github/workflows/ci.yml", token=token, status=1)
    assert "refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml`" in said
    org.ask("GET", f"repos/{org.login}/api/git/ref/heads/work", 404)
    git("push", "--quiet", remote(org), "work", cwd=git.folder / "work")


def test_an_archived_repository_takes_no_push(git: Git, org: Organization, github: RunningSandbox) -> None:
    org.repository()
    github.ask("PATCH", f"repositories/{org.login}/api", {"archived": True})
    assert "403" in _push(git, org, status=128)


def test_a_wrong_token_and_no_token_are_refused(git: Git, org: Organization, github: RunningSandbox) -> None:
    org.repository()
    assert "Authentication failed" in git("clone", remote(org, token="ghs_wrong"), "x", status=128)
    assert "could not read Username" in git("clone", f"{github.url}/{org.login}/api.git", "x", status=128)


def test_a_repository_that_the_token_is_not_for_is_not_found(
    git: Git, org: Organization, github: RunningSandbox
) -> None:
    org.repository("one")
    org.repository("two")
    token = github.token(org.installation_id, repositories=["one"])
    assert "not found" in git("clone", remote(org, "two", token), "x", status=128)


def test_the_old_name_of_a_repository_can_be_cloned(git: Git, org: Organization, github: RunningSandbox) -> None:
    org.repository(files=FILES)
    github.ask("PATCH", f"repositories/{org.login}/api", {"name": "service"})
    git("clone", "--quiet", remote(org, "api"), "work")
    assert (git.folder / "work/a.txt").exists()


def test_commits_that_github_makes_carry_a_signature_that_git_verifies(
    git: Git, org: Organization, github: RunningSandbox
) -> None:
    org.repository()
    org.ask("PUT", f"repos/{org.login}/api/contents/x", 201, json={"message": "Add", "content": "eA=="})
    git("clone", "--quiet", remote(org), "work")
    assert "gpgsig -----BEGIN SSH SIGNATURE-----" in git("cat-file", "commit", "HEAD", cwd=git.folder / "work")
