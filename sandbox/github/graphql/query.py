"""What queries begin with: nodes by id, owners, repositories, searches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLResolveInfo

from ..clock import stamp
from ..errors import Refused
from ..state import Account, Comment, Kind, Repository, Review, decode
from . import listing
from .errors import Failed, no_node, no_such
from .nodes import Ref, git_object, request
from .pages import Page, found_page
from .refs import find_ref
from .resolvers import Resolvers
from .search import Found, search_pulls, search_repositories
from .search.text import SearchRefused

MOST_IDS = 100

Finder = Callable[..., Any]


def node(info: GraphQLResolveInfo, node_id: str) -> Any:
    """The object of that node id; raises `Refused` where there is none that the viewer may know of."""
    decoded = decode(node_id)
    if decoded is None or not _is_possible(*decoded):
        raise no_node(node_id)
    kind, keys = decoded
    try:
        found = _FINDERS[kind](info, *keys)
    except (KeyError, ValueError):  # of what is deleted, or made up
        found = None
    if found is None:
        raise no_node(node_id)
    return found


def _is_possible(kind: Kind, keys: tuple[int | str, ...]) -> bool:
    """Whether an id of that kind can have these keys: a number, and for what lies in a repository a second key."""
    if kind not in _FINDERS:
        return False
    second = [str] if kind in _OF_GIT else [int] if kind not in _ALONE else []
    return [type(key) for key in keys] == [int, *second]


def _account(info: GraphQLResolveInfo, account_id: int) -> Account:
    return request(info).world.state.accounts.get(account_id)


def _repository(info: GraphQLResolveInfo, repository_id: int) -> Repository | None:
    found = request(info).world.state.repositories.get(repository_id)
    return found if request(info).viewer.sees(found) else None


def _in_repository(resource: str, find: Finder) -> Finder:
    """A finder of what lies in a repository that the viewer sees, and whose resource it may read."""

    def found(info: GraphQLResolveInfo, repository_id: int, *keys: Any) -> Any:
        repository = _repository(info, repository_id)
        if repository is None:
            return None
        it = find(info, repository, *keys)
        if it is not None:
            request(info).viewer.require(repository, resource, "read")
        return it

    return found


def _pull(info: GraphQLResolveInfo, repository: Repository, pull_id: int) -> Any:
    found = request(info).world.state.pulls.get(pull_id)
    return found if found.repository_id == repository.id else None


def _remark(get: str) -> Finder:
    def found(info: GraphQLResolveInfo, repository: Repository, remark_id: int) -> Any:
        remark: Review | Comment = getattr(request(info).world.state.reviews, get)(remark_id)
        return remark if _pull(info, repository, remark.pull_id) else None

    return found


def _label(info: GraphQLResolveInfo, repository: Repository, label_id: int) -> Any:
    labels = request(info).world.state.pulls.repository_labels(repository.id)
    return next((label for label in labels if label.id == label_id), None)


def _git_object(info: GraphQLResolveInfo, repository: Repository, oid: str) -> Any:
    found = request(info).world.git.open(repository).get(oid)
    return git_object(repository, found) if found is not None else None


def _ref(info: GraphQLResolveInfo, repository: Repository, name: str) -> Ref | None:
    return find_ref(info, repository, name)


def _suite(info: GraphQLResolveInfo, repository: Repository, suite_id: int) -> Any:
    found = request(info).world.state.checks.get_suite(suite_id)
    return found if found.repository_id == repository.id else None


def _run(info: GraphQLResolveInfo, repository: Repository, run_id: int) -> Any:
    found = request(info).world.state.checks.get_run(run_id)
    return found if _suite(info, repository, found.suite_id) else None


_FINDERS: Mapping[Kind, Finder] = {
    Kind.BLOB: _in_repository("contents", _git_object),
    Kind.BOT: _account,
    Kind.CHECK_RUN: _in_repository("checks", _run),
    Kind.CHECK_SUITE: _in_repository("checks", _suite),
    Kind.COMMIT: _in_repository("contents", _git_object),
    Kind.ISSUE_COMMENT: _in_repository("pull_requests", _remark("get_comment")),
    Kind.LABEL: _in_repository("metadata", _label),
    Kind.ORGANIZATION: _account,
    Kind.PULL_REQUEST: _in_repository("pull_requests", _pull),
    Kind.REF: _in_repository("contents", _ref),
    Kind.REPOSITORY: _repository,
    Kind.REVIEW: _in_repository("pull_requests", _remark("get")),
    Kind.TAG: _in_repository("contents", _git_object),
    Kind.TEAM: lambda info, team_id: request(info).world.state.accounts.get_team(team_id),
    Kind.TREE: _in_repository("contents", _git_object),
    Kind.USER: _account,
}


_ALONE = frozenset({Kind.BOT, Kind.ORGANIZATION, Kind.REPOSITORY, Kind.TEAM, Kind.USER})
_OF_GIT = frozenset({Kind.BLOB, Kind.COMMIT, Kind.REF, Kind.TAG, Kind.TREE})


def _node(_: Any, info: GraphQLResolveInfo, *, id: str) -> Any:  # noqa: A002 - GitHub's name
    return node(info, id)


def _nodes(_: Any, info: GraphQLResolveInfo, *, ids: list[str]) -> list[Any]:
    """Each id's object, or an error in its place: one that is not there takes the others nothing away."""
    if len(ids) > MOST_IDS:
        raise Failed("ARGUMENT_LIMIT", f"You may not provide more than {MOST_IDS} node ids; you provided {len(ids)}.")
    found: list[Any] = []
    for node_id in ids:
        try:
            found.append(node(info, node_id))
        except Refused as refused:
            found.append(refused)
    return found


def _owner(*types: str, called: str) -> Callable[..., Account]:
    def resolve(_: Any, info: GraphQLResolveInfo, *, login: str) -> Account:
        account = request(info).world.state.accounts.by_login(login)
        if account is None or account.type not in types:
            raise no_such(called, f"the login of '{login}'")
        return account

    return resolve


def _repository_owner(_: Any, info: GraphQLResolveInfo, *, login: str) -> Account | None:
    """Null without an error where there is none, unlike `organization` and `user`."""
    account = request(info).world.state.accounts.by_login(login)
    return account if account is not None and account.type != "Bot" else None


def _repository_named(
    _: Any, info: GraphQLResolveInfo, *, owner: str, name: str, follow_renames: bool | None = True
) -> Repository:
    return listing.repository_named(info, owner, name, follow_renames=follow_renames)


def _resource(_: Any, info: GraphQLResolveInfo, *, url: str) -> Any:
    """The repository, pull request or account whose page this is."""
    world = request(info).world
    if not url.startswith(f"{world.base_url}/"):
        return None
    match url.removeprefix(f"{world.base_url}/").strip("/").split("/"):
        case [login]:
            return world.state.accounts.by_login(login)
        case [owner, name, *rest]:
            found = world.state.repositories.by_name(owner, name)
            if found is None or not request(info).viewer.sees(found):
                return None
            match rest:
                case []:
                    return found
                case ["pull", number] if number.isdecimal():
                    request(info).viewer.require(found, "pull_requests", "read")
                    return world.state.pulls.by_number(found.id, int(number))
                case ["commit", oid]:
                    request(info).viewer.require(found, "contents", "read")
                    return _git_object(info, found, oid)
                case _:
                    return None
        case _:
            return None


def _rate_limit(_: Any, info: GraphQLResolveInfo) -> dict[str, Any] | None:
    """Null where limits are off, as on GitHub Enterprise Server."""
    this = request(info)
    allowance = this.world.limits.allowance(this.viewer, "graphql")
    if allowance is None:
        return None
    return {
        "cost": this.cost.points,
        "limit": allowance.limit,
        "nodeCount": this.cost.nodes,
        "remaining": allowance.remaining,
        "resetAt": stamp(allowance.reset),
        "used": allowance.used,
    }


def _search(_: Any, info: GraphQLResolveInfo, *, query: str, type: str, **arguments: Any) -> Page[Any]:  # noqa: A002
    """A search; one that REST refuses with 422 finds nothing here, without an error, as on GitHub."""
    this = request(info)
    search = search_repositories if type == "REPOSITORY" else search_pulls
    try:
        found: Found[Any] = search(this.world.state, this.viewer, query) if query.strip() else Found(0, _nothing)
    except SearchRefused:
        found = Found(0, _nothing)
    counted = {"repositoryCount" if type == "REPOSITORY" else "issueCount": found.total}
    names = ("codeCount", "discussionCount", "issueCount", "repositoryCount", "userCount", "wikiCount")
    return found_page(info, arguments, found, **(dict.fromkeys(names, 0) | counted))


def _nothing(_: int, __: int) -> list[Any]:
    return []


QUERY: Resolvers = {
    "node": _node,
    "nodes": _nodes,
    "organization": _owner("Organization", called="an Organization"),
    "rateLimit": _rate_limit,
    "repository": _repository_named,
    "repositoryOwner": _repository_owner,
    "resource": _resource,
    "search": _search,
    "user": _owner("User", called="a User"),
    "viewer": lambda _, info: request(info).viewer.account,
}
