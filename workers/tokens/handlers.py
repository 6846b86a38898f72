"""The commands of the tokens worker. Tokens and installations are asked for and answered; webhooks are taken in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Mapping
from typing import Any

import structlog

from shared.domain.installation import InstallationToken, TokenRequest
from shared.errors import InstallationNotFound, InstallationSuspended, InvalidInput, OctobatchError
from shared.postgres import installations, token_audit, webhook_deliveries
from shared.sealing import seal
from shared.streams.token_errors import error_answer
from shared.streams.tokens import parse_request, parse_scope, sealing_context, token_sha256
from workers.runtime import Command

from .context import TokensContext
from .installations import installation_of, refresh, sync_installations

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
    try:
        token = await ctx.minting.token_for(request.scope)
    except (InstallationSuspended, InstallationNotFound) as error:
        await _record_loss(ctx, request, error)
        raise
    answer = _sealed(token, payload)
    async with ctx.pool.acquire() as conn:
        await token_audit.record_grant(conn, request=request, token=token, token_sha256=token_sha256(token.token))
    _log.info("token_granted", installation_id=request.scope.installation_id, purpose=request.purpose)
    return answer


async def _forget(ctx: TokensContext, payload: Mapping[str, Any]) -> dict[str, Any]:
    await ctx.minting.forget(parse_scope(payload), sha256=str(payload.get("token_sha256")))
    return {}


async def _resolve(ctx: TokensContext, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"installation_id": (await installation_of(ctx, str(payload.get("account")))).id}


async def _sync(ctx: TokensContext) -> dict[str, Any]:
    synced = await sync_installations(ctx)
    return {"installations": synced.installations, "changes": synced.changes}


async def _record_loss(ctx: TokensContext, request: TokenRequest, error: OctobatchError) -> None:
    async with ctx.pool.acquire() as conn:
        if isinstance(error, InstallationSuspended):
            await installations.mark_suspended(conn, request.scope.installation_id)
        else:
            await installations.mark_deleted(conn, request.scope.installation_id)


def _sealed(token: InstallationToken, payload: Mapping[str, Any]) -> dict[str, Any]:
    try:
        public_key = base64.b64decode(payload["public_key"], validate=True)
        box = seal(token.token.encode(), public_key, info=sealing_context(payload))
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise InvalidInput("the request names no public key to seal the token to") from error
    return {
        "box": base64.b64encode(box).decode(),
        "expires_at": token.expires_at.isoformat(),
        "minted_at": token.minted_at.isoformat(),
        "permissions": dict(token.permissions),
        "repository_selection": token.repository_selection,
    }
