"""The tokens worker: the only process that holds the App's private key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from shared.domain.operation import Service
from shared.errors import GitHubError, Unavailable
from shared.github.app_auth import AppAuth
from shared.github.client import GitHubClient
from shared.github.key_sources import open_key_ring
from shared.github.network import network_of
from shared.settings import TokensSettings
from shared.streams.installations import CHECK_APP, SYNC_INSTALLATIONS
from shared.streams.tokens import FORGET_TOKEN, MINT_TOKEN, RESOLVE_INSTALLATION
from workers.limits import gate_of, open_limits
from workers.runtime import Infrastructure, Periodic, Worker

from .cache import MemoryTokenCache, RedisTokenCache, TokenCache
from .checking import answer_check
from .context import TokensContext
from .handlers import answer_sync, forget_token, handle_webhook, mint_token, resolve_installation
from .installations import SYNC_SECONDS, sync_installations
from .measuring import show_installations
from .minting import Minting

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_tokens(settings: TokensSettings, infrastructure: Infrastructure) -> AsyncIterator[TokensContext]:
    """The worker's context. The App is asked for once, so that a wrong key is told in the first line of the log."""
    limits = open_limits(settings, infrastructure.redis, app_id=settings.github_app_id)
    async with (
        open_key_ring(settings) as keys,
        GitHubClient.open(
            base_url=settings.github_api_base,
            timeout_seconds=settings.github_timeout_seconds,
            gate=gate_of(limits),
            network=network_of(settings),
        ) as github,
    ):
        app = AppAuth(github, app_id=settings.github_app_id, keys=keys)
        context = TokensContext(
            app=app,
            minting=Minting(app, _cache(settings, infrastructure), base_url=github.addresses.rest),
            pool=infrastructure.pool,
            outbox=infrastructure.outbox,
            expected=settings.expected_permissions,
        )
        await _greet(context)
        yield context


async def _greet(context: TokensContext) -> None:
    """Says which App this is. A GitHub that does not answer yet, or a wrong key, must not hide what comes after:
    every requester is told the same by the answer to its request."""
    try:
        facts = await context.app.get_app()
        _log.info("github_app_accepted", app=facts.get("slug"), app_id=facts.get("id"))
        await sync_installations(context)
    except (GitHubError, Unavailable) as error:
        _log.error("github_app_not_usable", reason=str(error))


def _cache(settings: TokensSettings, infrastructure: Infrastructure) -> TokenCache:
    if settings.token_cache_key is None:
        return MemoryTokenCache()
    return RedisTokenCache(infrastructure.redis, secret=settings.token_cache_key.get_secret_value())


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
        "handle_webhook": handle_webhook,
    },
    cron=(Periodic(name="sync_installations", every_seconds=SYNC_SECONDS, function=sync_installations),),
    measure=show_installations,
)
