"""What the gateway's probes check."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

import migrations
from shared.blobs.store import BlobStore, blobs_check
from shared.domain.drift import drift_text
from shared.domain.installation import Installation
from shared.domain.operation import Service
from shared.observability.health import Check, Probes, Unhealthy, postgres_check, redis_check
from shared.postgres.installations import list_troubled
from shared.postgres.pool import Pool
from shared.postgres.schema import schema_check
from shared.streams.groups import ensure_group
from shared.streams.inspection import Inspection

MOST_NAMED = 10
"""Installations that a detail names."""


def probes_of(*, pool: Pool, redis: Redis, blobs: BlobStore, github: Check, stopping: asyncio.Event) -> Probes:
    """Ready are Postgres with its schema, Redis with the streams' groups, and a gateway that is not about to end.

    What else there is: the blob store, GitHub, whether workers are there, and which installations need somebody.
    """
    return Probes(
        ready=[
            _process_check(stopping),
            postgres_check(pool),
            schema_check(pool, wanted=migrations.head()),
            redis_check(redis),
            _streams_check(redis),
        ],
        beside=[blobs_check(blobs), github, _workers_check(redis), _installations_check(pool)],
    )


def _process_check(stopping: asyncio.Event) -> Check:
    async def ask() -> str:
        if stopping.is_set():
            raise Unhealthy("it is stopping")
        return ""

    return Check("process", ask)


def _streams_check(redis: Redis) -> Check:
    """Whether each service's stream has its group, which is made where no worker has yet."""

    async def ask() -> str:
        await asyncio.gather(*(ensure_group(redis, service) for service in Service))
        return ""

    return Check("streams", ask)


def _workers_check(redis: Redis) -> Check:
    async def ask() -> str:
        inspection = Inspection(redis)
        alive = {service: (await inspection.survey(service)).consumers for service in Service}
        if away := [service for service, count in alive.items() if not count]:
            raise Unhealthy(f"no worker was heard of lately: {', '.join(away)}")
        return ", ".join(f"{count} {service}" for service, count in alive.items())

    return Check("workers", ask)


def _installations_check(pool: Pool) -> Check:
    """Names those that need somebody: their owners, not whoever runs Octobatch, so that nothing is unhealthy."""

    async def ask() -> str:
        async with pool.acquire() as conn:
            troubled = await list_troubled(conn)
        told = [text for each in troubled if (text := _trouble_text(each))]
        more = [f"and {len(told) - MOST_NAMED} more"] if len(told) > MOST_NAMED else []
        return "; ".join([*told[:MOST_NAMED], *more])

    return Check("installations", ask)


def _trouble_text(installation: Installation) -> str:
    parts = [drift_text(installation), f"{installation.account} is suspended" if installation.suspended_at else ""]
    return "; ".join(filter(None, parts))
