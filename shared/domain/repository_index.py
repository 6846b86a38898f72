"""The index of an installation's repositories: what a listing would find, kept in Postgres."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .ids import InstallationId


@dataclass(frozen=True, kw_only=True)
class RepositoryIndex:
    """How far the index of one installation is.

    `completed_at` is when a full listing last ended, `swept_at` when the index was last known to be current: webhooks
    that came since then are in it too. `total` counts its repositories, and `uncounted` is how many more GitHub counted
    when they were listed: those that the App may not see. `error` is why the last sweep failed.
    A full listing that is under way began at `sweep_started_at` and goes on at `sweep_cursor`.
    """

    installation_id: InstallationId
    account: str
    completed_at: datetime | None = None
    swept_at: datetime | None = None
    sweep_started_at: datetime | None = None
    sweep_cursor: str | None = None
    total: int | None = None
    uncounted: int = 0
    error: str | None = None


def is_current(index: RepositoryIndex, *, now: datetime, max_age: timedelta) -> bool:
    """Whether a selection may be answered from the index as it is."""
    return index.swept_at is not None and now - index.swept_at <= max_age
