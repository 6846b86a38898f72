"""Each thing that can be wrong with the App is told in a line of its own, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sandbox.github.first_start import EVENTS, PERMISSIONS
from shared.domain.app_check import CheckLine
from shared.domain.permissions import EXPECTED, parse_permissions
from shared.github.app_auth import AppAuth
from shared.github.app_check import check_app
from shared.github.client import GitHubClient
from shared.github.webhooks import SUBSCRIPTIONS
from tests.github_sandbox import RunningSandbox, key_ring, running_sandbox
from tests.integration.sandbox.receiver import Receiver, receiving

GRANTED = parse_permissions(PERMISSIONS)
OWNER = "installation octo-org"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Where webhooks of the App go."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def github(tmp_path: Path, receiver: Receiver) -> Iterator[RunningSandbox]:
    """A sandbox of this test's own, whose App is checked whole."""
    with running_sandbox(tmp_path / "github", webhook_url=receiver.url) as github:
        yield github


@pytest.fixture
async def client(github: RunningSandbox) -> AsyncIterator[GitHubClient]:
    async with GitHubClient.open(base_url=github.api_base, timeout_seconds=30) as client:
        yield client


@pytest.fixture
def app(github: RunningSandbox, client: GitHubClient) -> AppAuth:
    return AppAuth(client, app_id=str(github.app_id), keys=key_ring(github.private_key))


async def _check(app: AppAuth, receiver: Receiver) -> dict[str, CheckLine]:
    lines = await check_app(app, expected=GRANTED, webhook_url=receiver.url)
    return {line.name: line for line in lines}


def _wrong(lines: dict[str, CheckLine]) -> list[str]:
    assert all(bool(line.advice) is not line.ok for line in lines.values()), lines
    return [name for name, line in lines.items() if not line.ok]


async def test_an_app_that_is_set_up_right_has_no_line_that_is_wrong(app: AppAuth, receiver: Receiver) -> None:
    lines = await _check(app, receiver)
    assert _wrong(lines) == []
    assert list(lines) == ["server", "clock", "key", "permissions", "events", "webhook", "deliveries", OWNER]


async def test_the_token_that_was_minted_to_see_whether_it_works_is_revoked(
    app: AppAuth, receiver: Receiver, github: RunningSandbox
) -> None:
    before = github.ask("GET", "")["tokens"]
    assert _wrong(await _check(app, receiver)) == []
    assert github.ask("GET", "")["tokens"] == before


async def test_a_suspended_installation_is_told(app: AppAuth, receiver: Receiver, github: RunningSandbox) -> None:
    github.ask("PATCH", f"installations/{github.installation_id('octo-org')}", {"suspended": True})
    lines = await _check(app, receiver)
    assert _wrong(lines) == [OWNER]
    assert "suspended since" in lines[OWNER].detail


async def test_what_an_installation_lacks_and_has_too_much_is_told(
    app: AppAuth, receiver: Receiver, github: RunningSandbox
) -> None:
    granted = {**PERMISSIONS, "contents": "read", "secrets": "write"}
    installation_id = github.add_organization("other")
    github.ask("PATCH", f"installations/{installation_id}", {"permissions": granted})
    lines = await _check(app, receiver)
    assert _wrong(lines) == ["installation other"]
    assert "missing contents:write; more than expected secrets:write" in lines["installation other"].detail


async def test_what_the_app_itself_asks_for_beyond_what_is_expected_is_told(app: AppAuth, receiver: Receiver) -> None:
    lines = {each.name: each for each in await check_app(app, expected=EXPECTED, webhook_url=receiver.url)}
    assert _wrong(lines) == ["permissions", OWNER]
    assert "more than expected administration:read,issues:write" in lines["permissions"].detail


async def test_a_key_that_is_not_the_apps_is_told_and_nothing_that_needs_one(
    client: GitHubClient, receiver: Receiver, github: RunningSandbox
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    lines = await _check(AppAuth(client, app_id=str(github.app_id), keys=key_ring(pem)), receiver)
    assert _wrong(lines) == ["key"]
    assert list(lines) == ["server", "clock", "key"]


@pytest.mark.parametrize(("skew", "direction"), [(600, "behind"), (-600, "ahead")])
async def test_a_clock_ten_minutes_off_is_told_and_the_rest_works_all_the_same(
    app: AppAuth, receiver: Receiver, github: RunningSandbox, skew: int, direction: str
) -> None:
    github.ask("PATCH", "settings", {"clock_skew_seconds": skew})
    lines = await _check(app, receiver)
    assert _wrong(lines) == ["clock"]
    assert re.search(rf"is (9 min 5\d|10 min \d) s {direction}", lines["clock"].detail)


@pytest.mark.parametrize(("status", "advice"), [(401, "secret differs"), (404, "not the gateway"), (500, "log")])
async def test_a_webhook_that_fails_is_told_with_what_it_was_answered(
    app: AppAuth, receiver: Receiver, github: RunningSandbox, status: int, advice: str
) -> None:
    receiver.answer = status
    github.add_organization("other")  # an event
    github.ask("POST", "webhooks/settle")
    lines = await _check(app, receiver)
    assert _wrong(lines) == ["deliveries"]
    assert f"answered with {status}" in lines["deliveries"].detail
    assert advice in lines["deliveries"].advice
    receiver.answer = 202
    github.add_organization("another")
    github.ask("POST", "webhooks/settle")
    assert _wrong(await _check(app, receiver)) == []


async def test_a_webhook_that_leads_elsewhere_is_told_with_both_addresses(app: AppAuth, receiver: Receiver) -> None:
    expected = "https://octobatch.example/webhooks/github"
    lines = {each.name: each for each in await check_app(app, expected=GRANTED, webhook_url=expected)}
    assert _wrong(lines) == ["webhook"]
    assert receiver.url in lines["webhook"].detail
    assert expected in lines["webhook"].detail


async def test_no_webhook_is_right_only_where_github_could_not_reach_one(
    app: AppAuth, receiver: Receiver, github: RunningSandbox
) -> None:
    github.ask("PATCH", "settings", {"webhook_url": ""})
    assert _wrong(await _check(app, receiver)) == []
    expected = "https://octobatch.example/webhooks/github"
    lines = {each.name: each for each in await check_app(app, expected=GRANTED, webhook_url=expected)}
    assert _wrong(lines) == ["webhook"]


async def test_an_app_that_is_installed_nowhere_is_told_with_the_page_to_install_it(
    app: AppAuth, receiver: Receiver, github: RunningSandbox
) -> None:
    github.ask("DELETE", f"installations/{github.installation_id('octo-org')}")
    lines = await _check(app, receiver)
    assert _wrong(lines) == ["installations"]
    assert f"{github.url}/apps/octobatch/installations/new" in lines["installations"].advice


async def test_a_server_that_is_no_github_is_told_and_nothing_is_sent_to_it(
    github: RunningSandbox, receiver: Receiver
) -> None:
    async with GitHubClient.open(base_url=receiver.url, timeout_seconds=5) as elsewhere:
        app = AppAuth(elsewhere, app_id="1", keys=key_ring(github.private_key))
        lines = await _check(app, receiver)
    assert list(lines) == _wrong(lines) == ["server"]


def test_the_sandbox_has_the_events_that_an_app_subscribes_to() -> None:
    assert set(SUBSCRIPTIONS) <= set(EVENTS)
