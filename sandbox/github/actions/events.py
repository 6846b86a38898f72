"""Emits webhooks: each function is one event with its payload, built only where an App listens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pygit2

from ..git.comparing import ChangedFile, changed_files, commits_between, contains, diff, diff_to_nothing
from ..state import Account, App, CheckRun, CheckSuite, Comment, Installation, Pull, Repository, Review
from ..views import accounts as account_views
from ..views import checks as check_views
from ..views import commits as commit_views
from ..views import pulls as pull_views
from ..views.repositories import repository_in_event
from ..world import World

NO_COMMIT = "0" * 40
_MOST_COMMITS = 2048


def emit(world: World, event: str, repository: Repository, sender: Account, facts: Any) -> None:
    """An event about a repository; `facts()` gives what is particular to it."""
    world.webhooks.emit(
        event,
        lambda: facts() | repository_in_event(world, repository) | {"sender": account_views.simple_user(world, sender)},
        owner_id=repository.owner_id,
        repository_id=repository.id,
    )


def pull_request(world: World, action: str, pull: Pull, sender: Account, **more: Any) -> None:
    """`pull_request`: opened, closed, reopened, edited, synchronize, labeled, …"""
    repository = world.state.repositories.get(pull.repository_id)

    def facts() -> dict[str, Any]:
        shown = pull_views.pull_request(world, pull)
        return {"action": action, "number": pull.number, "pull_request": shown} | more

    emit(world, "pull_request", repository, sender, facts)


def pull_request_review(world: World, action: str, pull: Pull, review: Review, sender: Account) -> None:
    """`pull_request_review`: submitted or dismissed. Its states are in small letters, unlike the API's."""
    repository = world.state.repositories.get(pull.repository_id)
    emit(
        world,
        "pull_request_review",
        repository,
        sender,
        lambda: {
            "action": action,
            "review": pull_views.review(world, pull, review) | {"state": review.state.lower()},
            "pull_request": pull_views.pull_request_simple(world, pull),
        },
    )


def issue_comment(world: World, pull: Pull, comment: Comment, sender: Account) -> None:
    """`issue_comment`: created."""
    repository = world.state.repositories.get(pull.repository_id)
    emit(
        world,
        "issue_comment",
        repository,
        sender,
        lambda: {
            "action": "created",
            "issue": pull_views.issue(world, pull),
            "comment": pull_views.comment(world, pull, comment),
        },
    )


def check_run(world: World, action: str, repository: Repository, run: CheckRun, sender: Account) -> None:
    """`check_run`: created or completed."""
    emit(
        world,
        "check_run",
        repository,
        sender,
        lambda: {"action": action, "check_run": check_views.check_run(world, repository, run)},
    )


def check_suite(world: World, repository: Repository, suite: CheckSuite, sender: Account) -> None:
    """`check_suite`: completed."""

    def facts() -> dict[str, Any]:
        shown = check_views.check_suite(world, repository, suite)
        del shown["repository"]
        return {"action": "completed", "check_suite": shown}

    emit(world, "check_suite", repository, sender, facts)


def status(world: World, repository: Repository, facts: dict[str, Any], sender: Account) -> None:
    """`status`: a commit status was set."""
    emit(world, "status", repository, sender, lambda: facts)


def repository(world: World, action: str, changed: Repository, sender: Account, **more: Any) -> None:
    """`repository`: created, renamed, transferred, archived, unarchived, edited, deleted."""
    emit(world, "repository", changed, sender, lambda: {"action": action} | more)


def custom_property_values(
    world: World,
    changed_of: Repository,
    sender: Account,
    *,
    before: Mapping[str, str | list[str]],
    changed: Mapping[str, str | list[str] | None],
) -> None:
    """`custom_property_values`: updated; None is a value that is no longer there."""
    new = [{"property_name": name, "value": value} for name, value in changed.items()]
    old = [{"property_name": name, "value": before.get(name)} for name in changed]
    facts = {"action": "updated", "new_property_values": new, "old_property_values": old}
    emit(world, "custom_property_values", changed_of, sender, lambda: facts)


def push(
    world: World, repository: Repository, ref: str, before: str | None, after: str | None, pusher: Account
) -> None:
    """`push`: a branch or tag was made, moved or deleted."""
    emit(world, "push", repository, pusher, lambda: _push(world, repository, ref, before, after, pusher))


def installation(
    world: World, action: str, app: App, changed: Installation, sender: Account, *, repositories: list[Repository]
) -> None:
    """`installation`: created, deleted, suspend, unsuspend, new_permissions_accepted."""
    body = {
        "action": action,
        "installation": account_views.installation(world, changed),
        "repositories": [_brief(each) for each in repositories],
        "requester": None,
        "sender": account_views.simple_user(world, sender),
    }
    world.webhooks.send(app, "installation", body, installation_id=changed.id)


def installation_repositories(
    world: World,
    app: App,
    changed: Installation,
    sender: Account,
    *,
    added: list[Repository],
    removed: list[Repository],
) -> None:
    """`installation_repositories`: added or removed."""
    body = {
        "action": "added" if added else "removed",
        "installation": account_views.installation(world, changed),
        "repository_selection": changed.repository_selection,
        "repositories_added": [_brief(each) for each in added],
        "repositories_removed": [_brief(each) for each in removed],
        "requester": None,
        "sender": account_views.simple_user(world, sender),
    }
    world.webhooks.send(app, "installation_repositories", body, installation_id=changed.id)


def _brief(shown: Repository) -> dict[str, Any]:
    kept = ("id", "node_id", "name", "full_name", "private")
    return {key: getattr(shown, key) for key in kept}


def _push(
    world: World, repository: Repository, ref: str, before: str | None, after: str | None, pusher: Account
) -> dict[str, Any]:
    repo = world.git.open(repository)
    name = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    since = before or (world.git.branch(repository, repository.default_branch) if after else None)
    commits: list[dict[str, Any]] = []
    if after and since and ref.startswith("refs/heads/"):
        new = commits_between(repo, since, after)[-_MOST_COMMITS:]
        commits = [commit_views.commit_in_event(world, repository, each, _files(repo, each)) for each in new]
    head = None
    if after:
        tip = repo[after].peel(pygit2.Commit)
        head = commit_views.commit_in_event(world, repository, tip, _files(repo, tip))
    return {
        "ref": ref,
        "before": before or NO_COMMIT,
        "after": after or NO_COMMIT,
        "created": before is None,
        "deleted": after is None,
        "forced": bool(before and after and not contains(repo, after, before)),
        "base_ref": None,
        "compare": f"{world.base_url}/{repository.full_name}/compare/{name}",
        "commits": commits,
        "head_commit": head,
        "pusher": {"name": pusher.login, "email": pusher.noreply_email},
    }


def _files(repo: pygit2.Repository, commit: pygit2.Commit) -> list[ChangedFile]:
    if not commit.parent_ids:
        return changed_files(diff_to_nothing(repo, str(commit.id)))
    return changed_files(diff(repo, str(commit.parent_ids[0]), str(commit.id), direct=True))
