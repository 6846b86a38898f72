"""Search of pull requests. The sandbox has no issues, so `is:issue` finds nothing."""

from __future__ import annotations

from ...access import Viewer
from ...state import Pull, State
from .conditions import Conditions, flag, times, visible_to
from .found import Found
from .repositories import UNKNOWN
from .text import Qualifier, SearchRefused, SearchText, not_supported, parse

_NOT_SUPPORTED = frozenset(
    {
        *("commenter", "involves", "linked", "mentions", "milestone", "no", "project", "reactions", "review"),
        *("review-requested", "reviewed-by", "status", "team"),
    }
)
QUALIFIERS = _NOT_SUPPORTED | {
    *("archived", "assignee", "author", "base", "closed", "created", "draft", "head", "in", "is", "label"),
    *("language", "merged", "org", "repo", "sort", "state", "type", "updated", "user"),
}
_FROM = (
    "pulls JOIN repositories ON repositories.id = pulls.repository_id"
    " JOIN accounts AS owners ON owners.id = repositories.owner_id"
    " JOIN accounts AS authors ON authors.id = pulls.author_id"
)
_STATES = {
    "open": "pulls.state = 'open'",
    "closed": "pulls.state = 'closed'",
    "merged": "pulls.merged_at IS NOT NULL",
    "unmerged": "pulls.merged_at IS NULL",
    "draft": "pulls.draft = 1",
    "pr": "1",
    "pull-request": "1",
    "issue": "0",
    "public": "repositories.visibility = 'public'",
    "private": "repositories.visibility = 'private'",
}
_TIMES = ("created", "updated", "closed", "merged")
_LABELLED = "pulls.id IN (SELECT pull_id FROM pull_labels JOIN labels ON labels.id = label_id WHERE labels.name = ?)"
_ASSIGNED = "pulls.id IN (SELECT pull_id FROM pull_assignees JOIN accounts ON accounts.id = account_id WHERE login = ?)"
_COLUMNS = {
    "assignee": _ASSIGNED,
    "author": "authors.login = ?",
    "base": "pulls.base_ref = ?",
    "head": "pulls.head_ref = ?",
    "label": _LABELLED,
    "language": "repositories.language = ?",
}
_FLAGS = {"archived": "repositories.archived = ?", "draft": "pulls.draft = ?"}
_ELSEWHERE = frozenset({"in", "org", "repo", "sort", "user"})
_SORTS = {"created": "pulls.created_at", "updated": "pulls.updated_at"}
_IN = {"title": "pulls.title", "body": "pulls.body"}


def search_pulls(
    state: State, viewer: Viewer, text: str, *, sort: str | None = None, descending: bool = True
) -> Found[Pull]:
    """The pull requests that the viewer may read and the text matches; raises `Refused` as GitHub does."""
    search = parse(text, QUALIFIERS)
    conditions = Conditions()
    visible, parameters = visible_to(viewer)
    conditions.add(visible, *parameters)
    if not viewer.may("pull_requests", "read"):
        conditions.add("repositories.visibility = 'public'")
    _add_places(conditions, state, search)
    for qualifier in search.qualifiers:
        _add(conditions, qualifier)
    fields = [part for value in search.values("in") for part in value.lower().split(",")]
    for field in fields:
        if field not in _IN:
            raise not_supported(f"`in:{field}`")
    conditions.add_words([_IN[field] for field in fields or ("title", "body")], search.words)
    where, parameters = conditions.where, conditions.parameters
    order = _order(sort, descending=descending) if sort else _order_of(search)

    def fetch(offset: int, limit: int) -> list[Pull]:
        sql = f"SELECT pulls.id FROM {_FROM} WHERE {where} ORDER BY {order} LIMIT {limit:d} OFFSET {offset:d}"
        return [state.pulls.get(row[0]) for row in state.store.rows(sql, parameters)]

    return Found(int(state.store.value(f"SELECT count(*) FROM {_FROM} WHERE {where}", parameters)), fetch)


def _add_places(conditions: Conditions, state: State, search: SearchText) -> None:
    owners = [account.id for login in search.values("org", "user") if (account := state.accounts.by_login(login))]
    names = [name.partition("/") for name in search.values("repo")]
    repositories = [found.id for owner, _, name in names if (found := state.repositories.by_name(owner, name))]
    parts = ["repositories.owner_id = ?"] * len(owners) + ["repositories.id = ?"] * len(repositories)
    if parts:
        conditions.add(f"({' OR '.join(parts)})", *owners, *repositories)
    elif search.values("org", "user", "repo"):
        raise SearchRefused(UNKNOWN)


def _add(conditions: Conditions, qualifier: Qualifier) -> None:
    name, value, negated = qualifier.name, qualifier.value, qualifier.negated
    if name in _COLUMNS:
        conditions.add(_COLUMNS[name], _login(value) if name == "author" else value, negated=negated)
    elif name in _FLAGS:
        conditions.add(_FLAGS[name], flag(name, value), negated=negated)
    elif name in _TIMES:
        sql, moments = times(f"pulls.{name}_at", value)
        conditions.add(f"({sql})", *moments, negated=negated)
    elif name in {"is", "type", "state"} and value.lower() in _STATES:
        conditions.add(_STATES[value.lower()], negated=negated)
    elif negated or name not in _ELSEWHERE:
        raise not_supported(f"`{'-' if negated else ''}{name}:{value}`")


def _login(author: str) -> str:
    """`app/octobatch` is the author `octobatch[bot]`."""
    return f"{author.removeprefix('app/')}[bot]" if author.startswith("app/") else author


def _order_of(search: SearchText) -> str:
    chosen = search.last("sort")
    if chosen is None:
        return "pulls.created_at DESC, pulls.id DESC"
    column, _, direction = chosen.lower().partition("-")
    return _order(column, descending=direction != "asc")


def _order(column: str, *, descending: bool) -> str:
    if column not in _SORTS:
        raise not_supported(f"`sort:{column}`")
    direction = "DESC" if descending else "ASC"
    return f"{_SORTS[column]} {direction}, pulls.id {direction}"
