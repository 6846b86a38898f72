"""What the handlers of the tokens worker stand on."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.domain.permissions import EXPECTED, Permissions
from shared.github.app_auth import AppAuth
from shared.outbox import Outbox
from shared.postgres.pool import Pool

from .minting import Minting


@dataclass(frozen=True, kw_only=True)
class TokensContext:
    """The App, its tokens, and the stores. `expected` is what each installation is expected to grant."""

    app: AppAuth
    minting: Minting
    pool: Pool
    outbox: Outbox
    expected: Permissions = field(default_factory=lambda: EXPECTED)
