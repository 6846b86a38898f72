"""Installations that change on GitHub, as their operator sees it; and a campaign that only reads."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from cli.failures import ExitCode
from tests.acceptance.conftest import RunningStack


def until(condition: Callable[[], Any], *, seconds: float = 20) -> Any:
    """What the condition gives once it holds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "did not come true"
        time.sleep(0.05)
    return found


@pytest.fixture
def installation(stack: RunningStack) -> Iterator[dict[str, Any]]:
    """The one installation, which is as expected; so it is at the end."""
    [found] = until(lambda: stack.api("GET", "/v1/installations")["items"])
    assert (found["missing"], found["excessive"]) == ({}, {})
    yield found
    change(stack, found, permissions=found["permissions"], suspended=False)
    until(lambda: not any(installation_now(stack, found)[trouble] for trouble in ("missing", "suspended_at")))


def change(stack: RunningStack, installation: dict[str, Any], **body: Any) -> None:
    """As the account's owner does it on GitHub."""
    address = f"{stack.stack.github_url}/_sandbox/installations/{installation['id']}"
    httpx.patch(address, json=body).raise_for_status()


def installation_now(stack: RunningStack, installation: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stack.api("GET", f"/v1/installations/{installation['id']}")
    return found


def test_a_permission_that_is_taken_away_is_told_everywhere(stack: RunningStack, installation: dict[str, Any]) -> None:
    change(stack, installation, permissions={**installation["permissions"], "pull_requests": "read"})
    until(lambda: installation_now(stack, installation)["missing"] == {"pull_requests": "write"})  # by the webhook

    assert installation_now(stack, installation)["webhook_url"] == f"{stack.stack.url}/webhooks/github"
    checks = {each["name"]: each for each in stack.api("GET", "/healthz")["checks"]}
    assert checks["installations"]["detail"] == "acme lacks pull_requests: write"
    assert checks["installations"]["is_healthy"]
    listed = stack.octobatch("installations")
    assert "lacks pull_requests: write" in listed.stdout, listed.stderr
    [newest, *_] = json.loads(stack.octobatch("installations", "events", str(installation["id"]), "-o", "json").stdout)
    assert (newest["type"], newest["details"]["missing"]) == ("drifted", {"pull_requests": "write"})
    synced = stack.octobatch("installations", "sync")
    assert synced.stderr.strip() == "1 installations, 0 changes"
    shown = stack.octobatch("installations", "show", str(installation["id"]))
    assert "acme (Organization)" in shown.stdout


def test_events_come_in_pages_and_an_unknown_installation_is_said(
    stack: RunningStack, installation: dict[str, Any]
) -> None:
    change(stack, installation, suspended=True)
    until(lambda: installation_now(stack, installation)["suspended_at"])
    first = stack.api("GET", f"/v1/installations/{installation['id']}/events", params={"limit": 1})
    assert [each["type"] for each in first["items"]] == ["suspended"]
    rest = stack.api("GET", f"/v1/installations/{installation['id']}/events", params={"cursor": first["next_cursor"]})
    assert rest["items"][-1]["type"] == "installed"
    unknown = stack.octobatch("installations", "show", "12")
    assert unknown.returncode == ExitCode.BAD_INPUT
    assert "there is no installation 12" in unknown.stderr


def test_an_index_is_listed_anew_by_command_line(stack: RunningStack, installation: dict[str, Any]) -> None:
    began = datetime.now(UTC)
    refreshed = stack.octobatch("installations", "index", str(installation["id"]), "--refresh", "-o", "json")
    index = json.loads(refreshed.stdout)
    assert datetime.fromisoformat(index["completed_at"]) > began
    assert index["repositories"] > 0
    [listed] = stack.api("GET", "/v1/installations/indexes")["items"]
    assert {**listed, "age_seconds": None} == {**index, "age_seconds": None, "swept_at": listed["swept_at"]}


def test_a_preview_takes_only_tokens_that_read_and_publishes_nothing(stack: RunningStack, spec: Path) -> None:
    before = asyncio.run(granted(stack))
    previewed = stack.octobatch("preview", "-f", str(spec))
    assert previewed.returncode == 0, previewed.stderr
    during = asyncio.run(granted(stack))[len(before) :]
    assert during, "a preview reads with tokens"
    assert {level for permissions in during for level in permissions.values()} == {"read"}
    assert stack.pull_requests(spec.stem) == []


POLICY = """version: 1
policies:
  - name: probing
    principals: [{apiKey: bootstrap}]
    installations: [acme]
    permissions: {contents: write}
"""


def test_a_scope_is_asked_about_and_probed_by_command_line(stack: RunningStack, installation: dict[str, Any]) -> None:
    question = ("tokens", "dry-run", str(installation["id"]), "-p", "contents=write", "-r", "service-1", "--probe")
    refused = stack.octobatch(*question, "-o", "json")
    assert refused.returncode == ExitCode.FAILED
    assert "trust polic" in json.loads(refused.stdout)["probe"]["detail"]
    stack.api("PUT", "/v1/policies", json={"document": POLICY})
    try:
        allowed = stack.octobatch(*question)
        change(stack, installation, permissions={**installation["permissions"], "contents": "read"})
        lacking = stack.octobatch(*question)
    finally:
        headers = {"Authorization": f"Bearer {stack.folder.api_key()}"}
        httpx.delete(f"{stack.stack.url}/v1/policies/probing", headers=headers).raise_for_status()
    assert allowed.returncode == 0, allowed.stderr
    assert "GitHub gave contents: write, metadata: read, and the token is revoked" in allowed.stdout
    assert lacking.returncode == ExitCode.FAILED
    assert "an owner of acme accepts the App's new permissions" in lacking.stdout
    wrong = stack.octobatch("tokens", "dry-run", str(installation["id"]), "-p", "contents")
    assert wrong.returncode == ExitCode.BAD_INPUT
    assert "RESOURCE=LEVEL" in wrong.stderr


async def granted(stack: RunningStack) -> list[dict[str, str]]:
    """The permissions of each token that was granted, oldest first."""
    conn = await asyncpg.connect(stack.stack.postgres.dsn())
    try:
        rows = await conn.fetch("SELECT permissions FROM token_audit WHERE kind = 'grant' ORDER BY id")
    finally:
        await conn.close()
    return [json.loads(row["permissions"]) for row in rows]
