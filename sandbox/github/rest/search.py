"""Search of repositories, pull requests and code: at most 1,000 results, with limits of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from ..errors import Reason, Refused, invalid
from ..graphql.search import CAP, Found, Match, search_code, search_pulls, search_repositories
from ..state import Pull, Repository
from ..views.pulls import issue
from ..views.repositories import repositories, repository_url
from ..views.repositories import repository as repository_view
from .endpoint import Audience, Call, Endpoint, Reply

T = TypeVar("T")
Json = dict[str, Any]


def repositories_found(call: Call) -> Reply:
    """GET /search/repositories"""
    found = search_repositories(
        call.world.state, call.viewer, _text(call), sort=call.query.get("sort"), descending=_descending(call)
    )
    return _reply(call, found, lambda page: [each | {"score": 1.0} for each in _shown(call, page)])


def issues_found(call: Call) -> Reply:
    """GET /search/issues"""
    found = search_pulls(
        call.world.state, call.viewer, _text(call), sort=call.query.get("sort"), descending=_descending(call)
    )

    def shown(page: list[Pull]) -> list[Json]:
        return [issue(call.world, pull) | {"score": 1.0} for pull in page]

    return _reply(call, found, shown, search_type="lexical")


def code_found(call: Call) -> Reply:
    """GET /search/code"""
    found = search_code(call.world, call.viewer, _text(call))
    return _reply(call, found, lambda page: [_code(call, match) for match in page])


def _text(call: Call) -> str:
    text = call.query.get("q", "").strip()
    if not text:
        raise invalid("Search", "q", code="missing")
    return text


def _descending(call: Call) -> bool:
    return call.query.get("order") != "asc"


def _reply(call: Call, found: Found[T], shown: Callable[[list[T]], list[Json]], **more: Any) -> Reply:
    if call.offset >= CAP:
        raise Refused(Reason.UNPROCESSABLE, f"Only the first {CAP} search results are available")
    call.set_link(found.reachable)
    items = shown(list(found.page(call.offset, call.per_page)))
    return Reply(body={"total_count": found.total, "incomplete_results": False, "items": items, **more})


def _shown(call: Call, page: list[Repository]) -> list[Json]:
    return repositories(call.world, page, viewer=call.viewer)


def _code(call: Call, match: Match) -> Json:
    repository, entry = match.repository, match.entry
    url, path = repository_url(call.world, repository), quote(entry.path)
    revision = call.world.git.branch(repository, repository.default_branch)
    return {
        "name": entry.path.rpartition("/")[2],
        "path": entry.path,
        "sha": entry.oid,
        "url": f"{url}/contents/{path}?ref={revision}",
        "git_url": f"{url}/git/blobs/{entry.oid}",
        "html_url": f"{call.world.base_url}/{repository.full_name}/blob/{revision}/{path}",
        "repository": repository_view(call.world, repository),
        "score": 1.0,
    }


def _search(path: str, handler: Callable[[Call], Reply], resource: str = "search") -> Endpoint:
    return Endpoint(method="GET", path=path, handler=handler, audience=Audience.INSTALLATION, resource=resource)


ENDPOINTS: list[Endpoint] = [
    _search("/search/repositories", repositories_found),
    _search("/search/issues", issues_found),
    _search("/search/code", code_found, "code_search"),
]
