"""Organisations, users, bots, teams and Apps."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLResolveInfo

from ..state import Account, Repository, Team
from ..views.accounts import simple_user
from . import listing
from .nodes import request
from .pages import Page, list_page
from .resolvers import Resolvers


def account_url(info: GraphQLResolveInfo, account: Account) -> str:
    """The page of an account."""
    return simple_user(request(info).world, account)["html_url"]


def _resource_path(account: Account, info: GraphQLResolveInfo) -> str:
    return account_url(info, account).removeprefix(request(info).world.base_url)


def _avatar(account: Account, info: GraphQLResolveInfo) -> str:
    return f"{request(info).world.base_url}/avatars/u/{account.id}"


def _repository(
    account: Account, info: GraphQLResolveInfo, *, name: str, follow_renames: bool = True
) -> Repository | None:
    return listing.repository_named(info, account.login, name, follow_renames=follow_renames)


def _teams(account: Account, info: GraphQLResolveInfo, **arguments: Any) -> Page[Team]:
    state = request(info).world.state
    rows = state.store.rows("SELECT id FROM teams WHERE account_id = ? ORDER BY slug", [account.id])
    return list_page(info, arguments, [state.accounts.get_team(row[0]) for row in rows])


def _team(account: Account, info: GraphQLResolveInfo, *, slug: str) -> Team | None:
    return request(info).world.state.accounts.team_by_slug(account.id, slug) if _is_shown(info, account) else None


_ACTOR: Resolvers = {
    "avatarUrl": _avatar,
    "createdAt": lambda account, _: account.created_at,
    "databaseId": lambda account, _: account.id,
    "id": lambda account, _: account.node_id,
    "login": lambda account, _: account.login,
    "resourcePath": _resource_path,
    "updatedAt": lambda account, _: account.updated_at,
    "url": lambda account, info: account_url(info, account),
}
_OWNER: Resolvers = _ACTOR | {
    "name": lambda account, _: account.name,
    "repositories": listing.owned,
    "repository": _repository,
}
ORGANIZATION: Resolvers = _OWNER | {
    "team": _team,
    "teams": _teams,
    "viewerCanCreateRepositories": lambda account, info: (
        request(info).viewer.installation is not None
        and request(info).viewer.installation.account_id == account.id
        and request(info).viewer.may("administration", "write")
    ),
}
USER: Resolvers = _OWNER | {
    "email": lambda account, _: account.email or "",
    "isViewer": lambda account, info: account.id == request(info).viewer.account.id,
}
BOT: Resolvers = _ACTOR | {"login": lambda account, _: account.login.removesuffix("[bot]")}


def _team_url(team: Team, info: GraphQLResolveInfo) -> str:
    world = request(info).world
    return f"{world.base_url}{_team_path(team, info)}"


def _team_path(team: Team, info: GraphQLResolveInfo) -> str:
    return f"/orgs/{_organization(team, info).login}/teams/{team.slug}"


def _organization(team: Team, info: GraphQLResolveInfo) -> Account:
    return request(info).world.state.accounts.get(team.account_id)


def _members(team: Team, info: GraphQLResolveInfo, **arguments: Any) -> Page[Account]:
    return list_page(info, arguments, request(info).world.state.accounts.members(team.id))


def _is_shown(info: GraphQLResolveInfo, organization: Account) -> bool:
    """Whether the viewer may know of the organisation's teams."""
    viewer = request(info).viewer
    own = viewer.installation is not None and viewer.installation.account_id == organization.id
    return own and viewer.may("members", "read")


TEAM: Resolvers = {
    "combinedSlug": lambda team, info: f"{_organization(team, info).login}/{team.slug}",
    "databaseId": lambda team, _: team.id,
    "id": lambda team, _: team.node_id,
    "members": _members,
    "name": lambda team, _: team.name,
    "organization": _organization,
    "repositories": listing.of_team,
    "resourcePath": _team_path,
    "slug": lambda team, _: team.slug,
    "url": _team_url,
}
APP: Resolvers = {
    "clientId": lambda app, _: app.client_id,
    "createdAt": lambda app, _: app.created_at,
    "databaseId": lambda app, _: app.id,
    "description": lambda app, _: app.description,
    "id": lambda app, _: app.node_id,
    "name": lambda app, _: app.name,
    "slug": lambda app, _: app.slug,
    "updatedAt": lambda app, _: app.updated_at,
    "url": lambda app, info: f"{request(info).world.base_url}/apps/{app.slug}",
}
