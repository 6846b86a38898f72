"""Merging pull requests, at once or when their checks have passed."""

from __future__ import annotations

from ..errors import Reason, Refused, unprocessable
from ..git import Person, merging, refs
from ..state import Account, Pull, Repository
from ..world import World
from . import events
from .branches import GITHUB, delete_ref, moved

METHODS = ("merge", "squash", "rebase")


def merge(
    world: World,
    actor: Account,
    pull: Pull,
    *,
    method: str = "merge",
    title: str | None = None,
    message: str | None = None,
    expected_head: str | None = None,
) -> Pull:
    """Merges into the base branch. Raises `Refused`: `NOT_MERGEABLE`, or `CONFLICT` where the head is another."""
    repository = world.state.repositories.get(pull.repository_id)
    _check(repository, pull, method, expected_head)
    base = world.git.branch(repository, pull.base_ref)
    oid = _merged(world, actor, repository, pull, base, method, title, message) if base else None
    if base is None or oid is None:
        raise Refused(Reason.NOT_MERGEABLE, "Pull Request is not mergeable")
    refs.move(world.git.open(repository), f"refs/heads/{pull.base_ref}", oid, expected=base)
    now = world.clock.stamp()
    merged = world.state.pulls.update(
        pull.id,
        state="closed",
        closed_at=now,
        merged_at=now,
        updated_at=now,
        base_sha=base,
        merged_by_id=actor.id,
        merge_commit_sha=oid,
        auto_merge=None,
    )
    events.pull_request(world, "closed", merged, actor)
    moved(world, actor, repository, f"refs/heads/{pull.base_ref}", before=base, after=oid)
    if repository.delete_branch_on_merge and world.git.branch(repository, pull.head_ref):
        delete_ref(world, actor, repository, f"refs/heads/{pull.head_ref}")
    return merged


def enable_auto_merge(
    world: World,
    actor: Account,
    pull: Pull,
    *,
    method: str = "merge",
    title: str | None = None,
    message: str | None = None,
) -> Pull:
    """Merges by itself once all checks have passed. Refused where nothing is waited for, as GitHub does."""
    repository = world.state.repositories.get(pull.repository_id)
    if not repository.allow_auto_merge:
        raise unprocessable("Pull request Auto merge is not allowed for this repository")
    if pull.state != "open":
        raise unprocessable("Pull request is closed")
    if pull.draft:
        raise unprocessable("Pull request is in draft status")
    _check_method(repository, method)
    if world.state.checks.rollup(repository.id, pull.head_sha) in {None, "SUCCESS"}:
        raise unprocessable("Pull request Pull request is in clean status")
    kept = {
        "enabled_by_id": actor.id,
        "enabled_at": world.clock.stamp(),
        "method": method,
        "title": title or _title(repository, pull, method),
        "message": message if message is not None else pull.title,
    }
    changed = world.state.pulls.update(pull.id, auto_merge=kept, updated_at=world.clock.stamp())
    events.pull_request(world, "auto_merge_enabled", changed, actor)
    return changed


def disable_auto_merge(world: World, actor: Account, pull: Pull) -> Pull:
    """Merges by itself no more."""
    if pull.auto_merge is None:
        raise unprocessable("Can't disable auto-merge for this pull request")
    changed = world.state.pulls.update(pull.id, auto_merge=None, updated_at=world.clock.stamp())
    events.pull_request(world, "auto_merge_disabled", changed, actor, reason="manually disabled")
    return changed


def merge_if_ready(world: World, repository: Repository, head_sha: str) -> None:
    """After a check has changed: merges the pull requests that wait for it and may be merged now."""
    if world.state.checks.rollup(repository.id, head_sha) != "SUCCESS":
        return
    waiting = "repository_id = ? AND head_sha = ? AND state = 'open' AND draft = 0 AND auto_merge IS NOT NULL"
    for pull in world.state.pulls.query(waiting, [repository.id, head_sha]):
        kept = pull.auto_merge or {}
        actor = world.state.accounts.get(kept["enabled_by_id"])
        try:
            merge(world, actor, pull, method=kept["method"], title=kept["title"], message=kept["message"])
        except Refused:
            continue  # conflicts: it waits on, as on GitHub


def _check(repository: Repository, pull: Pull, method: str, expected_head: str | None) -> None:
    if pull.merged or pull.state != "open":
        raise Refused(Reason.NOT_MERGEABLE, "Pull Request is not mergeable")
    if repository.archived:
        raise Refused(Reason.FORBIDDEN, "Repository was archived so is read-only.")
    if pull.draft:
        raise Refused(Reason.NOT_MERGEABLE, "Pull Request is still a draft")
    if expected_head is not None and expected_head != pull.head_sha:
        raise Refused(Reason.CONFLICT, "Head branch was modified. Review and try the merge again.")
    _check_method(repository, method)


def _check_method(repository: Repository, method: str) -> None:
    allowed = {
        "merge": (repository.allow_merge_commit, "Merge commits are not allowed on this repository."),
        "squash": (repository.allow_squash_merge, "Squash merges are not allowed on this repository."),
        "rebase": (repository.allow_rebase_merge, "Rebase merges are not allowed on this repository."),
    }
    if method not in allowed:
        raise unprocessable(f"{method!r} is not one of {', '.join(METHODS)}")
    if not allowed[method][0]:
        raise Refused(Reason.NOT_MERGEABLE, allowed[method][1])


def _merged(
    world: World,
    actor: Account,
    repository: Repository,
    pull: Pull,
    base: str,
    method: str,
    title: str | None,
    message: str | None,
) -> str | None:
    """The commit that the base branch moves to, or None where there is a conflict."""
    repo = world.git.open(repository)
    now = int(world.clock.now())
    committer = Person(name=GITHUB[0], email=GITHUB[1], seconds=now)
    if method == "rebase":
        return merging.rebase(repo, base, pull.head_sha, committer=committer)
    body = message if message is not None else (pull.title if method == "merge" else pull.body or "")
    make = merging.merge if method == "merge" else merging.squash
    return make(
        repo,
        base,
        pull.head_sha,
        message=f"{title or _title(repository, pull, method)}\n\n{body}".rstrip(),
        author=Person(name=actor.name or actor.login, email=actor.noreply_email, seconds=now),
        committer=committer,
        signer=world.signer,
    )


def _title(repository: Repository, pull: Pull, method: str) -> str:
    if method == "merge":
        return f"Merge pull request #{pull.number} from {repository.owner_login}/{pull.head_ref}"
    return f"{pull.title} (#{pull.number})"
