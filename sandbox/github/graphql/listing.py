"""Repositories by name, and the listings of an owner's repositories, paged by index."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLResolveInfo

from ..errors import Refused
from ..state import Account, Repository, Team
from .errors import no_such
from .nodes import request
from .pages import Page, Table, table_page
from .search.conditions import Conditions, visible_to

_ORDERS = {
    "CREATED_AT": ("repositories.created_at", lambda repository: repository.created_at),
    "NAME": ("repositories.name", lambda repository: repository.name),
    "PUSHED_AT": ("repositories.pushed_at", lambda repository: repository.pushed_at),
    "STARGAZERS": ("repositories.stars", lambda repository: repository.stars),
    "UPDATED_AT": ("repositories.updated_at", lambda repository: repository.updated_at),
}


def repository_named(
    info: GraphQLResolveInfo, owner: str, name: str, *, follow_renames: bool | None = True
) -> Repository:
    """The repository of that name, or of that former name; raises `Refused` where the viewer sees none."""
    state = request(info).world.state
    found = state.repositories.by_name(owner, name)
    if found is None and follow_renames is not False:
        found = state.repositories.by_former_name(owner, name)
    if found is None or not request(info).viewer.sees(found):
        raise _unknown(owner, name)
    return found


def owned(
    account: Account,
    info: GraphQLResolveInfo,
    *,
    order_by: dict[str, str] | None = None,
    is_archived: bool | None = None,
    is_fork: bool | None = None,
    privacy: str | None = None,
    visibility: str | None = None,
    affiliations: list[str] | None = None,
    owner_affiliations: list[str] | None = None,
    **arguments: Any,
) -> Page[Repository]:
    """The repositories of an owner that the viewer sees.

    The sandbox has no collaborators, so where the affiliations leave out `OWNER` there are none.
    """
    conditions = Conditions()
    conditions.add("repositories.owner_id = ?", account.id)
    viewer = request(info).viewer
    if viewer.repository_ids is not None or not viewer.installation or viewer.installation.account_id != account.id:
        visible, parameters = visible_to(viewer)
        conditions.add(visible, *parameters)
    if is_archived is not None:
        conditions.add("archived = ?", is_archived)
    if is_fork is not None:
        conditions.add("fork = ?", is_fork)
    if privacy is not None:
        conditions.add("visibility = 'public'" if privacy == "PUBLIC" else "visibility <> 'public'")
    if visibility is not None:
        conditions.add("visibility = ?", visibility.lower())
    if any(given and "OWNER" not in given for given in (affiliations, owner_affiliations)):
        conditions.add("0")
    return _page(info, conditions, order_by or {"field": "CREATED_AT", "direction": "ASC"}, arguments)


def of_team(
    team: Team, info: GraphQLResolveInfo, *, order_by: dict[str, str] | None = None, **arguments: Any
) -> Page[Repository]:
    """The repositories that a team has access to and the viewer sees."""
    conditions = Conditions()
    conditions.add("repositories.id IN (SELECT repository_id FROM team_repositories WHERE team_id = ?)", team.id)
    visible, parameters = visible_to(request(info).viewer)
    conditions.add(visible, *parameters)
    return _page(info, conditions, order_by or {"field": "NAME", "direction": "ASC"}, arguments)


def _page(
    info: GraphQLResolveInfo, conditions: Conditions, order_by: dict[str, str], arguments: dict[str, Any]
) -> Page[Repository]:
    repositories, store = request(info).world.state.repositories, request(info).world.state.store
    column, value = _ORDERS[order_by["field"]]
    table = Table[Repository](
        where=conditions.where,
        parameters=conditions.parameters,
        column=column,
        id_column="repositories.id",
        descending=order_by["direction"] == "DESC",
        key=lambda repository: (value(repository), repository.id),
        fetch=lambda where, parameters, order, limit: repositories.query(
            where, parameters, order_by=order, limit=limit
        ),
        count=lambda: repositories.count(conditions.where, conditions.parameters),
    )
    usage = "SELECT coalesce(sum(size_kb), 0) FROM repositories WHERE "
    return table_page(
        info,
        arguments,
        table,
        totalDiskUsage=lambda: store.value(usage + conditions.where, conditions.parameters),
    )


def _unknown(owner: str, name: str) -> Refused:
    return no_such("a Repository", f"the name '{owner}/{name}'")
