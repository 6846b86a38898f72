"""Search of repositories: qualifiers become one SQL condition, answered by SQLite's indexes.

Not as on GitHub: words match as parts of a name or description, without stemming; without `sort:` the oldest comes
first, since there is no relevance to order by.
"""

from __future__ import annotations

from ...access import Viewer
from ...state import Repository, State
from .conditions import Conditions, flag, numbers, times, visible_to
from .found import Found
from .text import SearchRefused, SearchText, not_supported, parse

_NOT_SUPPORTED = frozenset({"forks", "followers", "good-first-issues", "help-wanted-issues", "mirror"})
QUALIFIERS = _NOT_SUPPORTED | {
    *("archived", "created", "fork", "in", "is", "language", "license", "org", "pushed", "repo", "size", "sort"),
    *("stars", "template", "topic", "topics", "user", "visibility"),
}
_SORTS = {"stars": "repositories.stars", "updated": "repositories.updated_at", "pushed": "repositories.pushed_at"}
_IN = {
    "name": "repositories.name",
    "description": "repositories.description",
    "topics": "repositories.topics",
}
UNKNOWN = (
    "The listed users and repositories cannot be searched either because the resources do not exist"
    " or you do not have permission to view them."
)


def search_repositories(
    state: State, viewer: Viewer, text: str, *, sort: str | None = None, descending: bool = True
) -> Found[Repository]:
    """The repositories that the viewer sees and the text matches; raises `Refused` as GitHub does.

    `sort` as REST takes it; a `sort:` in the text counts where it is None.
    """
    search = parse(text, QUALIFIERS)
    for name in _NOT_SUPPORTED:
        if search.values(name) or search.values(name, negated=True):
            raise not_supported(f"`{name}:`")
    conditions = Conditions()
    add_owners(conditions, state, search)
    visible, parameters = visible_to(viewer)
    conditions.add(visible, *parameters)
    _add_kind(conditions, search)
    _add_ranges(conditions, search)
    _add_content(conditions, search)
    where, parameters = conditions.where, conditions.parameters
    order = _order(sort, descending=descending) if sort else _order_of(search)
    return Found(
        state.repositories.count(where, parameters),
        lambda offset, limit: state.repositories.query(where, parameters, order_by=order, limit=limit, offset=offset),
    )


def add_owners(conditions: Conditions, state: State, search: SearchText) -> None:
    """`org:`, `user:` and `repo:` together name where to search; of several one suffices."""
    parts, parameters = _places(state, search, negated=False)
    if parts:
        conditions.add(f"({' OR '.join(parts)})", *parameters)
    elif search.values("org", "user", "repo"):
        raise SearchRefused(UNKNOWN)
    parts, parameters = _places(state, search, negated=True)
    for part, parameter in zip(parts, parameters, strict=True):
        conditions.add(part, parameter, negated=True)


def _places(state: State, search: SearchText, *, negated: bool) -> tuple[list[str], list[int]]:
    parts: list[str] = []
    ids: list[int] = []
    for login in search.values("org", "user", negated=negated):
        if account := state.accounts.by_login(login):
            parts.append("repositories.owner_id = ?")
            ids.append(account.id)
    for name in search.values("repo", negated=negated):
        owner, _, short = name.partition("/")
        if repository := state.repositories.by_name(owner, short):
            parts.append("repositories.id = ?")
            ids.append(repository.id)
    return parts, ids


def _add_kind(conditions: Conditions, search: SearchText) -> None:
    for qualifier in search.qualifiers:
        value = qualifier.value.lower()
        match qualifier.name:
            case "archived":
                conditions.add("archived = ?", flag("archived", value), negated=qualifier.negated)
            case "template":
                conditions.add("is_template = ?", flag("template", value), negated=qualifier.negated)
            case "is" | "visibility" if value in {"public", "private", "internal"}:
                conditions.add("visibility = ?", value, negated=qualifier.negated)
            case "is" | "visibility":
                raise not_supported(f"`{qualifier.name}:{value}`")
            case _:
                pass
    match (search.last("fork") or "false").lower():
        case "true":
            pass
        case "only":
            conditions.add("fork = 1")
        case _:  # GitHub leaves forks out unless told otherwise
            conditions.add("fork = 0")


def _add_ranges(conditions: Conditions, search: SearchText) -> None:
    columns = {"stars": "stars", "size": "size_kb", "topics": "json_array_length(topics)"}
    for name, column in columns.items():
        for negated in (False, True):
            for value in search.values(name, negated=negated):
                sql, bounds = numbers(column, value)
                conditions.add(f"({sql})", *bounds, negated=negated)
    for name in ("created", "pushed"):
        if value := search.last(name):
            sql, moments = times(f"repositories.{name}_at", value)
            conditions.add(sql, *moments)
        for value in search.values(name, negated=True):
            sql, moments = times(f"repositories.{name}_at", value)
            conditions.add(f"({sql})", *moments, negated=True)


def _add_content(conditions: Conditions, search: SearchText) -> None:
    topical = "repositories.id IN (SELECT repository_id FROM repository_topics WHERE topic = ?)"
    for negated in (False, True):
        for topic in search.values("topic", negated=negated):
            conditions.add(topical, topic, negated=negated)
        for name in ("language", "license"):
            values = search.values(name, negated=negated)
            if values:
                marks = ", ".join("?" * len(values))
                conditions.add(f"{name} COLLATE NOCASE IN ({marks})", *values, negated=negated)
    fields = [part for value in search.values("in") for part in value.lower().split(",")]
    for field in fields:
        if field not in _IN:
            raise not_supported(f"`in:{field}`")
    conditions.add_words([_IN[field] for field in fields or ("name", "description", "topics")], search.words)


def _order_of(search: SearchText) -> str:
    chosen = search.last("sort")
    if chosen is None:
        return "repositories.created_at, repositories.id"
    column, _, direction = chosen.lower().partition("-")
    return _order(column, descending=direction != "asc")


def _order(column: str, *, descending: bool) -> str:
    if column not in _SORTS:
        raise not_supported(f"`sort:{column}`")
    return f"{_SORTS[column]} {'DESC' if descending else 'ASC'}, repositories.id"
