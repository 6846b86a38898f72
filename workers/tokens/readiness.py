"""What the tokens worker needs to be ready, beside what every worker does."""

from __future__ import annotations

from collections.abc import Sequence

from shared.observability.health import Check, Unhealthy
from shared.postgres.installations import fetch_checks

from .context import TokensContext


def readiness_checks(ctx: TokensContext) -> Sequence[Check]:
    """Whether the App's key can be read, and which installations there are has been heard from GitHub once."""

    async def has_key() -> str:
        if problem := ctx.app.key_problem():
            raise Unhealthy(f"{problem}; keys that were read before are used")
        return ""

    async def knows_installations() -> str:
        if not ctx.synced.is_set():
            async with ctx.pool.acquire() as conn:
                if not await fetch_checks(conn):
                    raise Unhealthy("GitHub has not said yet which installations there are")
        return ""

    return [Check("app_key", has_key), Check("installations", knows_installations)]
