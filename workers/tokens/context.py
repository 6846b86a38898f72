"""What the handlers of the tokens worker stand on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.installation import InstallationToken
from shared.domain.permissions import Permissions
from shared.domain.token import Grant
from shared.github.app_auth import AppAuth
from shared.outbox import Outbox
from shared.postgres.pool import Pool

from .minting import Minting
from .repositories import Repositories
from .vault import Vault


@dataclass(frozen=True, kw_only=True)
class TokensContext:
    """The App, its tokens, and the stores.

    `expected` is what each installation is expected to grant. `record` puts a grant on record, or gives False where its
    token was evicted. `know` tells the limits whose installation's a token is. `revoke_after_run` is how long a run's
    tokens outlive it.
    """

    app: AppAuth
    expected: Permissions
    minting: Minting
    vault: Vault
    repositories: Repositories
    record: Callable[[Grant], Awaitable[bool]]
    know: Callable[[InstallationToken], None]
    revoke_after_run: timedelta
    pool: Pool
    outbox: Outbox
