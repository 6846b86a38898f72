"""Whether GitHub can be reached is found out by a request that nobody has to sign in for, and seldom."""

from __future__ import annotations

from pathlib import Path

from sandbox.embedded.servers import free_port
from shared.github.reach import open_github_check
from shared.settings import Settings
from tests.github_sandbox import RunningSandbox


def settings_of(api_base: str) -> Settings:
    return Settings(
        postgres_dsn="postgresql://nowhere/none",  # type: ignore[arg-type]
        redis_url="redis://nowhere/0",  # type: ignore[arg-type]
        blobstore_url=Path("/nowhere").as_uri(),
        github_api_base=api_base,
    )


async def test_github_is_asked_once_however_often_it_is_probed(github: RunningSandbox) -> None:
    async with open_github_check(settings_of(github.api_base)) as check:
        answers = [await check.answer() for _ in range(10)]
    assert {(each.name, each.is_healthy, each.detail) for each in answers} == {("github", True, "")}
    assert github.ask("GET", "counters") == {"rest GET /rate_limit": 1}


async def test_a_github_that_wants_to_know_who_asks_is_there(github: RunningSandbox) -> None:
    github.ask("PATCH", "settings", {"private_mode": True})
    async with open_github_check(settings_of(github.api_base)) as check:
        assert (await check.answer()).is_healthy


async def test_a_github_that_fails_or_is_away_says_so(github: RunningSandbox) -> None:
    github.ask("PUT", "faults", [{"kind": "status", "status": 502, "surface": "rest"}])
    async with open_github_check(settings_of(github.api_base)) as check:
        failing = await check.answer()
    async with open_github_check(settings_of(f"http://127.0.0.1:{free_port()}")) as check:
        away = await check.answer()
    assert (failing.is_healthy, failing.detail) == (False, f"{github.api_base}/rate_limit answered 502")
    assert not away.is_healthy
    assert "connect" in away.detail.lower()
