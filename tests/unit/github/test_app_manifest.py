"""What GitHub is asked to make, and where."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from shared.domain.permissions import EXPECTED
from shared.errors import GitHubInvalid, GitHubNotFound, GitHubUnavailable
from shared.github.addresses import addresses_of
from shared.github.app_manifest import AppPlan, convert, registration_url
from shared.github.client import GitHubClient
from shared.github.webhooks import SUBSCRIPTIONS, changed_repositories, service_for

PEM, SECRET = "-----BEGIN RSA PRIVATE KEY-----", "a webhook secret"


def _plan(**changes: Any) -> AppPlan:
    facts: dict[str, Any] = {
        "name": "Octobatch acme",
        "organization": "acme",
        "homepage": "https://octobatch.example",
        "webhook_url": "https://octobatch.example/webhooks/github",
        "permissions": EXPECTED,
        "events": SUBSCRIPTIONS,
    }
    return AppPlan(**{**facts, **changes})


def test_the_manifest_asks_for_what_is_needed_and_no_more() -> None:
    assert _plan().manifest("http://127.0.0.1:8700/callback") == {
        "name": "Octobatch acme",
        "url": "https://octobatch.example",
        "redirect_url": "http://127.0.0.1:8700/callback",
        "public": False,
        "hook_attributes": {"url": "https://octobatch.example/webhooks/github", "active": True},
        "default_permissions": {
            "checks": "read",
            "contents": "write",
            "members": "read",
            "metadata": "read",
            "pull_requests": "write",
        },
        "default_events": ["check_suite", "pull_request", "pull_request_review", "push", "repository"],
    }


def test_without_a_webhook_it_asks_for_no_events() -> None:
    assert not {"hook_attributes", "default_events"} & set(_plan(webhook_url=None).manifest("http://127.0.0.1:1/"))


def test_every_event_that_is_subscribed_to_is_handled() -> None:
    repository = {"node_id": "R_1", "default_branch": "main"}
    payload = {"repository": repository, "ref": "refs/heads/main"}
    assert all(service_for(event) or changed_repositories(event, payload) for event in SUBSCRIPTIONS)


@pytest.mark.parametrize(
    ("api_base", "organization", "address"),
    [
        ("https://api.github.com", "acme", "https://github.com/organizations/acme/settings/apps/new"),
        ("https://api.github.com", None, "https://github.com/settings/apps/new"),
        ("https://git.acme.com/api/v3", "a/b", "https://git.acme.com/organizations/a%2Fb/settings/apps/new"),
    ],
)
def test_the_manifest_goes_to_the_settings_of_its_owner(api_base: str, organization: str | None, address: str) -> None:
    found = registration_url(addresses_of(api_base), _plan(organization=organization), state="s&t")
    assert found == f"{address}?state=s%26t"


async def _convert(answer: httpx.Response, asked: list[httpx.Request]) -> Any:
    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
        return await convert(GitHubClient(http, "https://git.acme.com"), "the/code")


async def test_a_code_is_exchanged_by_who_has_not_signed_in_yet() -> None:
    facts = {
        "id": 7,
        "client_id": "Iv23",
        "name": "Octobatch acme",
        "owner": {"login": "acme"},
        "html_url": "https://git.acme.com/github-apps/octobatch-acme",
        "pem": PEM,
        "webhook_secret": SECRET,
    }
    asked: list[httpx.Request] = []
    made = await _convert(httpx.Response(201, json=facts), asked)
    (request,) = asked
    assert (request.method, request.url.raw_path) == ("POST", b"/api/v3/app-manifests/the%2Fcode/conversions")
    assert "authorization" not in request.headers
    assert (made.app_id, made.private_key, made.webhook_secret) == ("7", PEM, SECRET)
    assert made.install_url == "https://git.acme.com/github-apps/octobatch-acme/installations/new"
    assert PEM not in repr(made)
    assert SECRET not in repr(made)


@pytest.mark.parametrize(("status", "error"), [(404, GitHubNotFound), (422, GitHubInvalid), (500, GitHubUnavailable)])
async def test_a_code_that_is_not_taken_is_told_by_what_it_means(status: int, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        await _convert(httpx.Response(status, json={"message": "No"}), [])
    assert "the/code" not in str(raised.value)
