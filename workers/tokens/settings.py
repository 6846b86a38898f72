"""The tokens worker: the only process that holds the App's private key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import structlog

from shared.domain.operation import Service
from shared.domain.token import Grant
from shared.errors import GitHubError, InvalidSettings, Unavailable
from shared.github.app_auth import AppAuth
from shared.github.client import GitHubClient
from shared.github.key_ring import KeyRing
from shared.github.key_sources import open_key_ring
from shared.github.network import network_of
from shared.github.signers import LocalSigner
from shared.postgres import tokens
from shared.postgres.pool import Pool
from shared.settings import TokensSettings
from shared.streams.installations import CHECK_APP, DRY_RUN_SCOPE, SYNC_INSTALLATIONS
from shared.streams.tokens import FORGET_TOKEN, MINT_TOKEN, RESOLVE_INSTALLATION
from workers.batching import Batcher
from workers.limits import gate_of, open_limits
from workers.runtime import Infrastructure, Periodic, Worker

from .checking import answer_check
from .context import TokensContext
from .handlers import answer_sync, dry_run_scope, forget_token, handle_webhook, mint_token, resolve_installation
from .installations import SYNC_SECONDS, sync_installations
from .measuring import show_installations
from .minting import Minting
from .readiness import readiness_checks
from .redelivering import SWEEP_SECONDS as REDELIVER_SECONDS
from .redelivering import redeliver_failed
from .refusals import Refusals
from .repositories import Repositories
from .revoking import SWEEP_SECONDS, TIDY_SECONDS, delete_expired, revoke_finished_runs, revoke_tokens
from .vault import Vault

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_tokens(settings: TokensSettings, infrastructure: Infrastructure) -> AsyncIterator[TokensContext]:
    """The worker's context. The App is asked for once, so that a wrong key is told in the first line of the log."""
    limits = open_limits(settings, infrastructure.redis, app_id=settings.github_app_id)
    async with AsyncExitStack() as stack:
        keys = await stack.enter_async_context(open_key_ring(settings))
        github = await stack.enter_async_context(
            GitHubClient.open(
                base_url=settings.github_api_base,
                timeout_seconds=settings.github_timeout_seconds,
                gate=gate_of(limits),
                network=network_of(settings),
            )
        )
        app = AppAuth(github, app_id=settings.github_app_id, keys=keys)
        vault = Vault(infrastructure.redis, secrets=_vault_secrets(settings, keys))
        minting = Minting(
            app,
            vault=vault,
            refusals=Refusals(infrastructure.redis),
            redis=infrastructure.redis,
            pool=infrastructure.pool,
            base_url=github.addresses.rest,
        )
        stack.push_async_callback(minting.close)
        record = Batcher(partial(_record_grants, infrastructure.pool))
        stack.push_async_callback(record.close)
        context = TokensContext(
            app=app,
            expected=settings.expected_permissions,
            minting=minting,
            vault=vault,
            repositories=Repositories(github, minting),
            record=record,
            know=limits.know if limits else (lambda _: None),
            revoke_after_run=timedelta(seconds=settings.token_revoke_after_run_seconds),
            pool=infrastructure.pool,
            outbox=infrastructure.outbox,
        )
        await _greet(context)
        yield context


def _vault_secrets(settings: TokensSettings, keys: KeyRing) -> Callable[[], Sequence[bytes]]:
    """What tokens in Redis are encrypted under: the configured secrets, else the private keys as they are now."""
    if settings.token_cache_key:
        configured = [each.encode() for each in settings.token_cache_key.get_secret_value().split()]
        return lambda: configured

    def private_keys() -> list[bytes]:
        return [each.secret for each in keys.in_turn() if isinstance(each, LocalSigner)]

    if not private_keys():
        raise InvalidSettings("OCTOBATCH_TOKEN_CACHE_KEY: must be set where the App's private key is in KMS alone")
    return private_keys


async def _record_grants(pool: Pool, grants: Sequence[Grant]) -> list[bool]:
    async with pool.acquire() as conn:
        return await tokens.record_grants(conn, grants)


async def _greet(context: TokensContext) -> None:
    """Says which App this is. A GitHub that does not answer yet, or a wrong key, must not hide what comes after:
    every requester is told the same by the answer to its request."""
    try:
        facts = await context.app.get_app()
        _log.info("github_app_accepted", app=facts.get("slug"), app_id=facts.get("id"))
        await sync_installations(context)
    except (GitHubError, Unavailable) as error:
        _log.error("github_app_not_usable", reason=str(error))


WORKER = Worker(
    service=Service.TOKENS,
    settings_class=TokensSettings,
    resources=open_tokens,
    handlers={
        MINT_TOKEN: mint_token,
        FORGET_TOKEN: forget_token,
        RESOLVE_INSTALLATION: resolve_installation,
        SYNC_INSTALLATIONS: answer_sync,
        CHECK_APP: answer_check,
        DRY_RUN_SCOPE: dry_run_scope,
        "handle_webhook": handle_webhook,
        "revoke_tokens": revoke_tokens,
    },
    cron=(
        Periodic(name="sync_installations", every_seconds=SYNC_SECONDS, function=sync_installations),
        Periodic(name="revoke_finished_runs", every_seconds=SWEEP_SECONDS, function=revoke_finished_runs),
        Periodic(name="redeliver_webhooks", every_seconds=REDELIVER_SECONDS, function=redeliver_failed),
        Periodic(name="delete_expired_tokens", every_seconds=TIDY_SECONDS, function=delete_expired),
    ),
    measure=show_installations,
    checks=readiness_checks,
)
