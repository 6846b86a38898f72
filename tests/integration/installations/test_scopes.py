"""Dry runs of scopes, with GitHub asked and probes minted: what they answer, and what they leave behind."""

from __future__ import annotations

from typing import Any

from sandbox.github.first_start import PERMISSIONS
from shared.domain.policy import parse_policies
from shared.domain.principal import Principal
from shared.postgres.policies import replace_policies
from tests.integration.installations.conftest import Org
from workers.tokens.context import TokensContext
from workers.tokens.scopes import dry_run

POLICY = """version: 1
policies:
  - name: release-bots
    principals:
      - apiKey: ci
    installations: ["{login}"]
    permissions: {{contents: write, pull_requests: write, workflows: write, packages: write}}
"""


async def trust(ctx: TokensContext, org: Org) -> None:
    """The key `ci` may have some permissions."""
    async with ctx.pool.acquire() as conn, conn.transaction():
        await replace_policies(conn, parse_policies(POLICY.format(login=org.login)), updated_by="key:first")


async def ask(ctx: TokensContext, org: Org, *, key: str = "ci", **question: Any) -> dict[str, Any]:
    """The answer as it goes to the gateway."""
    payload = {
        "installation_id": org.id,
        "requester": Principal(name=key).to_json(),
        "permissions": {},
        "repositories": [],
        "repository_ids": [],
        "probe": False,
        **question,
    }
    return (await dry_run(ctx, payload)).to_json()


async def audited(ctx: TokensContext, org: Org) -> list[Any]:
    """Audit rows of probes, oldest first."""
    return await ctx.pool.fetch(
        "SELECT * FROM token_audit WHERE installation_id = $1 AND purpose = 'probe of a scope' ORDER BY id", org.id
    )


def live_tokens(org: Org) -> int:
    return int(org.github.ask("GET", "")["tokens"])


async def test_what_would_be_given_is_answered_and_nothing_is_recorded(ctx: TokensContext, org: Org) -> None:
    await trust(ctx, org)
    org.github.add_repository(org.login, "api")
    answer = await ask(ctx, org, permissions={"contents": "write"}, repositories=["api"])
    assert answer["allowed"], answer
    assert answer["permissions"] == {"contents": "write", "metadata": "read"}
    assert answer["repositories"] == (f"{org.login}/api",)
    assert (answer["policy"], answer["missing"], answer["probe"]) == ("release-bots", (), None)
    assert await audited(ctx, org) == []


async def test_what_installation_and_app_lack_is_told_apart(ctx: TokensContext, org: Org) -> None:
    await trust(ctx, org)
    org.change(permissions={**PERMISSIONS, "contents": "read"})
    answer = await ask(ctx, org, permissions={"contents": "write", "packages": "write"}, probe=True)
    assert not answer["allowed"]
    contents, packages = answer["missing"]
    assert (contents["lacking"], contents["granted"], contents["address"]) == (
        "installation",
        "read",
        f"{org.github.url}/organizations/{org.login}/settings/installations/{org.id}",
    )
    assert (packages["lacking"], packages["granted"], packages["address"]) == (
        "app",
        None,
        f"{org.github.url}/organizations/octo-org/settings/apps/octobatch/permissions",
    )
    assert not answer["probe"]["minted"]
    assert "are not granted to this installation" in answer["probe"]["detail"]
    [row] = await audited(ctx, org)
    assert row["kind"] == "refusal"


async def test_a_probe_is_minted_revoked_at_once_and_audited_without_the_token(ctx: TokensContext, org: Org) -> None:
    await trust(ctx, org)
    made = org.github.add_repository(org.login, "api")
    await ask(ctx, org, repositories=["api"])  # what looks repositories up has its own token from now on
    before = live_tokens(org)
    answer = await ask(ctx, org, permissions={"contents": "read"}, repository_ids=[made["id"]], probe=True)
    assert answer["probe"] == {
        "minted": True,
        "permissions": {"contents": "read", "metadata": "read"},
        "repository_selection": "selected",
        "detail": "",
    }
    assert live_tokens(org) == before
    granted, revoked = await audited(ctx, org)
    assert (granted["kind"], granted["policy"], revoked["kind"], revoked["reason"]) == (
        "grant",
        "release-bots",
        "revocation",
        None,
    )
    assert granted["token_sha256"] == revoked["token_sha256"]
    assert granted["requested_by"] == "key:ci"
    assert list(granted["repository_ids"]) == [made["id"]]
    assert "ghs_" not in str([dict(granted), dict(revoked), answer])


async def test_a_probe_beyond_ones_policies_is_refused_before_anything_is_minted(ctx: TokensContext, org: Org) -> None:
    await trust(ctx, org)
    before = live_tokens(org)
    for key, permissions in (("ci", {"members": "read"}), ("stranger", {"contents": "read"})):
        answer = await ask(ctx, org, key=key, permissions=permissions, probe=True)
        assert not answer["allowed"]
        assert (answer["policy"], answer["probe"]["minted"]) == (None, False)
        assert answer["probe"]["detail"] == answer["policy_reason"]
    assert live_tokens(org) == before
    assert [row["kind"] for row in await audited(ctx, org)] == ["refusal", "refusal"]


async def test_a_repository_that_is_not_there_is_named_and_never_means_all(ctx: TokensContext, org: Org) -> None:
    await trust(ctx, org)
    org.github.add_repository(org.login, "api")
    org.github.add_repository(org.login, "web")
    org.change(repositories=["api"])
    for repository in ("web", "nothing"):
        answer = await ask(ctx, org, permissions={"contents": "read"}, repositories=[repository], probe=True)
        [missing] = answer["missing"]
        assert (answer["allowed"], missing["lacking"], missing["name"]) == (False, "repository", repository)
        assert not answer["probe"]["minted"]
    assert {row["kind"] for row in await audited(ctx, org)} == {"refusal"}


async def test_who_may_not_have_a_token_is_not_told_which_repositories_there_are(ctx: TokensContext, org: Org) -> None:
    org.github.add_repository(org.login, "api")
    answers = [await ask(ctx, org, key="stranger", repositories=[name]) for name in ("api", "nothing")]
    assert answers[0] == answers[1]


async def test_suspended_and_uninstalled_are_said(ctx: TokensContext, org: Org) -> None:
    await trust(ctx, org)
    org.change(suspended=True)
    suspended = await ask(ctx, org, permissions={"contents": "read"}, probe=True)
    assert [each["lacking"] for each in suspended["missing"]] == ["suspended"]
    assert "suspended" in suspended["probe"]["detail"]
    org.uninstall()
    gone = await ask(ctx, org, permissions={"contents": "read"}, repositories=["api"], probe=True)
    assert [each["lacking"] for each in gone["missing"]] == ["uninstalled"]
    assert not gone["probe"]["minted"]
