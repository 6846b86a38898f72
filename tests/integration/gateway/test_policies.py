"""Trust policies over HTTP: applied, shown, tested, deleted, and each act in the audit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from shared.domain.ids import InstallationId
from shared.domain.installation import Installation
from shared.domain.permissions import Level
from shared.postgres.installations import store_installations
from shared.postgres.pool import Pool

BOTS = """
  - name: release-bots
    principals: [{apiKey: "ci-.*"}]
    installations: [acme]
    repositories: ["acme/svc-.*"]
    permissions: {contents: read, pull_requests: write}
"""
READERS = """
  - name: readers
    principals: [{issuer: "https://issuer.example", subject: "repo:acme/.*", claims: {private: true}}]
    installations: [".*"]
    permissions: {contents: read}
"""


def document(*policies: str) -> str:
    return f"version: 1\npolicies:{''.join(policies) or ' []'}\n"


async def apply(client: httpx.AsyncClient, *policies: str, **how: bool) -> dict[str, Any]:
    answer = await client.put("/v1/policies", json={"document": document(*policies), **how})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def names(client: httpx.AsyncClient) -> list[str]:
    return [each["name"] for each in (await client.get("/v1/policies")).json()["items"]]


@pytest.fixture
async def installation(pool: Pool) -> Installation:
    installation = Installation(
        id=InstallationId(7),
        account="Acme",
        account_type="Organization",
        repository_selection="all",
        permissions={"metadata": Level.READ, "contents": Level.READ, "pull_requests": Level.READ},
        suspended_at=None,
        updated_at=datetime.now(UTC),
    )
    async with pool.acquire() as conn, conn.transaction():
        await store_installations(conn, [installation], since={})
    return installation


async def test_a_document_is_applied_and_shown_as_it_was_written(client: httpx.AsyncClient) -> None:
    changes = await apply(client, BOTS, READERS)
    assert changes == {
        "dry_run": False,
        "added": ["release-bots", "readers"],
        "changed": [],
        "removed": [],
        "unchanged": [],
    }
    shown = (await client.get("/v1/policies/release-bots")).json()
    assert shown["updated_by"] == "key:bootstrap"
    assert shown["policy"] == {
        "name": "release-bots",
        "principals": [{"apiKey": "ci-.*"}],
        "installations": ["acme"],
        "repositories": ["acme/svc-.*"],
        "permissions": {"contents": "read", "pull_requests": "write"},
    }


async def test_a_dry_run_says_what_would_change_and_changes_nothing(client: httpx.AsyncClient, pool: Pool) -> None:
    await apply(client, BOTS)
    more = BOTS.replace("contents: read", "contents: write")
    changes = await apply(client, READERS, dry_run=True, prune=True)
    assert (changes["added"], changes["removed"]) == (["readers"], ["release-bots"])
    assert (await apply(client, more, READERS, dry_run=True))["changed"] == ["release-bots"]
    assert (await apply(client, BOTS, dry_run=True))["unchanged"] == ["release-bots"]
    assert await names(client) == ["release-bots"]
    assert await pool.fetchval("SELECT count(*) FROM audit WHERE method IS NULL") == 1


async def test_what_a_document_does_not_have_follows_it_and_is_removed_by_prune_alone(
    client: httpx.AsyncClient,
) -> None:
    await apply(client, BOTS)
    assert (await apply(client, READERS))["removed"] == []
    assert await names(client) == ["readers", "release-bots"]
    assert (await apply(client, BOTS, prune=True))["removed"] == ["readers"]
    assert await names(client) == ["release-bots"]
    assert (await apply(client, prune=True))["removed"] == ["release-bots"]
    assert await names(client) == []


async def test_a_policy_that_stays_as_it_is_keeps_its_time(client: httpx.AsyncClient) -> None:
    await apply(client, BOTS, READERS)
    before = {each["name"]: each["updated_at"] for each in (await client.get("/v1/policies")).json()["items"]}
    await apply(client, BOTS.replace("contents: read", "contents: write"), READERS)
    after = {each["name"]: each["updated_at"] for each in (await client.get("/v1/policies")).json()["items"]}
    assert after["readers"] == before["readers"]
    assert after["release-bots"] > before["release-bots"]


async def test_each_act_is_in_the_audit(client: httpx.AsyncClient) -> None:
    await apply(client, BOTS)
    assert (await client.delete("/v1/policies/release-bots")).status_code == 204
    assert (await client.get("/v1/policies/release-bots")).status_code == 404
    assert (await client.delete("/v1/policies/release-bots")).status_code == 404
    deleted, applied = (await client.get("/v1/audit?part=acts")).json()["items"]
    assert (deleted["action"], deleted["details"]["changed"]) == ("policies.delete", {"removed": ["release-bots"]})
    assert (applied["action"], applied["actor"]) == ("policies.apply", "key:bootstrap")
    assert applied["details"]["changed"]["added"] == ["release-bots"]


async def test_a_document_that_is_not_valid_changes_nothing_and_names_its_lines(client: httpx.AsyncClient) -> None:
    wrong = BOTS.replace("installations", "instalations")
    answer = await client.put("/v1/policies", json={"document": document(READERS, wrong)})
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/invalid-policies"
    problem = next(each for each in answer.json()["problems"] if each["hint"])
    assert (problem["line"], problem["path"]) == (10, "policies.1.instalations")
    assert problem["hint"] == "did you mean installations?"
    assert await names(client) == []


async def ask(client: httpx.AsyncClient, principal: dict[str, Any], **question: Any) -> dict[str, Any]:
    answer = await client.post("/v1/policies/test", json={"principal": principal, "account": "acme", **question})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("installation")
async def test_a_question_is_decided_with_what_the_installation_grants(client: httpx.AsyncClient) -> None:
    await apply(client, BOTS, READERS)
    allowed = await ask(client, {"api_key": "ci-1"}, repositories=["acme/svc-a"])
    assert (allowed["allowed"], allowed["policy"]) == (True, "release-bots")
    assert allowed["permissions"] == {"metadata": "read", "contents": "read", "pull_requests": "read"}
    refused = await ask(client, {"api_key": "ci-1"}, repositories=["acme/web"], permissions={"contents": "write"})
    assert not refused["allowed"]
    assert "contents: write is more" in refused["reason"]
    assert [(each["policy"], each["verdict"]) for each in refused["considered"]] == [
        ("release-bots", "too_much"),
        ("readers", "other_principal"),
    ]
    job = {"issuer": "https://issuer.example", "subject": "repo:acme/x", "claims": {"private": True}}
    assert (await ask(client, job))["policy"] == "readers"
    assert not (await ask(client, job | {"claims": {}}))["allowed"]


async def test_a_question_about_an_account_without_installation_is_answered_so(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/policies/test", json={"principal": {"api_key": "ci-1"}, "account": "nobody"})
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no installation on the account nobody")


@pytest.mark.parametrize("principal", [{}, {"issuer": "https://x"}, {"api_key": "a", "subject": "b"}])
async def test_a_question_names_one_principal(client: httpx.AsyncClient, principal: dict[str, str]) -> None:
    answer = await client.post("/v1/policies/test", json={"principal": principal, "account": "acme"})
    assert answer.status_code == 422
    assert "either api_key, or issuer and subject" in answer.text
