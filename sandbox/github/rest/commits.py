"""Branches, commits and comparisons."""

from __future__ import annotations

from typing import Any

import pygit2
from pygit2.enums import SortMode

from ..errors import Reason, Refused, not_found, unprocessable
from ..git import comparing, objects, refs
from ..state import Repository
from ..views.commits import branch as branch_view
from ..views.commits import commit_item, diff_entry, short_branch
from ..views.repositories import repository_url
from .endpoint import Call, Endpoint, Reply, get

_MOST_FILES = 300


def list_branches(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/branches"""
    repository = call.repository("contents", "read")
    found = refs.matching(call.world.git.open(repository), "refs/heads/")
    page = call.page(list(found.items()))
    return Reply(body=[short_branch(call.world, repository, ref.removeprefix("refs/heads/"), oid) for ref, oid in page])


def get_branch(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/branches/{branch}"""
    repository = call.repository("contents", "read")
    oid = call.world.git.branch(repository, call.path["branch"])
    if oid is None:
        raise not_found("Branch not found")
    commit = call.world.git.open(repository)[oid].peel(pygit2.Commit)
    return Reply(body=branch_view(call.world, repository, call.path["branch"], commit))


def list_commits(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/commits"""
    repository = call.repository("contents", "read")
    if repository.empty:
        raise Refused(Reason.CONFLICT, "Git Repository is empty.")
    repo = call.world.git.open(repository)
    start = objects.commit_at(repo, call.query.get("sha") or repository.default_branch)
    if start is None:
        raise not_found()
    found = list(repo.walk(start.id, SortMode.TOPOLOGICAL | SortMode.TIME))
    path = call.query.get("path", "").strip("/")
    if path:
        found = [commit for commit in found if _touches(commit, path)]
    return Reply(body=[commit_item(call.world, repository, commit) for commit in call.page(found)])


def get_commit(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/commits/{ref}"""
    repository = call.repository("contents", "read")
    commit = find_commit(call, repository, call.path["ref"])
    repo = call.world.git.open(repository)
    if commit.parent_ids:
        difference = comparing.diff(repo, str(commit.parent_ids[0]), str(commit.id), direct=True)
    else:
        difference = comparing.diff_to_nothing(repo, str(commit.id))
    files = comparing.changed_files(difference)
    additions, deletions = sum(file.additions for file in files), sum(file.deletions for file in files)
    body = commit_item(call.world, repository, commit) | {
        "stats": {"total": additions + deletions, "additions": additions, "deletions": deletions},
        "files": [diff_entry(call.world, repository, file, str(commit.id)) for file in files[:_MOST_FILES]],
    }
    return Reply(body=body)


def compare(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/compare/{basehead}"""
    repository = call.repository("contents", "read")
    base_name, dots, head_name = call.path["basehead"].partition("...")
    if not dots:
        raise not_found()
    base = find_commit(call, repository, base_name.rpartition(":")[2])
    head = find_commit(call, repository, head_name.rpartition(":")[2])
    repo = call.world.git.open(repository)
    merge_base = comparing.merge_base(repo, str(base.id), str(head.id))
    if merge_base is None:
        raise not_found(f"No common ancestor between {base_name} and {head_name}.")
    return Reply(body=_comparison(call, repository, base, head, repo[merge_base].peel(pygit2.Commit)))


def find_commit(call: Call, repository: Repository, revision: str) -> pygit2.Commit:
    """The commit that a revision names; raises `Refused`."""
    commit = objects.commit_at(call.world.git.open(repository), revision)
    if commit is None:
        if len(revision) == 40:
            raise unprocessable(f"No commit found for SHA: {revision}")
        raise not_found() if "/" in revision else unprocessable(f"No commit found for SHA: {revision}")
    return commit


def _comparison(
    call: Call, repository: Repository, base: pygit2.Commit, head: pygit2.Commit, merge_base: pygit2.Commit
) -> dict[str, Any]:
    world, repo = call.world, call.world.git.open(repository)
    ahead, behind = comparing.ahead_behind(repo, str(head.id), str(base.id))
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}.get(
        (bool(ahead), bool(behind)), "diverged"
    )
    files = comparing.changed_files(comparing.diff(repo, str(base.id), str(head.id)))
    commits = comparing.commits_between(repo, str(base.id), str(head.id))
    html = f"{world.base_url}/{repository.full_name}/compare"
    return {
        "url": f"{repository_url(world, repository)}/compare/{call.path['basehead']}",
        "html_url": f"{html}/{call.path['basehead']}",
        "permalink_url": f"{html}/{base.id}...{head.id}",
        "diff_url": f"{html}/{call.path['basehead']}.diff",
        "patch_url": f"{html}/{call.path['basehead']}.patch",
        "base_commit": commit_item(world, repository, base),
        "merge_base_commit": commit_item(world, repository, merge_base),
        "status": status,
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": [commit_item(world, repository, commit) for commit in call.page(commits)],
        "files": [diff_entry(world, repository, file, str(head.id)) for file in files[:_MOST_FILES]],
    }


def _touches(commit: pygit2.Commit, path: str) -> bool:
    here = objects.below(commit.tree, path)
    before = objects.below(commit.parents[0].tree, path) if commit.parents else None
    return (here.id if here else None) != (before.id if before else None)


_REPOSITORY = "/repos/{owner}/{repo}"
ENDPOINTS: list[Endpoint] = [
    get(f"{_REPOSITORY}/branches", list_branches),
    get(f"{_REPOSITORY}/branches/{{branch:path}}", get_branch),
    get(f"{_REPOSITORY}/commits", list_commits),
    get(f"{_REPOSITORY}/commits/{{ref:path}}", get_commit),
    get(f"{_REPOSITORY}/compare/{{basehead:path}}", compare),
]
