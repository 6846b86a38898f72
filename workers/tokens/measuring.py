"""Gauges of installations. Every process shows what Postgres knows, whichever of them asked GitHub."""

from __future__ import annotations

from shared.domain.installation import Installation
from shared.observability import metrics
from shared.postgres.installations import count_installations, list_troubled

from .context import TokensContext


async def show_installations(ctx: TokensContext) -> None:
    """Sets the gauges to what is known now; what is gone is not shown any more."""
    async with ctx.pool.acquire() as conn:
        active, suspended = await count_installations(conn)
        troubled = await list_troubled(conn)
    metrics.INSTALLATIONS.labels("active").set(active)
    metrics.INSTALLATIONS.labels("suspended").set(suspended)
    _show_drift({labels for each in troubled for labels in _labels(each)})


def _labels(installation: Installation) -> set[tuple[str, str, str]]:
    found = (("missing", installation.missing), ("excessive", installation.excessive))
    return {(installation.account, resource, kind) for kind, resources in found for resource in resources}


def _show_drift(found: set[tuple[str, str, str]]) -> None:
    gauge = metrics.INSTALLATION_DRIFT
    samples = [sample.labels for family in gauge.collect() for sample in family.samples]
    for gone in {(labels["account"], labels["resource"], labels["kind"]) for labels in samples} - found:
        gauge.remove(*gone)
    for labels in found:
        gauge.labels(*labels).set(1)
