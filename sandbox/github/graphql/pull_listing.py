"""Lists of pull requests, paged by index, and lists of labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLResolveInfo

from ..state import Label, Pull, Repository
from .errors import Failed
from .nodes import request, require
from .pages import Page, Table, table_page
from .search.conditions import Conditions

_ORDERS = {
    "CREATED_AT": ("pulls.created_at", lambda pull: pull.created_at),
    "UPDATED_AT": ("pulls.updated_at", lambda pull: pull.updated_at),
}
_STATES = {
    "OPEN": "state = 'open'",
    "CLOSED": "(state = 'closed' AND merged_at IS NULL)",
    "MERGED": "merged_at IS NOT NULL",
}
_LABELLED = "id IN (SELECT pull_id FROM pull_labels JOIN labels ON labels.id = label_id WHERE labels.name IN ({}))"


def of_repository(repository: Repository, info: GraphQLResolveInfo, **arguments: Any) -> Page[Pull]:
    """The pull requests of a repository."""
    return page(info, repository, arguments)


def page(
    info: GraphQLResolveInfo, repository: Repository, arguments: dict[str, Any], where: str = "1", *parameters: Any
) -> Page[Pull]:
    """The pull requests of a repository for which a condition holds, as far as the arguments let them through."""
    require(info, repository, "pull_requests")
    conditions = Conditions()
    conditions.add("repository_id = ?", repository.id)
    conditions.add(where, *parameters)
    if states := arguments.pop("states", None):
        conditions.add(f"({' OR '.join(_STATES[state] for state in states)})")
    for argument, column in (("head_ref_name", "head_ref"), ("base_ref_name", "base_ref")):
        if (name := arguments.pop(argument, None)) is not None:
            conditions.add(f"{column} = ?", name)
    if labels := arguments.pop("labels", None):
        conditions.add(_LABELLED.format(", ".join("?" * len(labels))), *labels)
    return _page(info, conditions, arguments.pop("order_by", None), arguments)


def ordered_labels(labels: Sequence[Label], order_by: dict[str, str] | None) -> list[Label]:
    """Labels by name or, as their ids follow it, by the time of their making."""
    if order_by is None:
        return list(labels)
    if order_by["field"] not in {"NAME", "CREATED_AT"}:
        raise Failed("UNPROCESSABLE", f"The sandbox does not order labels by {order_by['field']}.")
    found = sorted(labels, key=lambda label: (label.name.lower() if order_by["field"] == "NAME" else "", label.id))
    return found[::-1] if order_by["direction"] == "DESC" else found


def _page(
    info: GraphQLResolveInfo, conditions: Conditions, order_by: dict[str, str] | None, arguments: dict[str, Any]
) -> Page[Pull]:
    pulls = request(info).world.state.pulls
    order = order_by or {"field": "CREATED_AT", "direction": "ASC"}
    if order["field"] not in _ORDERS:
        raise Failed("UNPROCESSABLE", f"The sandbox does not order pull requests by {order['field']}.")
    column, value = _ORDERS[order["field"]]
    table = Table[Pull](
        where=conditions.where,
        parameters=conditions.parameters,
        column=column,
        id_column="pulls.id",
        descending=order["direction"] == "DESC",
        key=lambda pull: (value(pull), pull.id),
        fetch=lambda where, parameters, order, limit: pulls.query(where, parameters, order_by=order, limit=limit),
        count=lambda: pulls.count(conditions.where, conditions.parameters),
    )
    return table_page(info, arguments, table)
