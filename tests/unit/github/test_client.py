"""What the client does with answers that a sandbox would have to be bent to give."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from shared.errors import (
    GitHubError,
    GitHubForbidden,
    GitHubInvalid,
    GitHubLimited,
    GitHubNotFound,
    GitHubUnauthorized,
    GitHubUnavailable,
)
from shared.github.client import GitHubClient

TOKEN = "ghs_16C7e42F292c6912E7710c838347Ae178B4a"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2ln"
BASE = "https://git.acme.com/api/v3"


@asynccontextmanager
async def answering(
    handler: Callable[[httpx.Request], httpx.Response], *, base_url: str = BASE
) -> AsyncIterator[GitHubClient]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        yield GitHubClient(http, base_url)


def answer(body: Any = None, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


async def test_a_request_has_the_headers_that_github_asks_for() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer({"ok": True})

    async with answering(handler) as github:
        assert await github.rest("GET", "/repos/acme/api", token=TOKEN, params={"q": "a b{c}"}) == {"ok": True}
    assert str(seen[0].url) == f"{BASE}/repos/acme/api?q=a+b%7Bc%7D"
    headers = seen[0].headers
    assert headers["authorization"].lower() == f"bearer {TOKEN}".lower()
    assert headers["accept"] == "application/vnd.github+json"
    assert headers["x-github-api-version"] == "2022-11-28"
    assert headers["user-agent"] == "octobatch"


async def test_an_empty_answer_is_none() -> None:
    async with answering(lambda _: httpx.Response(204)) as github:
        assert await github.rest("DELETE", "/installation/token", token=TOKEN) is None


async def test_json_is_sent_as_json() -> None:
    async with answering(lambda request: answer(json.loads(request.content), 201)) as github:
        assert await github.rest("POST", "/x", token=TOKEN, json={"a": 1}) == {"a": 1}


async def test_pages_follow_the_links() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", "1"))
        link = f'<{BASE}/things?page={page + 1}>; rel="next", <{BASE}/things?page=3>; rel="last"'
        return answer([page], **({"link": link} if page < 3 else {}))

    async with answering(handler) as github:
        assert [page async for page in github.rest_pages("/things", token=TOKEN)] == [[1], [2], [3]]


async def test_a_renamed_repository_is_followed() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/repos/acme/old"):
            return answer({"message": "Moved Permanently"}, 301, location=f"{BASE}/repositories/7")
        return answer({"id": 7, "auth": request.headers["authorization"]})

    async with answering(handler) as github:
        found = await github.rest("GET", "/repos/acme/old", token=TOKEN)
    assert found["id"] == 7
    assert TOKEN in found["auth"]


async def test_a_token_is_never_sent_to_another_host() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return answer(None, 302, location="https://elsewhere.example/steal")

    async with answering(handler) as github:
        with pytest.raises(GitHubError, match=r"elsewhere\.example"):
            await github.rest("GET", "/x", token=TOKEN)
    assert asked == ["git.acme.com"]


async def test_a_write_is_not_repeated_elsewhere() -> None:
    async with answering(lambda _: answer(None, 307, location=f"{BASE}/repositories/7")) as github:
        with pytest.raises(GitHubInvalid, match="redirects POST"):
            await github.rest("POST", "/repos/acme/old", token=TOKEN, json={})


async def test_endless_redirects_end() -> None:
    async with answering(lambda _: answer(None, 301, location=f"{BASE}/again")) as github:
        with pytest.raises(GitHubInvalid, match="redirects GET"):
            await github.rest("GET", "/again", token=TOKEN)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_young_token_that_is_refused_is_tried_again(status: int) -> None:
    answers = [answer({"message": "Bad credentials"}, status), answer({"message": "no"}, status), answer({"ok": 1})]
    async with answering(lambda _: answers.pop(0)) as github:
        assert await github.rest("GET", "/x", token=TOKEN) == {"ok": 1}


async def test_a_jwt_that_is_refused_is_not_tried_again() -> None:
    asked: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(1)
        return answer({"message": "A JSON web token could not be decoded"}, 401)

    async with answering(handler) as github:
        with pytest.raises(GitHubUnauthorized, match="could not be decoded"):
            await github.rest("GET", "/app", token=JWT)
    assert asked == [1]


async def test_a_limit_is_not_tried_again() -> None:
    answers = [answer({"message": "You have exceeded a secondary rate limit"}, 403, retry_after="30")]
    async with answering(lambda _: answers.pop()) as github:
        with pytest.raises(GitHubLimited):
            await github.rest("GET", "/x", token=TOKEN)


async def test_an_unreachable_github_is_named() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    async with answering(handler) as github:
        with pytest.raises(GitHubUnavailable, match=r"git\.acme\.com cannot be reached: connection refused"):
            await github.rest("GET", "/x", token=TOKEN)
        with pytest.raises(GitHubUnavailable, match=r"git\.acme\.com cannot be reached"):
            await github.graphql("query { viewer { login } }", {}, token=TOKEN)


async def test_a_silent_github_is_named() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("")

    async with answering(handler) as github:
        with pytest.raises(GitHubUnavailable, match=r"git\.acme\.com did not answer in time"):
            await github.rest("GET", "/x", token=TOKEN)


async def test_an_answer_that_is_not_json_is_no_answer() -> None:
    garbage = httpx.Response(200, content=b"{oops", headers={"content-type": "application/json"})
    async with answering(lambda _: garbage) as github:
        with pytest.raises(GitHubUnavailable):
            await github.rest("GET", "/x", token=TOKEN)
        with pytest.raises(GitHubUnavailable):
            await github.graphql("query { a }", {}, token=TOKEN)


async def test_graphql_goes_to_the_endpoint_of_the_same_github() -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return answer({"data": {"viewer": None}})

    async with answering(handler) as server, answering(handler, base_url="https://api.github.com") as github:
        await server.graphql("query { viewer { login } }", {}, token=TOKEN)
        await github.graphql("query { viewer { login } }", {}, token=TOKEN)
    assert seen == ["https://git.acme.com/api/graphql", "https://api.github.com/graphql"]


async def test_a_document_goes_by_its_name() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content)
        assert "query SearchRepositories(" in sent["query"]
        return answer({"data": sent["variables"]})

    async with answering(handler) as github:
        found = await github.graphql("search_repositories", {"query": "x", "after": None}, token=TOKEN)
    assert found.complete() == {"query": "x", "after": None}


async def test_a_partial_answer_keeps_what_there_is() -> None:
    body = {
        "data": {"a": {"id": 1}, "b": None},
        "errors": [{"type": "NOT_FOUND", "path": ["b"], "message": "Could not resolve to a Repository"}],
    }
    async with answering(lambda _: answer(body)) as github:
        found = await github.graphql("query { a b }", {}, token=TOKEN)
    assert found.data["a"] == {"id": 1}
    assert found.error_at("a") is None
    missing = found.error_at("b")
    assert missing is not None
    assert isinstance(missing.as_exception(), GitHubNotFound)
    with pytest.raises(GitHubNotFound, match="Could not resolve"):
        found.complete()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "RATE_LIMITED", "message": "API rate limit exceeded"}, GitHubLimited),
        ({"type": "FORBIDDEN", "message": "Resource not accessible by integration"}, GitHubForbidden),
        ({"message": "Something went wrong while executing your query."}, GitHubUnavailable),
        ({"message": "Field 'nope' doesn't exist on type 'Query'"}, GitHubInvalid),
    ],
)
async def test_an_answer_without_data_is_an_error(error: dict[str, str], kind: type[GitHubError]) -> None:
    # a JWT's shape, so that a refusal is not taken for a replica's ignorance and tried again
    async with answering(lambda _: answer({"data": None, "errors": [error]})) as github:
        with pytest.raises(kind):
            await github.graphql("query { nope }", {}, token=JWT)


async def test_no_error_shows_the_token() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"failed with {TOKEN}")

    async with answering(handler) as github:
        with pytest.raises(GitHubUnavailable) as caught:
            await github.rest("GET", "/x", token=TOKEN)
    assert TOKEN not in str(caught.value)


def test_repositories_are_cloned_from_the_same_github() -> None:
    client = GitHubClient(httpx.AsyncClient(), "https://api.github.com")
    assert client.clone_url("acme/api") == "https://github.com/acme/api.git"
