"""What the gateway holds open while it runs, handed to routes as `Depends(resources)`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import httpx
from fastapi import Depends
from redis.asyncio import Redis
from starlette.requests import HTTPConnection

from shared.auth.oidc import OidcVerifier
from shared.auth.sign_in import SignInProvider
from shared.blobs.store import BlobStore, open_blob_store
from shared.github.network import network_of
from shared.github.reach import open_github_check
from shared.observability.health import Probes
from shared.outbox import Outbox
from shared.postgres.pool import Pool, open_pool
from shared.settings import GatewaySettings
from shared.streams.connection import open_redis
from shared.streams.requests import Requests
from shared.streams.tokens import TokenClient

from .events.hub import Hub, open_hub
from .probes import probes_of

ISSUER_TIMEOUT_SECONDS = 5.0

SIGN_IN_CALLBACK = "/ui/sign-in/oidc/callback"
"""Where the browser comes back to from the OIDC provider."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The stores and clients of one gateway process. `stopping` is set when it is asked to end."""

    settings: GatewaySettings
    pool: Pool
    redis: Redis
    outbox: Outbox
    hub: Hub
    blobs: BlobStore
    requests: Requests
    tokens: TokenClient
    oidc: OidcVerifier
    sign_in: SignInProvider | None
    probes: Probes
    stopping: asyncio.Event


@asynccontextmanager
async def open_resources(settings: GatewaySettings) -> AsyncIterator[Resources]:
    """Opens everything, and closes it in reverse."""
    async with AsyncExitStack() as stack:
        dsn = settings.postgres_dsn.get_secret_value()
        pool = await stack.enter_async_context(open_pool(dsn, size=settings.postgres_pool_size))
        redis = await stack.enter_async_context(open_redis(settings.redis_url.get_secret_value(), max_connections=500))
        blobs = await stack.enter_async_context(open_blob_store(settings))
        stopping = asyncio.Event()
        hub = await stack.enter_async_context(open_hub(pool, redis, stopping))
        requests = Requests(redis)
        http = await stack.enter_async_context(
            httpx.AsyncClient(timeout=ISSUER_TIMEOUT_SECONDS, **network_of(settings).httpx_options(""))
        )
        github = await stack.enter_async_context(open_github_check(settings))
        yield Resources(
            settings=settings,
            pool=pool,
            redis=redis,
            outbox=Outbox(pool, redis, blobs=blobs),
            hub=hub,
            blobs=blobs,
            requests=requests,
            tokens=TokenClient(requests),
            oidc=OidcVerifier(
                http,
                issuers=settings.trusted_issuers,
                audience=settings.oidc_audience,
                grants=settings.grant_rules,
            ),
            sign_in=_sign_in_provider(settings, http),
            probes=probes_of(pool=pool, redis=redis, blobs=blobs, github=github, stopping=stopping),
            stopping=stopping,
        )


def _sign_in_provider(settings: GatewaySettings, http: httpx.AsyncClient) -> SignInProvider | None:
    if not settings.oidc_sign_in_issuer:
        return None
    secret = settings.oidc_sign_in_client_secret
    return SignInProvider(
        http,
        issuer=settings.oidc_sign_in_issuer,
        client_id=settings.oidc_sign_in_client_id,
        client_secret=secret.get_secret_value() if secret else "",
        scopes=settings.oidc_sign_in_scopes,
        redirect_uri=f"{settings.public_url.rstrip('/')}{SIGN_IN_CALLBACK}",
        grants=settings.grant_rules,
    )


async def _resources(connection: HTTPConnection) -> Resources:  # async: FastAPI sends others to a thread
    return connection.app.state.resources


Opened = Annotated[Resources, Depends(_resources)]
"""A route's parameter of this type is the process's resources."""
