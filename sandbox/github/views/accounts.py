"""Accounts, teams, Apps and installations."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ..state import Account, App, Installation, Team
from ..world import World

Json = dict[str, Any]


def simple_user(world: World, account: Account) -> Json:
    """An account wherever it is only mentioned."""
    url = f"{world.api_url}/users/{quote(account.login)}"
    web_login = f"apps/{account.login.removesuffix('[bot]')}" if account.type == "Bot" else account.login
    return {
        "login": account.login,
        "id": account.id,
        "node_id": account.node_id,
        "avatar_url": f"{world.base_url}/avatars/u/{account.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{world.base_url}/{web_login}",
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": account.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def public_user(world: World, account: Account) -> Json:
    """A user on the user's own page."""
    public = world.state.repositories.count("owner_id = ? AND visibility = 'public'", [account.id])
    return simple_user(world, account) | {
        "name": account.name,
        "company": None,
        "blog": "",
        "location": None,
        "email": account.email,
        "hireable": None,
        "bio": None,
        "public_repos": public,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    }


def organization(world: World, account: Account) -> Json:
    """An organisation on its own page."""
    url = f"{world.api_url}/orgs/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": account.node_id,
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{world.base_url}/avatars/u/{account.id}",
        "description": None,
        "name": account.name or account.login,
        "has_organization_projects": False,
        "has_repository_projects": False,
        "public_repos": world.state.repositories.count("owner_id = ? AND visibility = 'public'", [account.id]),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "html_url": f"{world.base_url}/{account.login}",
        "type": "Organization",
        "created_at": account.created_at,
        "updated_at": account.updated_at,
        "archived_at": None,
    }


def team(world: World, shown: Team) -> Json:
    """A team of an organisation."""
    owner = world.state.accounts.get(shown.account_id)
    url = f"{world.api_url}/organizations/{owner.id}/team/{shown.id}"
    return {
        "id": shown.id,
        "node_id": shown.node_id,
        "name": shown.name,
        "slug": shown.slug,
        "description": None,
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "url": url,
        "html_url": f"{world.base_url}/orgs/{owner.login}/teams/{shown.slug}",
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "type": "organization",
        "organization_id": owner.id,
        "parent": None,
    }


def integration(world: World, app: App) -> Json:
    """A GitHub App."""
    return {
        "id": app.id,
        "client_id": app.client_id,
        "slug": app.slug,
        "node_id": app.node_id,
        "owner": simple_user(world, world.state.accounts.get(app.owner_id)),
        "name": app.name,
        "description": app.description,
        "external_url": app.external_url,
        "html_url": f"{world.base_url}/apps/{app.slug}",
        "created_at": app.created_at,
        "updated_at": app.updated_at,
        "permissions": app.permissions,
        "events": list(app.events),
    }


def installation(world: World, shown: Installation) -> Json:
    """An installation of an App."""
    app = world.state.apps.get(shown.app_id)
    account = world.state.accounts.get(shown.account_id)
    html = f"{world.base_url}/organizations/{account.login}/settings/installations/{shown.id}"
    suspended_by = world.state.accounts.get(account.id) if shown.suspended_at else None
    return {
        "id": shown.id,
        "client_id": app.client_id,
        "account": simple_user(world, account),
        "repository_selection": shown.repository_selection,
        "access_tokens_url": f"{world.api_url}/app/installations/{shown.id}/access_tokens",
        "repositories_url": f"{world.api_url}/installation/repositories",
        "html_url": html,
        "app_id": app.id,
        "app_slug": app.slug,
        "target_id": account.id,
        "target_type": account.type,
        "permissions": shown.permissions,
        "events": list(shown.events),
        "created_at": shown.created_at,
        "updated_at": shown.updated_at,
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": simple_user(world, suspended_by) if suspended_by else None,
        "suspended_at": shown.suspended_at,
    }
