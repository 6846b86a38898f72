"""Limits are GitHub's documented ones, and faults happen as often and where they were asked for."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from tests.github_sandbox import RunningSandbox
from tests.integration.sandbox.conftest import Organization

VIEWER = {"query": "query Who { viewer { login } }"}


def _graphql(org: Organization, body: Any = None) -> httpx.Response:
    return org.rest.post(org.github.graphql_url, json=body or VIEWER)


def test_without_limits_there_are_no_headers_and_nothing_to_ask(org: Organization) -> None:
    answer = org.rest.get("installation/repositories")
    assert "x-ratelimit-limit" not in answer.headers
    assert org.ask("GET", "rate_limit", 404)["message"] == "Rate limiting is not enabled."


def test_the_primary_limit_grows_with_the_repositories_to_its_cap(org: Organization) -> None:
    for count, limit in ((0, 5_000), (120, 10_000), (500, 12_500)):
        if count:
            body = {"owner": org.login, "count": count, "prefix": f"r{count}"}
            org.github.ask("POST", "repositories", body)
        org.github.ask("PUT", "limits", {})
        assert org.ask("GET", "rate_limit")["resources"]["core"]["limit"] == limit


def test_over_the_primary_limit_nothing_is_left_until_the_reset(org: Organization) -> None:
    org.github.ask("PUT", "limits", {"primary": 3, "scale": 1800})
    answers = [org.rest.get("installation/repositories") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 403]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[3].json()["message"].startswith("API rate limit exceeded for installation ID")
    assert "retry-after" not in answers[3].headers
    reset = int(answers[3].headers["x-ratelimit-reset"])
    assert reset <= time.time() + 3
    while time.time() < reset + 1:  # an hour is two seconds here
        time.sleep(0.05)
    assert org.rest.get("installation/repositories").status_code == 200


def test_an_unchanged_answer_costs_nothing(org: Organization) -> None:
    org.github.ask("PUT", "limits", {"primary": 5})
    first = org.rest.get("installation/repositories")
    again = org.rest.get("installation/repositories", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["x-ratelimit-remaining"] == first.headers["x-ratelimit-remaining"]
    used = [org.ask("GET", "rate_limit")["resources"]["core"]["used"] for _ in range(2)]
    assert used == [1, 1]  # nor does it cost anything to ask


def test_writes_cost_five_points_of_the_secondary_limit(org: Organization) -> None:
    head = org.repository()["head"]
    org.github.ask("PUT", "limits", {"rest_points": 12, "scale": 60})
    org.branch("api", "a", head)
    org.branch("api", "b", head)
    body = {"ref": "refs/heads/c", "sha": head}
    refused = org.rest.post(f"repos/{org.login}/api/git/refs", json=body)
    assert refused.status_code == 403
    assert "secondary rate limit" in refused.json()["message"]
    assert refused.headers["retry-after"] == "1"


def test_content_is_created_only_so_often_in_rest_and_graphql_together(org: Organization) -> None:
    org.repository()
    pull = org.pull()
    org.github.ask("PUT", "limits", {"content_per_minute": 2})
    org.ask("POST", f"repos/{org.login}/api/issues/1/comments", 201, json={"body": "One"})
    document = "mutation M($input: AddCommentInput!) { addComment(input: $input) { subject { id } } }"
    body = {"query": document, "variables": {"input": {"subjectId": pull["node_id"], "body": "More"}}}
    assert _graphql(org, body).json()["data"]["addComment"]["subject"]["id"] == pull["node_id"]
    refused = _graphql(org, body)
    assert refused.status_code == 403
    assert int(refused.headers["retry-after"]) <= 60
    org.ask("POST", f"repos/{org.login}/api/issues/1/comments", 403, json={"body": "Three"})
    org.ask("GET", f"repos/{org.login}/api")


def test_over_the_graphql_limit_the_answer_has_status_200(org: Organization) -> None:
    org.github.ask("PUT", "limits", {"primary": 1})
    assert _graphql(org).headers["x-ratelimit-resource"] == "graphql"
    refused = _graphql(org)
    assert refused.status_code == 200
    assert refused.json()["errors"][0]["type"] == "RATE_LIMITED"
    assert refused.headers["x-ratelimit-remaining"] == "0"


async def test_more_than_so_many_at_once_are_refused(org: Organization) -> None:
    org.github.ask("PUT", "limits", {"concurrent": 2})
    document = {"query": "query Slowly { viewer { login } }"}
    headers = dict(org.rest.headers)
    async with httpx.AsyncClient(headers=headers, limits=httpx.Limits(max_connections=200)) as http:
        path = f"{org.github.graphql_url}"
        answers = await asyncio.gather(*(http.post(path, json=document) for _ in range(150)))
    assert {answer.status_code for answer in answers} <= {200, 403}
    assert sum(answer.status_code == 200 for answer in answers) >= 2


def test_one_installations_use_does_not_limit_another(github: RunningSandbox, org: Organization) -> None:
    other = github.add_organization(f"{org.login}-other")
    token = github.token(other)
    github.ask("PUT", "limits", {"primary": 1})
    org.ask("GET", "installation/repositories")
    org.ask("GET", "installation/repositories", 403)
    with github.client(token) as rest:
        assert rest.get("installation/repositories").status_code == 200


def test_a_fault_happens_so_often_and_then_no_more(org: Organization) -> None:
    org.github.ask("POST", "faults", {"kind": "status", "status": 502, "surface": "rest", "count": 2, "skip": 1})
    statuses = [org.rest.get("installation/repositories").status_code for _ in range(5)]
    assert statuses == [200, 502, 502, 200, 200]
    assert org.github.ask("GET", "faults")[0]["fired"] == 2


@pytest.mark.parametrize("retry_after", [None, 7])
def test_too_many_requests_with_and_without_a_time(org: Organization, retry_after: int | None) -> None:
    org.github.ask("POST", "faults", {"kind": "secondary_limit", "status": 429, "retry_after": retry_after})
    refused = org.rest.get("installation/repositories")
    assert refused.status_code == 429
    assert refused.headers.get("retry-after") == (None if retry_after is None else "7")
    assert "secondary rate limit" in refused.json()["message"]


def test_a_graphql_error_comes_with_status_200_for_the_document_it_is_for(org: Organization) -> None:
    fault = {"kind": "graphql_error", "surface": "graphql", "match": "query Who", "type": "INTERNAL", "message": "Oh"}
    org.github.ask("POST", "faults", fault)
    assert _graphql(org, {"query": "query Other { viewer { login } }"}).json()["data"]["viewer"]
    failed = _graphql(org)
    assert (failed.status_code, failed.json()["errors"]) == (200, [{"type": "INTERNAL", "message": "Oh"}])


def test_a_slow_answer_takes_its_time(org: Organization) -> None:
    org.github.ask("POST", "faults", {"kind": "slow", "seconds": 0.5})
    begun = time.monotonic()
    org.ask("GET", "installation/repositories")
    assert time.monotonic() - begun >= 0.5


def test_a_dropped_connection_after_the_effect_loses_only_the_answer(org: Organization) -> None:
    head = org.repository()["head"]
    org.github.ask("POST", "faults", {"kind": "drop", "method": "POST", "when": "after"})
    with pytest.raises(httpx.TransportError):
        org.rest.post(f"repos/{org.login}/api/git/refs", json={"ref": "refs/heads/x", "sha": head})
    assert org.ask("GET", f"repos/{org.login}/api/git/ref/heads/x")["object"]["sha"] == head


def test_a_dropped_connection_before_the_effect_does_nothing(org: Organization) -> None:
    head = org.repository()["head"]
    org.github.ask("POST", "faults", {"kind": "drop", "method": "POST"})
    with pytest.raises(httpx.TransportError):
        org.rest.post(f"repos/{org.login}/api/git/refs", json={"ref": "refs/heads/x", "sha": head})
    org.ask("GET", f"repos/{org.login}/api/git/ref/heads/x", 404)


def test_requests_are_counted_by_kind(github: RunningSandbox, org: Organization) -> None:
    github.ask("DELETE", "counters")
    org.ask("GET", "installation/repositories")
    _graphql(org)
    counted = github.ask("GET", "counters")
    assert (counted["graphql"], counted["rest GET /installation/repositories"]) == (1, 1)


@pytest.mark.parametrize("status", [200, 502])
def test_queries_for_too_much_at_once_are_not_answered_in_time(org: Organization, status: int) -> None:
    fault = {"kind": "timeout", "surface": "graphql", "larger_than": 50, "status": status, "count": None}
    org.github.ask("POST", "faults", fault)
    query = """query List($owner: String!, $first: Int!) {
      organization(login: $owner) { repositories(first: $first) { totalCount nodes { id } } } }"""
    for size, is_answered in ((50, True), (51, False)):
        answer = _graphql(org, {"query": query, "variables": {"owner": org.login, "first": size}})
        assert bool(answer.json()["data"]) == is_answered
        assert answer.status_code == (200 if is_answered else status)
    assert answer.json()["errors"][0]["message"].startswith("Something went wrong while executing your query.")


def test_a_search_of_code_can_be_incomplete(org: Organization) -> None:
    org.github.ask("POST", "faults", {"kind": "incomplete_results", "surface": "rest", "match": "/search/code"})
    parameters = {"q": f"README org:{org.login}"}
    assert org.ask("GET", "search/code", params=parameters)["incomplete_results"]
    assert not org.ask("GET", "search/code", params=parameters)["incomplete_results"]


def test_code_is_searched_nine_times_a_minute(org: Organization) -> None:
    org.github.ask("PUT", "limits", {})
    parameters = {"q": f"README org:{org.login}"}
    answers = [org.rest.get("search/code", params=parameters) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 9 + [403]
    assert answers[-1].headers["x-ratelimit-resource"] == "code_search"
