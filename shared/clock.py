"""The time of this process. Anything that several processes must agree on asks Redis or Postgres instead."""

from __future__ import annotations

from datetime import UTC, datetime


def utcnow() -> datetime:
    """The present moment, timezone-aware, in UTC."""
    return datetime.now(UTC)
