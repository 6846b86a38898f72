"""Pull requests: opened, edited, closed, reopened, made ready or draft."""

from __future__ import annotations

from typing import Any

from ..errors import Refused, forbidden, invalid, unprocessable
from ..git.comparing import ahead_behind, merge_base
from ..state import Account, Pull, Repository
from ..world import World
from . import events
from .branches import keep_head

LONGEST_TITLE, LONGEST_BODY = 256, 65536


def create(
    world: World,
    actor: Account,
    repository: Repository,
    *,
    title: str | None,
    head: str,
    base: str,
    body: str | None = None,
    draft: bool = False,
) -> Pull:
    """Opens a pull request from `branch` or `owner:branch` of the same repository into `base`."""
    if repository.archived:
        raise forbidden("Repository was archived so is read-only.")
    if not title:
        raise invalid("PullRequest", "title", code="missing_field")
    _check_text(title, body)
    owner, _, branch = head.rpartition(":")
    if owner and owner.lower() != repository.owner_login.lower():
        raise invalid("PullRequest", "head")
    head_sha, base_sha = _tips(world, repository, branch, base)
    _check_new(world, repository, branch, base, head_sha, base_sha)
    now = world.clock.stamp()
    pull = world.state.pulls.create(
        repository_id=repository.id,
        number=world.state.repositories.next_number(repository.id),
        title=title,
        body=body,
        state="open",
        draft=draft,
        author_id=actor.id,
        head_repository_id=repository.id,
        head_ref=branch,
        head_sha=head_sha,
        base_ref=base,
        base_sha=base_sha,
        created_at=now,
        updated_at=now,
    )
    keep_head(world, repository, pull)
    events.pull_request(world, "opened", pull, actor)
    return pull


def update(
    world: World,
    actor: Account,
    pull: Pull,
    *,
    title: str | None = None,
    body: str | None = None,
    base: str | None = None,
    state: str | None = None,
) -> Pull:
    """Changes what is given (an empty body is one); raises `Refused` for a base that is not there."""
    _check_text(title, body)
    changes: dict[str, Any] = {}
    before: dict[str, Any] = {}
    if title is not None and title != pull.title:
        changes["title"], before["title"] = title, {"from": pull.title}
    if body is not None and body != pull.body:
        changes["body"], before["body"] = body, {"from": pull.body}
    if base is not None and base != pull.base_ref:
        changes |= _new_base(world, pull, base)
        before["base"] = {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}
    if changes:
        pull = world.state.pulls.update(pull.id, **changes, updated_at=world.clock.stamp())
        events.pull_request(world, "edited", pull, actor, changes=before)
    if state == "closed" and pull.state == "open":
        pull = close(world, actor, pull)
    if state == "open" and pull.state == "closed":
        pull = reopen(world, actor, pull)
    return pull


def close(world: World, actor: Account, pull: Pull) -> Pull:
    """Closes without merging; a closed one stays as it is."""
    if pull.state == "closed":
        return pull
    now = world.clock.stamp()
    closed = world.state.pulls.update(pull.id, state="closed", closed_at=now, updated_at=now, auto_merge=None)
    events.pull_request(world, "closed", closed, actor)
    return closed


def reopen(world: World, actor: Account, pull: Pull) -> Pull:
    """Opens a closed one again, if it is not merged and its branch is there and has not been rewritten."""
    if pull.state == "open":
        return pull
    repository = world.state.repositories.get(pull.repository_id)
    if pull.merged:
        raise _custom("state cannot be changed. The pull request cannot be reopened.")
    head = world.git.branch(repository, pull.head_ref)
    if head is None:
        raise _custom(f"state cannot be changed. The {pull.head_ref} branch has been deleted.")
    if head != pull.head_sha:
        raise _custom(f"state cannot be changed. The {pull.head_ref} branch was force-pushed or recreated.")
    _check_none_open(world, repository, pull.head_ref, pull.base_ref)
    opened = world.state.pulls.update(pull.id, state="open", closed_at=None, updated_at=world.clock.stamp())
    events.pull_request(world, "reopened", opened, actor)
    return opened


def mark_ready(world: World, actor: Account, pull: Pull) -> Pull:
    """A draft becomes ready for review."""
    return _set_draft(world, actor, pull, draft=False)


def convert_to_draft(world: World, actor: Account, pull: Pull) -> Pull:
    """An open one becomes a draft."""
    return _set_draft(world, actor, pull, draft=True)


def _set_draft(world: World, actor: Account, pull: Pull, *, draft: bool) -> Pull:
    if pull.draft == draft:
        return pull
    if pull.state != "open":
        raise unprocessable("Pull request is closed")
    changed = world.state.pulls.update(pull.id, draft=draft, updated_at=world.clock.stamp())
    events.pull_request(world, "converted_to_draft" if draft else "ready_for_review", changed, actor)
    return changed


def _check_text(title: str | None, body: str | None) -> None:
    if title is not None and len(title) > LONGEST_TITLE:
        raise invalid("PullRequest", "title", message=f"title is too long (maximum is {LONGEST_TITLE} characters)")
    if body is not None and len(body) > LONGEST_BODY:
        raise invalid("PullRequest", "body", message=f"body is too long (maximum is {LONGEST_BODY} characters)")


def _tips(world: World, repository: Repository, head: str, base: str) -> tuple[str, str]:
    head_sha, base_sha = world.git.branch(repository, head), world.git.branch(repository, base)
    if head_sha is None:
        raise invalid("PullRequest", "head")
    if base_sha is None:
        raise invalid("PullRequest", "base")
    return head_sha, base_sha


def _check_new(world: World, repository: Repository, head: str, base: str, head_sha: str, base_sha: str) -> None:
    _check_none_open(world, repository, head, base)
    repo = world.git.open(repository)
    if merge_base(repo, base_sha, head_sha) is None:
        raise _custom(f"The {head} branch has no history in common with {base}")
    if ahead_behind(repo, head_sha, base_sha)[0] == 0:
        raise _custom(f"No commits between {base} and {head}")


def _check_none_open(world: World, repository: Repository, head: str, base: str) -> None:
    same = "state = 'open' AND repository_id = ? AND head_ref = ? AND base_ref = ?"
    if world.state.pulls.count(same, [repository.id, head, base]):
        raise _custom(f"A pull request already exists for {repository.owner_login}:{head}.")


def _new_base(world: World, pull: Pull, base: str) -> dict[str, Any]:
    repository = world.state.repositories.get(pull.repository_id)
    if pull.state != "open":
        raise _custom("Cannot change the base branch of a closed pull request.")
    _, base_sha = _tips(world, repository, pull.head_ref, base)
    _check_new(world, repository, pull.head_ref, base, pull.head_sha, base_sha)
    return {"base_ref": base, "base_sha": base_sha}


def _custom(message: str) -> Refused:
    return invalid("PullRequest", code="custom", message=message)
