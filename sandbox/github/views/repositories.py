"""Repositories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..access import Viewer
from ..state import Repository
from ..world import World
from .accounts import organization, simple_user

Json = dict[str, Any]

_BELOW = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def repository_url(world: World, shown: Repository) -> str:
    """The REST address of a repository."""
    return f"{world.api_url}/repos/{shown.full_name}"


def repository(world: World, shown: Repository, *, viewer: Viewer | None = None) -> Json:
    """A repository in a listing or within another object."""
    return repositories(world, [shown], viewer=viewer)[0]


def repositories(world: World, shown: Sequence[Repository], *, viewer: Viewer | None = None) -> list[Json]:
    """Repositories in a listing; what they have open is counted in one query."""
    open_pulls = world.state.repositories.open_pulls([each.id for each in shown])
    return [_repository(world, each, open_pulls.get(each.id, 0), viewer) for each in shown]


def full_repository(world: World, shown: Repository, *, viewer: Viewer | None = None) -> Json:
    """A repository on its own page."""
    account = world.state.accounts.get(shown.owner_id)
    full = repository(world, shown, viewer=viewer) | {
        "temp_clone_token": None,
        "allow_squash_merge": shown.allow_squash_merge,
        "allow_merge_commit": shown.allow_merge_commit,
        "allow_rebase_merge": shown.allow_rebase_merge,
        "allow_auto_merge": shown.allow_auto_merge,
        "allow_update_branch": True,
        "delete_branch_on_merge": shown.delete_branch_on_merge,
        "subscribers_count": 0,
        "network_count": 0,
    }
    if account.type == "Organization":
        full["organization"] = simple_user(world, account)
    if shown.parent_id is not None:
        parent = world.state.repositories.get(shown.parent_id)
        full["parent"] = full["source"] = repository(world, parent)
    return full


def repository_in_event(world: World, shown: Repository) -> Json:
    """The keys that each webhook about a repository has: the repository and the organisation."""
    event: Json = {"repository": repository(world, shown)}
    account = world.state.accounts.get(shown.owner_id)
    if account.type == "Organization":
        whole = organization(world, account)
        kept = ("login", "id", "node_id", "url", "repos_url", "events_url", "hooks_url", "issues_url", "members_url")
        kept += ("public_members_url", "avatar_url", "description")
        event["organization"] = {key: whole[key] for key in kept}
    return event


def _repository(world: World, shown: Repository, open_pulls: int, viewer: Viewer | None) -> Json:
    url = repository_url(world, shown)
    html = f"{world.base_url}/{shown.full_name}"
    host = world.base_url.partition("://")[2]
    json: Json = {
        "id": shown.id,
        "node_id": shown.node_id,
        "name": shown.name,
        "full_name": shown.full_name,
        "private": shown.private,
        "owner": simple_user(world, world.state.accounts.get(shown.owner_id)),
        "html_url": html,
        "description": shown.description,
        "fork": shown.fork,
        "url": url,
    }
    json.update({key: url + below for key, below in _BELOW.items()})
    json.update(
        created_at=shown.created_at,
        updated_at=shown.updated_at,
        pushed_at=shown.pushed_at,
        git_url=f"git://{host}/{shown.full_name}.git",
        ssh_url=f"git@{host.partition(':')[0]}:{shown.full_name}.git",
        clone_url=f"{html}.git",
        svn_url=html,
        homepage=shown.homepage,
        size=shown.size_kb,
        stargazers_count=shown.stars,
        watchers_count=shown.stars,
        language=shown.language,
        has_issues=True,
        has_projects=False,
        has_downloads=True,
        has_wiki=False,
        has_pages=False,
        has_discussions=False,
        forks_count=0,
        mirror_url=None,
        archived=shown.archived,
        disabled=False,
        open_issues_count=open_pulls,
        license=_license(world, shown.license),
        allow_forking=True,
        is_template=shown.is_template,
        web_commit_signoff_required=False,
        topics=list(shown.topics),
        visibility=shown.visibility,
        forks=0,
        open_issues=open_pulls,
        watchers=shown.stars,
        default_branch=shown.default_branch,
    )
    if viewer is not None:
        json["permissions"] = _permissions(viewer, shown)
    return json


def _permissions(viewer: Viewer, shown: Repository) -> dict[str, bool]:
    push = viewer.has(shown) and viewer.may("contents", "write")
    admin = viewer.has(shown) and viewer.may("administration", "write")
    return {"admin": admin, "maintain": admin, "push": push, "triage": push, "pull": True}


def _license(world: World, spdx: str | None) -> Json | None:
    if spdx is None:
        return None
    key = spdx.lower()
    url = f"{world.api_url}/licenses/{key}"
    return {"key": key, "name": spdx, "spdx_id": spdx, "url": url, "node_id": f"MDc6TGljZW5zZQ{key}"}
