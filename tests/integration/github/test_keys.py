"""The App's keys are replaced at a GitHub that stops to accept one, whatever its clock says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from shared.errors import GitHubUnauthorized
from shared.github.app_auth import AppAuth
from shared.github.client import GitHubClient
from shared.github.key_ring import KeyRing
from shared.github.key_sources import KeyFile
from tests.github_sandbox import RunningSandbox, key_ring, running_sandbox


@pytest.fixture
def github(tmp_path: Path) -> Iterator[RunningSandbox]:
    """A GitHub of the test's own: keys that are deleted do not come back."""
    with running_sandbox(tmp_path / "github") as sandbox:
        yield sandbox


async def test_the_next_key_signs_when_github_accepts_one_no_more(github: RunningSandbox) -> None:
    old, new = github.private_key, github.ask("POST", "app/keys")["pem"]
    async with GitHubClient.open(base_url=github.api_base, timeout_seconds=30) as client:
        app = AppAuth(client, app_id=str(github.app_id), keys=key_ring(old, new))
        await app.get_app()
        github.ask("DELETE", "app/keys")
        with capture_logs() as logs:
            await app.get_app()
        assert [each["event"] for each in logs] == ["github_app_key_in_use"]
        github.ask("DELETE", "counters")
        await app.get_app()
        assert github.ask("GET", "counters") == {"rest GET /app": 1}, "the key that works is tried first"


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_key_and_clock_may_be_wrong_at_once(github: RunningSandbox, minutes: int) -> None:
    old, new = github.private_key, github.ask("POST", "app/keys")["pem"]
    async with GitHubClient.open(base_url=github.api_base, timeout_seconds=30) as client:
        app = AppAuth(client, app_id=str(github.app_id), keys=key_ring(old, new))
        github.ask("PATCH", "settings", {"clock_skew_seconds": minutes * 60})
        github.ask("DELETE", "app/keys")
        await app.get_app()
        github.ask("DELETE", "counters")
        await app.get_app()
        assert github.ask("GET", "counters") == {"rest GET /app": 1}


async def test_each_key_is_tried_once_and_all_are_named_where_none_is_accepted(github: RunningSandbox) -> None:
    keys = [github.private_key, github.ask("POST", "app/keys")["pem"]]
    fingerprints = github.ask("GET", "app/keys")["fingerprints"]
    github.ask("POST", "app/keys")
    github.ask("DELETE", "app/keys")
    async with GitHubClient.open(base_url=github.api_base, timeout_seconds=30) as client:
        app = AppAuth(client, app_id=str(github.app_id), keys=key_ring(*keys))
        github.ask("DELETE", "counters")
        with pytest.raises(GitHubUnauthorized, match="OCTOBATCH_GITHUB_APP_PRIVATE_KEY") as caught:
            await app.get_app()
        assert github.ask("GET", "counters") == {"rest GET /app": 2}
        assert all(each in str(caught.value) for each in fingerprints)


async def test_an_app_that_has_no_key_at_github_any_more_says_so(github: RunningSandbox) -> None:
    [only] = github.ask("GET", "app/keys")["fingerprints"]
    github.ask("DELETE", f"app/keys/{only}")
    async with GitHubClient.open(base_url=github.api_base, timeout_seconds=30) as client:
        app = AppAuth(client, app_id=str(github.app_id), keys=key_ring(github.private_key))
        with pytest.raises(GitHubUnauthorized, match="Integration must generate a public key"):
            await app.get_app()


async def test_a_key_put_into_the_file_is_used_without_a_restart(github: RunningSandbox, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text(github.private_key)
    async with GitHubClient.open(base_url=github.api_base, timeout_seconds=30) as client:
        app = AppAuth(client, app_id=str(github.app_id), keys=KeyRing(KeyFile(path).signers))
        await app.get_app()
        new = github.ask("POST", "app/keys")["pem"]
        github.ask("DELETE", "app/keys")
        with pytest.raises(GitHubUnauthorized):
            await app.get_app()
        path.write_text(new)
        await app.get_app()
