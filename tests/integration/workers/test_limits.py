"""GitHub's limits, kept by several clients together, before a GitHub that enforces them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.clock import utcnow
from shared.domain.ids import InstallationId
from shared.domain.installation import InstallationToken
from shared.errors import GitHubLimited
from shared.github.client import GitHubClient
from shared.github.gate import graphql_cost, rest_cost
from shared.github.graphql import document_text
from shared.streams.budgets import Window
from tests.github_sandbox import RunningSandbox
from workers.limits import SharedLimits

GENEROUS = {"rest points a minute": Window(900, 60), "content a minute": Window(80, 60)}


@asynccontextmanager
async def _client(
    github: RunningSandbox, redis: Redis, token: InstallationToken, windows: dict[str, Window], concurrent: int = 100
) -> AsyncIterator[GitHubClient]:
    limits = SharedLimits(redis, windows=windows, concurrent=concurrent)
    limits.know(token)
    async with GitHubClient.open(base_url=github.api_base, timeout_seconds=30, gate=limits) as client:
        yield client


@pytest.fixture
def token(github: RunningSandbox, request: pytest.FixtureRequest) -> InstallationToken:
    owner = request.node.name.replace("_", "-")[:39].strip("-")
    installation_id = github.add_organization(owner)
    return InstallationToken(
        token=github.token(installation_id),
        installation_id=InstallationId(installation_id),
        expires_at=utcnow() + timedelta(hours=1),
        minted_at=utcnow(),
        permissions={},
        repository_selection="all",
    )


async def _patiently(call: Callable[[], Awaitable[Any]]) -> list[GitHubLimited]:
    """Calls until it succeeds, as commands are put off; the limits it met on the way."""
    met: list[GitHubLimited] = []
    while True:
        try:
            await call()
        except GitHubLimited as limit:
            met.append(limit)
            await asyncio.sleep(max((limit.retry_at - utcnow()).total_seconds(), 0.01))
        else:
            return met


async def test_four_clients_together_never_make_github_refuse(
    github: RunningSandbox, redis: Redis, token: InstallationToken
) -> None:
    github.ask("PUT", "limits", {"rest_points": 40, "scale": 60})  # 40 points a second
    windows = {"rest points a minute": Window(40, 1.25)}
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(_client(github, redis, token, windows)) for _ in range(4)]
        calls = [
            _patiently(lambda c=client: c.rest("GET", "/installation/repositories", token=token.token))
            for client in clients
            for _ in range(35)
        ]
        met = [limit for limits in await asyncio.gather(*calls) for limit in limits]
    assert met, "140 requests of 40 a second must wait"
    assert {limit.status for limit in met} == {None}  # ours: GitHub was never asked too much


async def test_what_headers_say_is_left_counts_for_everybody(
    github: RunningSandbox, redis: Redis, token: InstallationToken
) -> None:
    github.ask("PUT", "limits", {"primary": 3, "scale": 1800})  # 3 requests in two seconds
    async with (
        _client(github, redis, token, GENEROUS) as one,
        _client(github, redis, token, GENEROUS) as other,
    ):
        for _ in range(3):
            await one.rest("GET", "/installation/repositories", token=token.token)
        with pytest.raises(GitHubLimited, match="used up its core") as limited:
            await other.rest("GET", "/installation/repositories", token=token.token)
        assert limited.value.status is None
        assert utcnow() < limited.value.retry_at < utcnow() + timedelta(seconds=4)


async def test_a_secondary_limit_pauses_the_writing_of_everybody(
    github: RunningSandbox, redis: Redis, token: InstallationToken
) -> None:
    github.ask("POST", "faults", {"match": "/labels", "method": "POST", "kind": "secondary_limit"})
    login = github.ask("GET", "")["installations"]
    owner = next(name for name, number in login.items() if number == token.installation_id)
    github.add_repository(owner, "api")
    async with (
        _client(github, redis, token, GENEROUS) as one,
        _client(github, redis, token, GENEROUS) as other,
    ):
        body = {"name": "a"}
        with pytest.raises(GitHubLimited) as refused:
            await one.rest("POST", f"/repos/{owner}/api/labels", token=token.token, json=body)
        assert refused.value.secondary
        with pytest.raises(GitHubLimited, match="is paused by GitHub") as limited:
            await other.rest("POST", f"/repos/{owner}/api/labels", token=token.token, json=body)
        assert limited.value.status is None
        await other.rest("GET", "/installation/repositories", token=token.token)


async def test_no_more_requests_run_at_once_than_github_allows(
    github: RunningSandbox, redis: Redis, token: InstallationToken
) -> None:
    github.ask("PUT", "limits", {"concurrent": 2, "scale": 60})
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(_client(github, redis, token, GENEROUS, concurrent=2)) for _ in range(3)
        ]
        calls = [
            _patiently(lambda c=client: c.rest("GET", "/installation/repositories", token=token.token))
            for client in clients
            for _ in range(5)
        ]
        met = [limit for limits in await asyncio.gather(*calls) for limit in limits]
    assert {limit.status for limit in met} <= {None}


@pytest.mark.parametrize(
    ("method", "path", "resource", "points", "creates"),
    [
        ("GET", "/repos/a/b/pulls", "core", 1, 0),
        ("POST", "/repos/a/b/pulls", "core", 5, 1),
        ("POST", "/repos/a/b/issues/1/comments", "core", 5, 1),
        ("PATCH", "/repos/a/b/pulls/1", "core", 5, 0),
        ("POST", "/repos/a/b/git/refs", "core", 5, 0),
        ("GET", "/search/repositories?q=x", "search", 1, 0),
        ("GET", "/search/code?q=x", "code_search", 1, 0),
    ],
)
def test_what_a_rest_request_counts_for(method: str, path: str, resource: str, points: int, creates: int) -> None:
    cost = rest_cost(method, f"https://api.github.com{path}")
    assert (cost.resource, cost.points, cost.creates) == (resource, points, creates)


@pytest.mark.parametrize(
    ("document", "points", "creates"),
    [
        ("publish_change", 5, 1),
        ("open_pull_request", 5, 1),
        ("update_pull_request", 5, 0),
        ("list_repositories", 1, 0),
        ("look_at_branch", 1, 0),
    ],
)
def test_what_our_documents_count_for(document: str, points: int, creates: int) -> None:
    cost = graphql_cost(document_text(document))
    assert (cost.resource, cost.points, cost.creates) == ("graphql", points, creates)
