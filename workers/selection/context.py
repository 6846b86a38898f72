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
    """GitHub, tokens, and the stores; one for a process. `index_max_age` is how old an index may be that answers."""

    github: GitHubClient
    tokens: TokenClient
    pool: Pool
    outbox: Outbox
    index_max_age: timedelta
