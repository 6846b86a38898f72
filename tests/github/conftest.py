"""The GitHub that tokens are minted at: the sandbox always, GitHub itself where credentials of a test App are set."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from shared.domain.ids import InstallationId
from shared.github.app_auth import AppAuth
from shared.github.client import GitHubClient
from tests.github_sandbox import RunningSandbox, key_ring

PREFIX = "OCTOBATCH_TEST_GITHUB_"
NAMES = ("APP_ID", "PRIVATE_KEY", "INSTALLATION_ID")


@dataclass(frozen=True, kw_only=True)
class TestApp:
    """An App whose installation has at least one repository, and where it is."""

    __test__ = False

    api_base: str
    app_id: str
    private_key: str = field(repr=False)
    installation_id: InstallationId


def given(name: str) -> str | None:
    """The value of `OCTOBATCH_TEST_GITHUB_<name>`, or what is in the file that `…_FILE` names."""
    file = os.environ.get(f"{PREFIX}{name}_FILE")
    return Path(file).read_text() if file else os.environ.get(f"{PREFIX}{name}") or None


def app_of_environment() -> TestApp:
    """The test App at GitHub itself. Skips where nothing is set of it; fails where only a part is."""
    values = {name: given(name) for name in NAMES}
    missing = ", ".join(f"{PREFIX}{name}" for name, value in values.items() if not value)
    if not any(values.values()):
        pytest.skip(f"needs a test App at GitHub itself ({missing}): see docs/github-app.md")
    if missing:
        pytest.fail(f"the test App is not told of completely, missing: {missing}")
    return TestApp(
        api_base=given("API_BASE") or "https://api.github.com",
        app_id=str(values["APP_ID"]),
        private_key=str(values["PRIVATE_KEY"]),
        installation_id=InstallationId(int(str(values["INSTALLATION_ID"]))),
    )


def app_of_sandbox(github: RunningSandbox) -> TestApp:
    """The sandbox's App, on an organisation with two repositories."""
    login = f"org-{uuid4().hex[:12]}"
    installation_id = github.add_organization(login)
    for name in ("one", "two"):
        github.add_repository(login, name)
    return TestApp(
        api_base=github.api_base,
        app_id=str(github.app_id),
        private_key=github.private_key,
        installation_id=InstallationId(installation_id),
    )


@pytest.fixture(params=["sandbox", "github"])
def test_app(request: pytest.FixtureRequest) -> TestApp:
    """The App at the sandbox, and at GitHub itself."""
    if request.param == "github":
        return app_of_environment()
    return app_of_sandbox(request.getfixturevalue("github"))


@pytest.fixture
async def client(test_app: TestApp) -> AsyncIterator[GitHubClient]:
    """Octobatch's own client of that GitHub."""
    async with GitHubClient.open(base_url=test_app.api_base, timeout_seconds=30) as client:
        yield client


@pytest.fixture
def app(client: GitHubClient, test_app: TestApp) -> AppAuth:
    """The App, as the tokens worker is it."""
    return AppAuth(client, app_id=test_app.app_id, keys=key_ring(test_app.private_key))
