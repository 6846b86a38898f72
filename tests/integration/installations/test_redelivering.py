"""Webhooks that GitHub could not deliver are sent again, and nothing else is."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from shared.clock import utcnow
from tests.integration.installations.conftest import Org
from workers.tokens.context import TokensContext
from workers.tokens.redelivering import redeliver_due


async def attempts_by_guid(ctx: TokensContext, org: Org) -> Counter[str]:
    """How often each webhook of the organisation was sent, in the order of the first attempts."""
    org.github.ask("POST", "webhooks/settle")
    pages = [page async for page in ctx.app.hook_delivery_pages()]
    of_org = [each for page in pages for each in page if each["installation_id"] == org.id]
    return Counter(each["guid"] for each in reversed(of_org))


async def take_in(ctx: TokensContext, *delivery_ids: str) -> None:
    """These deliveries have come in."""
    await ctx.pool.execute(
        """INSERT INTO webhook_deliveries (delivery_id, event, payload)
           SELECT id, 'installation', '{}' FROM unnest($1::text[]) id""",
        delivery_ids,
    )


async def test_what_did_not_come_in_is_sent_again_under_its_guid_and_nothing_else(ctx: TokensContext, org: Org) -> None:
    earlier = {each["guid"] async for page in ctx.app.hook_delivery_pages() for each in page}  # of other tests
    org.github.ask("PATCH", "settings", {"webhook_url": "http://127.0.0.1:9/"})  # nobody takes anything
    org.change(suspended=True)
    org.change(suspended=False)
    known, missing = await attempts_by_guid(ctx, org)
    await take_in(ctx, known, *(earlier - {known, missing}))
    assert await redeliver_due(ctx, now=utcnow()) == 0, "an attempt is not repeated at once"
    assert await redeliver_due(ctx, now=utcnow() + timedelta(minutes=2)) == 1
    assert await attempts_by_guid(ctx, org) == {known: 1, missing: 2}
