"""What the handlers of the campaigns worker share."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.blobs.store import BlobStore
from shared.github.client import GitHubClient
from shared.github.network import network_of
from shared.outbox import Outbox
from shared.postgres.pool import Pool
from shared.settings import CampaignsSettings
from shared.streams.tokens import TokenClient

from ..limits import SharedLimits, gate_of, open_limits
from ..runtime import Infrastructure
from .access import BatchScopes
from .isolation.kubernetes import Kubernetes
from .isolation.object_cache import ObjectCache
from .preparation.assignment import Caches
from .preparation.stored_results import StoredResults
from .webhooks.sending import WebhookSender


@dataclass(frozen=True, kw_only=True)
class CampaignsContext:
    """Stores, GitHub and settings; one for a process."""

    settings: CampaignsSettings
    pool: Pool
    outbox: Outbox
    tokens: TokenClient
    github: GitHubClient
    limits: SharedLimits | None  # None where the server has none
    blobs: BlobStore
    webhooks: WebhookSender
    scopes: BatchScopes
    caches: Caches
    kubernetes: Kubernetes | None
    places: asyncio.Semaphore  # how many targets work with git or run steps at once


@asynccontextmanager
async def open_campaigns(
    settings: CampaignsSettings, infrastructure: Infrastructure
) -> AsyncIterator[CampaignsContext]:
    """Opens what the runtime has not opened yet, and closes it in reverse."""
    os.umask(0o022)  # working copies are lent to steps that run as another user
    limits = open_limits(settings, infrastructure.redis)
    github = GitHubClient.open(
        base_url=settings.github_api_base,
        timeout_seconds=settings.github_timeout_seconds,
        gate=gate_of(limits),
        network=network_of(settings),
    )
    webhooks = WebhookSender.open(
        timeout_seconds=settings.webhooks_timeout_seconds, allow_private=settings.webhooks_allow_private_addresses
    )
    cluster = Kubernetes.open(settings, infrastructure.blobs)
    async with github as client, webhooks as sender, cluster as kubernetes:
        yield CampaignsContext(
            settings=settings,
            pool=infrastructure.pool,
            outbox=infrastructure.outbox,
            tokens=TokenClient(infrastructure.requests, on_token=limits and limits.know),
            github=client,
            limits=limits,
            blobs=infrastructure.blobs,
            webhooks=sender,
            scopes=BatchScopes(infrastructure.pool),
            kubernetes=kubernetes,
            caches=Caches(
                results=StoredResults(infrastructure.pool, infrastructure.blobs)
                if settings.step_cache_max_bytes
                else None,
                objects=ObjectCache(
                    settings.git_cache_dir or settings.workspace_dir / "objects", settings.git_cache_max_bytes
                ),
            ),
            places=asyncio.Semaphore(settings.worker_concurrency),
        )
