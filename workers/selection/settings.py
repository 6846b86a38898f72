"""The selection worker: finds the repositories that a spec is for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from shared.domain.operation import Service
from shared.github.client import GitHubClient
from shared.github.network import network_of
from shared.settings import SelectionSettings
from shared.streams.tokens import TokenClient
from workers.limits import gate_of, open_limits
from workers.runtime import Infrastructure, Periodic, Worker

from .context import SelectionContext
from .handlers import give_up, select_repositories
from .indexing import begin_sweeps, correct_repositories, show_indexes, sweep_repositories
from .owners import resolve_owners
from .schedules import CHECK_SECONDS, start_due_selections

DUE_SECONDS = 30.0
"""How often it is looked which index is due."""

CORRECT_SECONDS = 2.0
"""How often it is looked what webhooks spoke of."""


@asynccontextmanager
async def open_selection(
    settings: SelectionSettings, infrastructure: Infrastructure
) -> AsyncIterator[SelectionContext]:
    """The worker's context."""
    limits = open_limits(settings, infrastructure.redis)
    async with GitHubClient.open(
        base_url=settings.github_api_base,
        timeout_seconds=settings.github_timeout_seconds,
        gate=gate_of(limits),
        network=network_of(settings),
    ) as github:
        yield SelectionContext(
            github=github,
            tokens=TokenClient(infrastructure.requests, on_token=limits and limits.know),
            pool=infrastructure.pool,
            outbox=infrastructure.outbox,
            index_max_age=timedelta(seconds=settings.repository_index_max_age_seconds),
            index_sweep_every=timedelta(seconds=settings.repository_index_sweep_seconds),
        )


WORKER = Worker(
    service=Service.SELECTION,
    settings_class=SelectionSettings,
    resources=open_selection,
    handlers={
        "select_repositories": select_repositories,
        "sweep_repositories": sweep_repositories,
        "resolve_owners": resolve_owners,
    },
    cron=(
        Periodic(name="begin_sweeps", every_seconds=DUE_SECONDS, function=begin_sweeps),
        Periodic(name="correct_repositories", every_seconds=CORRECT_SECONDS, function=correct_repositories),
        Periodic(name="start_due_selections", every_seconds=CHECK_SECONDS, function=start_due_selections),
    ),
    on_failed=give_up,
    measure=show_indexes,
)
