"""The root, what the server is, and what is left of the limits."""

from __future__ import annotations

from ..errors import not_found
from ..world import ENTERPRISE_VERSION
from .endpoint import Audience, Call, Endpoint, Reply, get

_ROOT = {
    "current_user_url": "/user",
    "current_user_repositories_url": "/user/repos{?type,page,per_page,sort}",
    "authorizations_url": "/authorizations",
    "code_search_url": "/search/code?q={query}{&page,per_page,sort,order}",
    "commit_search_url": "/search/commits?q={query}{&page,per_page,sort,order}",
    "emails_url": "/user/emails",
    "emojis_url": "/emojis",
    "events_url": "/events",
    "feeds_url": "/feeds",
    "followers_url": "/user/followers",
    "following_url": "/user/following{/target}",
    "gists_url": "/gists{/gist_id}",
    "issue_search_url": "/search/issues?q={query}{&page,per_page,sort,order}",
    "issues_url": "/issues",
    "keys_url": "/user/keys",
    "label_search_url": "/search/labels?q={query}&repository_id={repository_id}{&page,per_page}",
    "notifications_url": "/notifications",
    "organization_url": "/orgs/{org}",
    "organization_repositories_url": "/orgs/{org}/repos{?type,page,per_page,sort}",
    "organization_teams_url": "/orgs/{org}/teams",
    "public_gists_url": "/gists/public",
    "rate_limit_url": "/rate_limit",
    "repository_url": "/repos/{owner}/{repo}",
    "repository_search_url": "/search/repositories?q={query}{&page,per_page,sort,order}",
    "starred_url": "/user/starred{/owner}{/repo}",
    "starred_gists_url": "/gists/starred",
    "user_url": "/users/{user}",
    "user_organizations_url": "/user/orgs",
    "user_repositories_url": "/users/{user}/repos{?type,page,per_page,sort}",
    "user_search_url": "/search/users?q={query}{&page,per_page,sort,order}",
}


def root(call: Call) -> Reply:
    """GET /"""
    body = {name: call.world.api_url + path for name, path in _ROOT.items()}
    body["current_user_authorizations_html_url"] = (
        f"{call.world.base_url}/settings/connections/applications{{/client_id}}"
    )
    return Reply(body=body)


def meta(_: Call) -> Reply:
    """GET /meta"""
    return Reply(body={"verifiable_password_authentication": False, "installed_version": ENTERPRISE_VERSION})


def versions(call: Call) -> Reply:
    """GET /versions; a server from before there were any answers 404."""
    if not call.world.api_versions:
        raise not_found()
    return Reply(body=list(call.world.api_versions))


def rate_limit(call: Call) -> Reply:
    """GET /rate_limit; a server without limits answers 404, as GitHub Enterprise Server does."""
    resources = {}
    for resource in ("core", "search", "code_search", "graphql"):
        allowance = call.world.limits.allowance(call.viewer, resource)
        if allowance is None:
            raise not_found("Rate limiting is not enabled.")
        resources[resource] = {
            "limit": allowance.limit,
            "used": allowance.used,
            "remaining": allowance.remaining,
            "reset": int(allowance.reset),
        }
    return Reply(body={"resources": resources, "rate": resources["core"]})


ENDPOINTS: list[Endpoint] = [
    get("/", root, Audience.ANYONE),
    get("/meta", meta, Audience.ANYONE),
    get("/versions", versions, Audience.ANYONE),
    get("/rate_limit", rate_limit, Audience.EITHER),
]
