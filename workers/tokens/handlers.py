"""The commands of the tokens worker. Tokens and installations are asked for and answered; webhooks are taken in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Mapping
from typing import Any

import structlog

from shared.domain.token import TokenSha256
from shared.errors import InstallationNotFound, InstallationSuspended, InvalidInput, NotPermitted, OctobatchError
from shared.observability import metrics
from shared.postgres import token_audit, webhook_deliveries
from shared.sealing import seal
from shared.streams.token_errors import error_answer
from shared.streams.tokens import parse_request, sealing_context
from workers.runtime import Command

from .context import TokensContext
from .granting import grant
from .installations import installation_of, refresh, sync_installations
from .scopes import dry_run

_log = structlog.get_logger(__name__)


async def mint_token(ctx: TokensContext, command: Command) -> None:
    """Answers with a token sealed to the requester. Each grant is recorded before it is answered."""
    await _answer(command, _grant(ctx, command.payload))


async def forget_token(ctx: TokensContext, command: Command) -> None:
    """Gives a token that GitHub no longer accepts to nobody any more."""
    await _answer(command, _forget(ctx, command.payload))


async def resolve_installation(ctx: TokensContext, command: Command) -> None:
    """Answers which installation serves an organisation's or user's repositories."""
    await _answer(command, _resolve(ctx, command.payload))


async def answer_sync(ctx: TokensContext, command: Command) -> None:
    """Asks GitHub for all installations now, and answers how much was new."""
    await _answer(command, _sync(ctx))


async def dry_run_scope(ctx: TokensContext, command: Command) -> None:
    """Answers what a token of some scope would give."""
    await _answer(command, _dry_run(ctx, command.payload))


async def handle_webhook(ctx: TokensContext, command: Command) -> None:
    """Takes in an event of an installation: GitHub is asked how it is now, so the order of events does not matter."""
    delivery_id = str(command.payload["delivery_id"])
    async with ctx.pool.acquire() as conn:
        delivery = await webhook_deliveries.get_delivery(conn, delivery_id)
    if delivery.installation_id is None:
        raise InvalidInput(f"webhook delivery {delivery_id} ({delivery.event}) names no installation")
    await refresh(ctx, delivery.installation_id)
    await ctx.minting.installation_changed(delivery.installation_id)  # also where a run before this one died here
    async with ctx.outbox.transaction(completing=command.operation_id) as work:
        await webhook_deliveries.mark_handled(work.conn, delivery_id)


REFUSALS = (NotPermitted, InstallationSuspended, InstallationNotFound)
"""What is recorded as a refusal; all else is a fault or a limit, after which the requester asks again."""


async def _answer(command: Command, answer: Awaitable[dict[str, Any]]) -> None:
    """Answers with what `answer` gives, or with the error it raises, which the requester raises then."""
    try:
        facts = await answer
    except OctobatchError as error:
        _log.warning("request_refused", type=command.type, reason=str(error))
        facts = error_answer(error)
    await command.answer(facts)


async def _grant(ctx: TokensContext, payload: Mapping[str, Any]) -> dict[str, Any]:
    request = parse_request(payload)
    seal_to = _public_key(payload)
    try:
        token = await grant(ctx, request)
    except REFUSALS as error:
        metrics.TOKENS_REFUSED.labels(type(error).__name__).inc()
        async with ctx.pool.acquire() as conn:
            await token_audit.record_refusal(conn, request=request, reason=str(error))
        raise
    _log.info("token_granted", installation_id=request.scope.installation_id, purpose=request.purpose)
    return {
        "box": base64.b64encode(seal(token.token.encode(), seal_to, info=sealing_context(payload))).decode(),
        "expires_at": token.expires_at.isoformat(),
        "minted_at": token.minted_at.isoformat(),
        "permissions": dict(token.permissions),
        "repository_selection": token.repository_selection,
    }


async def _forget(ctx: TokensContext, payload: Mapping[str, Any]) -> dict[str, Any]:
    await ctx.minting.forget(TokenSha256(str(payload.get("token_sha256"))))
    return {}


async def _resolve(ctx: TokensContext, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"installation_id": (await installation_of(ctx, str(payload.get("account")))).id}


async def _dry_run(ctx: TokensContext, payload: Mapping[str, Any]) -> dict[str, Any]:
    return (await dry_run(ctx, payload)).to_json()


async def _sync(ctx: TokensContext) -> dict[str, Any]:
    synced = await sync_installations(ctx)
    return {"installations": synced.installations, "changes": synced.changes}


def _public_key(payload: Mapping[str, Any]) -> bytes:
    try:
        public_key = base64.b64decode(payload["public_key"], validate=True)
        seal(b"", public_key, info=b"")
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise InvalidInput("the request names no public key to seal the token to") from error
    return public_key
