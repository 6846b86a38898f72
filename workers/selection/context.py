"""What the handlers of the selection worker stand on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shared.github.client import GitHubClient
from shared.outbox import Outbox
from shared.postgres.pool import Pool
from shared.streams.tokens import TokenClient


@dataclass(frozen=True, kw_only=True)
class SelectionContext:
    """GitHub, tokens, and the stores; one for a process.

    An index may answer for GitHub up to `index_max_age`, and is swept `index_sweep_every` so long.
    """

    github: GitHubClient
    tokens: TokenClient
    pool: Pool
    outbox: Outbox
    index_max_age: timedelta
    index_sweep_every: timedelta
