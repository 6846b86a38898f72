"""Installations follow GitHub, and each change is recorded once, whoever sees it and how often."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY, generate_latest

from sandbox.github.first_start import PERMISSIONS
from shared.domain import commands
from shared.domain.installation import TokenRequest, TokenScope
from shared.domain.operation import Service
from shared.domain.permissions import SELECT
from shared.domain.principal import Principal
from shared.errors import InstallationSuspended, NotFound
from shared.postgres import installations
from shared.postgres.installation_events import page_events
from shared.postgres.webhook_deliveries import insert_delivery
from tests.integration.installations.conftest import Org
from workers.runtime import Command
from workers.tokens.context import TokensContext
from workers.tokens.granting import grant
from workers.tokens.handlers import handle_webhook
from workers.tokens.installations import refresh, sync_installations
from workers.tokens.measuring import show_installations

LESS = {**PERMISSIONS, "pull_requests": "read"}
MORE = {**PERMISSIONS, "members": "write"}


async def event_types(ctx: TokensContext, org: Org) -> list[str]:
    """Oldest first."""
    async with ctx.pool.acquire() as conn:
        return [each.type.value for each in reversed(await page_events(conn, org.id))]


async def stored(ctx: TokensContext, org: Org) -> Any:
    async with ctx.pool.acquire() as conn:
        return await installations.fetch_installation(conn, org.id)


async def webhook(ctx: TokensContext, org: Org, *, event: str, action: str) -> Command:
    """The command that a verified delivery becomes."""
    delivery_id = uuid4().hex
    async with ctx.outbox.transaction() as work:
        await insert_delivery(
            work.conn, delivery_id=delivery_id, event=event, action=action, installation_id=org.id, payload={}
        )
        [operation] = await work.accept(commands.handle_webhook(delivery_id, service=Service.TOKENS))
    return Command(operation_id=operation.id, type=operation.type, payload=operation.payload, actor="github", attempt=1)


async def test_an_installation_as_expected_has_no_drift(ctx: TokensContext, org: Org) -> None:
    await sync_installations(ctx)
    found = await stored(ctx, org)
    assert (found.account, found.missing, found.excessive) == (org.login, {}, {})
    assert found.checked_at
    assert await event_types(ctx, org) == ["installed"]


async def test_what_an_installation_lacks_and_grants_besides_is_stored(ctx: TokensContext, org: Org) -> None:
    org.change(permissions={**LESS, "members": "write"})
    await sync_installations(ctx)
    found = await stored(ctx, org)
    assert found.missing == {"pull_requests": "write"}
    assert found.excessive == {"members": "write"}
    async with ctx.pool.acquire() as conn:
        [drifted, _] = await page_events(conn, org.id)
    assert drifted.details == {
        "account": org.login,
        "missing": {"pull_requests": "write"},
        "excessive": {"members": "write"},
    }


async def test_the_webhooks_address_and_events_are_stored(ctx: TokensContext, org: Org) -> None:
    org.github.ask("PATCH", "settings", {"webhook_url": "http://127.0.0.1:1/webhooks/github"})
    await sync_installations(ctx)
    found = await stored(ctx, org)
    assert found.webhook_url == "http://127.0.0.1:1/webhooks/github"
    assert "pull_request" in found.webhook_events


async def test_each_change_is_one_event_however_many_syncs_and_webhooks_see_it(
    contexts: list[TokensContext], org: Org
) -> None:
    ctx = contexts[0]
    seen = ["installed"]
    await asyncio.gather(*(sync_installations(each) for each in contexts * 2))
    for change, event in (
        ({"permissions": LESS}, "drifted"),
        ({"permissions": PERMISSIONS}, "restored"),
        ({"suspended": True}, "suspended"),
        ({"suspended": False}, "unsuspended"),
    ):
        org.change(**change)
        deliveries = [await webhook(ctx, org, event="installation", action=event) for _ in range(2)]
        await asyncio.gather(
            *(sync_installations(each) for each in contexts * 2),
            *(handle_webhook(each, delivery) for each, delivery in zip(contexts, deliveries, strict=True)),
        )
        seen.append(event)
        assert await event_types(ctx, org) == seen


async def test_a_webhook_of_accepted_permissions_ends_the_drift(ctx: TokensContext, org: Org) -> None:
    org.change(permissions=LESS)
    await sync_installations(ctx)
    org.change(permissions=PERMISSIONS)
    await handle_webhook(ctx, await webhook(ctx, org, event="installation", action="new_permissions_accepted"))
    assert (await stored(ctx, org)).missing == {}
    assert await event_types(ctx, org) == ["installed", "drifted", "restored"]


async def test_tokens_of_an_installation_that_grants_less_still_are_granted_no_more(
    ctx: TokensContext, org: Org
) -> None:
    org.change(permissions={**PERMISSIONS, "pull_requests": "read"})
    await sync_installations(ctx)
    request = TokenRequest(
        scope=TokenScope(installation_id=org.id, permissions=SELECT),
        requester=Principal.of_service(Service.SELECTION),
        purpose="a test",
    )
    token = await grant(ctx, request)
    assert (await grant(ctx, request)).token == token.token
    org.change(permissions={name: level for name, level in PERMISSIONS.items() if name != "pull_requests"})
    await sync_installations(ctx)
    assert await event_types(ctx, org) == ["installed", "drifted"]  # it lacks the same as before
    assert (await grant(ctx, request)).token != token.token


async def test_one_drift_that_becomes_another_is_told(ctx: TokensContext, org: Org) -> None:
    org.change(permissions=LESS)
    await sync_installations(ctx)
    org.change(permissions=MORE)
    await sync_installations(ctx)
    assert await event_types(ctx, org) == ["installed", "drifted", "drifted"]


async def test_an_uninstalled_app_is_told_once_and_its_events_stay(contexts: list[TokensContext], org: Org) -> None:
    await sync_installations(contexts[0])
    org.uninstall()
    await asyncio.gather(*(sync_installations(each) for each in contexts))
    assert await event_types(contexts[0], org) == ["installed", "uninstalled"]
    async with contexts[0].pool.acquire() as conn:
        with pytest.raises(NotFound):
            await installations.get_installation(conn, org.id)


async def test_a_suspension_that_a_refused_token_showed_is_told_once(ctx: TokensContext, org: Org) -> None:
    await sync_installations(ctx)
    org.change(suspended=True)
    request = TokenRequest(
        scope=TokenScope(installation_id=org.id, permissions=SELECT),
        requester=Principal.of_service(Service.SELECTION),
        purpose="a test",
    )
    with pytest.raises(InstallationSuspended):
        await grant(ctx, request)
    assert (await stored(ctx, org)).suspended_at
    await sync_installations(ctx)
    assert await event_types(ctx, org) == ["installed", "suspended"]


async def test_an_answer_that_was_overtaken_takes_no_newer_ones_place(ctx: TokensContext, org: Org) -> None:
    await sync_installations(ctx)
    async with ctx.pool.acquire() as conn:
        since = await installations.fetch_checks(conn)
    old = await stored(ctx, org)
    org.change(permissions=LESS)
    await refresh(ctx, org.id)
    async with ctx.pool.acquire() as conn, conn.transaction():
        late = await installations.store_installations(conn, [old], since=since)
    assert late.contested == {org.id}
    assert (await stored(ctx, org)).missing == {"pull_requests": "write"}
    assert await event_types(ctx, org) == ["installed", "drifted"]


async def test_every_process_shows_the_drift_that_one_of_them_found(contexts: list[TokensContext], org: Org) -> None:
    one, other = contexts
    line = 'octobatch_installation_permission_drift{account="%s",kind="%s",resource="%s"} 1.0'
    org.change(permissions={**LESS, "members": "write"})
    await sync_installations(one)
    await show_installations(other)
    shown = generate_latest().decode().splitlines()
    assert line % (org.login, "missing", "pull_requests") in shown
    assert line % (org.login, "excessive", "members") in shown
    org.change(permissions=PERMISSIONS)
    await sync_installations(one)
    await show_installations(other)
    assert org.login not in generate_latest().decode()


async def test_suspended_installations_are_counted(ctx: TokensContext, org: Org) -> None:
    async def counted() -> float:
        await sync_installations(ctx)
        await show_installations(ctx)
        value = REGISTRY.get_sample_value("octobatch_installations", {"state": "suspended"})
        assert value is not None
        return value

    before = await counted()
    org.change(suspended=True)
    assert await counted() == before + 1
    org.change(suspended=False)
    assert await counted() == before
