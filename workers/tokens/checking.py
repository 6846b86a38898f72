"""Checks the App for who does not hold its key."""

from __future__ import annotations

from dataclasses import asdict

from shared.github.app_check import check_app
from workers.runtime import Command

from .context import TokensContext


async def answer_check(ctx: TokensContext, command: Command) -> None:
    """Answers with the lines of a check; the requester says where it takes webhooks in."""
    lines = await check_app(ctx.app, expected=ctx.expected, webhook_url=command.payload.get("webhook_url"))
    await command.answer({"lines": [asdict(line) for line in lines]})
