"""What the tokens worker needs to be ready, beside what every worker does."""

from __future__ import annotations

from collections.abc import Sequence

from shared.observability.health import Check, Unhealthy

from .context import TokensContext


def readiness_checks(ctx: TokensContext) -> Sequence[Check]:
    """Whether the App's key can be read. Which installations there are is asked before the worker begins; a GitHub that
    does not say makes nothing unready, as requesters are told so by the answers to their requests."""

    async def has_key() -> str:
        if problem := ctx.app.key_problem():
            raise Unhealthy(f"{problem}; keys that were read before are used")
        return ""

    return [Check("app_key", has_key)]
