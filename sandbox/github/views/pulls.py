"""Pull requests and what hangs on them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ..mergeability import mergeable, size_of
from ..state import Comment, Label, Pull, Repository, Review
from ..world import World
from .accounts import Json, simple_user, team
from .repositories import repository, repository_url

_ASSOCIATION = "CONTRIBUTOR"


def pull_request_simple(world: World, pull: Pull) -> Json:
    """A pull request in a listing."""
    base = world.state.repositories.get(pull.repository_id)
    url = f"{repository_url(world, base)}/pulls/{pull.number}"
    issue = f"{repository_url(world, base)}/issues/{pull.number}"
    html = pull_request_page(world, base, pull)
    statuses = f"{repository_url(world, base)}/statuses/{pull.head_sha}"
    comment = f"{repository_url(world, base)}/pulls/comments{{/number}}"
    assignees = [simple_user(world, account) for account in world.state.pulls.assignees(pull.id)]
    links = {
        "self": url,
        "html": html,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": comment,
        "commits": f"{url}/commits",
        "statuses": statuses,
    }
    return {
        "url": url,
        "id": pull.id,
        "node_id": pull.node_id,
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": issue,
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": simple_user(world, world.state.accounts.get(pull.author_id)),
        "body": pull.body,
        "created_at": pull.created_at,
        "updated_at": pull.updated_at,
        "closed_at": pull.closed_at,
        "merged_at": pull.merged_at,
        "merge_commit_sha": pull.merge_commit_sha,
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "requested_reviewers": [simple_user(world, a) for a in world.state.pulls.requested_reviewers(pull.id)],
        "requested_teams": [team(world, each) for each in world.state.pulls.requested_teams(pull.id)],
        "labels": [label(world, base, each) for each in world.state.pulls.labels(pull.id)],
        "milestone": None,
        "draft": pull.draft,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": comment,
        "comments_url": links["comments"],
        "statuses_url": statuses,
        "head": _branch(world, world.state.repositories.get(pull.head_repository_id), pull.head_ref, pull.head_sha),
        "base": _branch(world, base, pull.base_ref, pull.base_sha),
        "_links": {name: {"href": href} for name, href in links.items()},
        "author_association": _ASSOCIATION,
        "auto_merge": _auto_merge(world, pull.auto_merge),
        "active_lock_reason": None,
    }


def pull_request(world: World, pull: Pull) -> Json:
    """A pull request on its own: with whether it merges and how much it changes."""
    size = size_of(world, pull)
    merges = mergeable(world, pull)
    merged_by = simple_user(world, world.state.accounts.get(pull.merged_by_id)) if pull.merged_by_id else None
    simple = pull_request_simple(world, pull)
    for requested in simple["requested_teams"]:
        del requested["parent"]  # which only listings tell
    return simple | {
        "merged": pull.merged,
        "mergeable": merges,
        "rebaseable": merges,
        "mergeable_state": mergeable_state(world, pull, merges),
        "merged_by": merged_by,
        "comments": len(world.state.reviews.comments(pull.id)),
        "review_comments": 0,
        "maintainer_can_modify": pull.maintainer_can_modify,
        "commits": size.commits,
        "additions": size.additions,
        "deletions": size.deletions,
        "changed_files": size.changed_files,
    }


def mergeable_state(world: World, pull: Pull, merges: bool | None) -> str:
    """`clean`, `draft`, `dirty` (conflicts), `unstable` (checks not passed) or `unknown` (closed)."""
    if merges is None:
        return "unknown"
    if pull.draft:
        return "draft"
    if not merges:
        return "dirty"
    checks = world.state.checks.rollup(pull.repository_id, pull.head_sha)
    return "clean" if checks in {None, "SUCCESS"} else "unstable"


def pull_request_page(world: World, base: Repository, pull: Pull) -> str:
    """The web address of a pull request."""
    return f"{world.base_url}/{base.full_name}/pull/{pull.number}"


def issue(world: World, pull: Pull) -> Json:
    """The pull request as an issue."""
    base = world.state.repositories.get(pull.repository_id)
    simple = pull_request_simple(world, pull)
    url = simple["issue_url"]
    same = ("html_url", "number", "title", "user", "labels", "state", "locked", "assignee", "assignees", "milestone")
    same += ("created_at", "updated_at", "closed_at", "author_association", "body", "active_lock_reason", "draft")
    return {key: simple[key] for key in same} | {
        "id": pull.id,
        "node_id": pull.node_id,
        "url": url,
        "repository_url": repository_url(world, base),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "comments": len(world.state.reviews.comments(pull.id)),
        "pull_request": {
            "url": simple["url"],
            "html_url": simple["html_url"],
            "diff_url": simple["diff_url"],
            "patch_url": simple["patch_url"],
            "merged_at": pull.merged_at,
        },
        "timeline_url": f"{url}/timeline",
        "state_reason": None,
    }


def label(world: World, owner: Repository, shown: Label) -> Json:
    """A label."""
    return {
        "id": shown.id,
        "node_id": shown.node_id,
        "url": f"{repository_url(world, owner)}/labels/{quote(shown.name)}",
        "name": shown.name,
        "color": shown.color,
        "default": False,
        "description": shown.description,
    }


def review(world: World, pull: Pull, shown: Review) -> Json:
    """A review."""
    base = world.state.repositories.get(pull.repository_id)
    html = f"{pull_request_page(world, base, pull)}#pullrequestreview-{shown.id}"
    url = f"{repository_url(world, base)}/pulls/{pull.number}"
    return {
        "id": shown.id,
        "node_id": shown.node_id(base.id),
        "user": simple_user(world, world.state.accounts.get(shown.author_id)),
        "body": shown.body,
        "state": shown.state,
        "html_url": html,
        "pull_request_url": url,
        "author_association": "MEMBER",
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "submitted_at": shown.submitted_at,
        "commit_id": shown.commit_sha,
    }


def comment(world: World, pull: Pull, shown: Comment) -> Json:
    """A comment on a pull request."""
    base = world.state.repositories.get(pull.repository_id)
    return {
        "id": shown.id,
        "node_id": shown.node_id(base.id),
        "url": f"{repository_url(world, base)}/issues/comments/{shown.id}",
        "html_url": f"{pull_request_page(world, base, pull)}#issuecomment-{shown.id}",
        "issue_url": f"{repository_url(world, base)}/issues/{pull.number}",
        "user": simple_user(world, world.state.accounts.get(shown.author_id)),
        "created_at": shown.created_at,
        "updated_at": shown.updated_at,
        "author_association": _ASSOCIATION,
        "body": shown.body,
        "performed_via_github_app": None,
    }


def _branch(world: World, owner: Repository, ref: str, sha: str) -> Json:
    return {
        "label": f"{owner.owner_login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": simple_user(world, world.state.accounts.get(owner.owner_id)),
        "repo": repository(world, owner),
    }


def _auto_merge(world: World, kept: dict[str, Any] | None) -> Json | None:
    if kept is None:
        return None
    return {
        "enabled_by": simple_user(world, world.state.accounts.get(kept["enabled_by_id"])),
        "merge_method": kept["method"],
        "commit_title": kept["title"],
        "commit_message": kept["message"],
    }
