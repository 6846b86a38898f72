"""Branches: made, moved, committed on, deleted; and what that means for pull requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import Reason, Refused, unprocessable
from ..git import FileChange, Person, refs
from ..git.commits import commit_files
from ..git.comparing import contains
from ..state import Account, Pull, Repository
from ..world import World
from . import events

GITHUB = ("GitHub", "noreply@github.com")


@dataclass(frozen=True, kw_only=True)
class RefUpdate:
    """A ref to be moved. `before` None: wherever it is; "": it must not be there. `after` None deletes it."""

    ref: str
    before: str | None
    after: str | None
    force: bool = False


def create_ref(world: World, actor: Account, repository: Repository, ref: str, oid: str) -> None:
    """Makes a branch or tag at a commit."""
    refs.create(world.git.open(repository), ref, oid)
    moved(world, actor, repository, ref, before=None, after=oid)


def update_refs(world: World, actor: Account, repository: Repository, updates: Sequence[RefUpdate]) -> None:
    """Moves all the refs or none. Raises `Refused` (`STALE_DATA`) where one is not at its `before`."""
    repo = world.git.open(repository)
    planned: list[tuple[RefUpdate, str | None]] = []
    for update in updates:
        refs.check_name(update.ref)
        now = refs.read(repo, update.ref)
        _check_update(world, repository, update, now)
        planned.append((update, now))
    for update, now in planned:
        if update.after is None:
            refs.delete(repo, update.ref)
        else:
            refs.move(repo, update.ref, update.after, expected=now)
    for update, now in planned:
        moved(world, actor, repository, update.ref, before=now, after=update.after)


def delete_ref(world: World, actor: Account, repository: Repository, ref: str) -> None:
    """Deletes a branch or tag; the default branch stays."""
    repo = world.git.open(repository)
    before = refs.read(repo, ref)
    if before is None:
        raise unprocessable("Reference does not exist")
    if ref == f"refs/heads/{repository.default_branch}":
        raise unprocessable("Cannot delete the default branch")
    refs.delete(repo, ref)
    moved(world, actor, repository, ref, before=before, after=None)


def commit_on_branch(
    world: World,
    actor: Account,
    repository: Repository,
    branch: str,
    *,
    changes: Sequence[FileChange],
    message: str,
    expected_head: str | None = None,
    author: Person | None = None,
    committer: Person | None = None,
) -> str:
    """A commit that GitHub makes and signs, on top of a branch; its oid.

    With `expected_head`, raises `Refused` (`STALE_DATA`) where the branch is elsewhere.
    """
    head = world.git.branch(repository, branch)
    if head is None and not repository.empty:
        raise Refused(Reason.NOT_FOUND, f"Branch {branch} not found")
    if expected_head is not None and head != expected_head:
        raise Refused(
            Reason.STALE_DATA,
            f"Expected branch to point to {expected_head!r} but it did not.  Pull and try again.",
        )
    repo = world.git.open(repository)
    now = int(world.clock.now())
    oid = commit_files(
        repo,
        parent=head,
        changes=changes,
        message=message,
        author=author or Person(name=actor.login, email=actor.noreply_email, seconds=now),
        committer=committer or Person(name=GITHUB[0], email=GITHUB[1], seconds=now),
        signer=world.signer if committer is None else None,
    )
    ref = f"refs/heads/{branch}"
    refs.move(repo, ref, oid, expected=head)
    moved(world, actor, repository, ref, before=head, after=oid)
    return oid


def moved(
    world: World, actor: Account, repository: Repository, ref: str, *, before: str | None, after: str | None
) -> None:
    """What follows when a ref was moved, by whatever means: the push event, and the pull requests it concerns."""
    if before == after or not ref.startswith(("refs/heads/", "refs/tags/")):
        return
    now = world.clock.stamp()
    world.state.repositories.update(repository.id, pushed_at=now, **({"empty": False} if repository.empty else {}))
    events.push(world, repository, ref, before, after, actor)
    if not ref.startswith("refs/heads/"):
        return
    branch = ref.removeprefix("refs/heads/")
    is_open = "state = 'open' AND repository_id = ?"
    for pull in world.state.pulls.query(f"{is_open} AND head_ref = ?", [repository.id, branch]):
        _head_moved(world, actor, repository, pull, after)
    for pull in world.state.pulls.query(f"{is_open} AND base_ref = ?", [repository.id, branch]):
        _base_moved(world, actor, repository, pull, after)


def _check_update(world: World, repository: Repository, update: RefUpdate, now: str | None) -> None:
    if update.before is not None and (now or "") != update.before:
        expected = update.before or "not to exist"
        raise Refused(Reason.STALE_DATA, f"Expected {update.ref} to be {expected}, but it is {now or 'not there'}")
    if update.after is None:
        if now is None:
            raise unprocessable("Reference does not exist")
        return
    repo = world.git.open(repository)
    if repo.get(update.after) is None:
        raise unprocessable("Object does not exist")
    if now is not None and not update.force and not contains(repo, update.after, now):
        raise unprocessable("Update is not a fast forward")


def _head_moved(world: World, actor: Account, repository: Repository, pull: Pull, after: str | None) -> None:
    """A deleted branch, or one moved back into its base, closes the pull request; else it has a new head."""
    repo = world.git.open(repository)
    now = world.clock.stamp()
    base = world.git.branch(repository, pull.base_ref)
    if after is None or (base is not None and contains(repo, base, after)):
        closed = world.state.pulls.update(pull.id, state="closed", closed_at=now, updated_at=now, auto_merge=None)
        events.pull_request(world, "closed", closed, actor)
        return
    changed = world.state.pulls.update(pull.id, head_sha=after, base_sha=base or pull.base_sha, updated_at=now)
    keep_head(world, repository, changed)
    events.pull_request(world, "synchronize", changed, actor, before=pull.head_sha, after=after)


def _base_moved(world: World, actor: Account, repository: Repository, pull: Pull, after: str | None) -> None:
    """A deleted base closes the pull request; a base that has the head's commits now has merged it."""
    now = world.clock.stamp()
    if after is None:
        closed = world.state.pulls.update(pull.id, state="closed", closed_at=now, updated_at=now, auto_merge=None)
        events.pull_request(world, "closed", closed, actor)
    elif contains(world.git.open(repository), after, pull.head_sha):
        merged = world.state.pulls.update(
            pull.id,
            state="closed",
            closed_at=now,
            merged_at=now,
            updated_at=now,
            merged_by_id=actor.id,
            merge_commit_sha=after,
            auto_merge=None,
        )
        events.pull_request(world, "closed", merged, actor)


def keep_head(world: World, repository: Repository, pull: Pull) -> None:
    """Sets `refs/pull/N/head`, which holds the commits when the branch is gone."""
    repo = world.git.open(repository)
    repo.references.create(f"refs/pull/{pull.number}/head", pull.head_sha, force=True)
