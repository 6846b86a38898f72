"""Installations of the GitHub App, and the tokens they give."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .ids import InstallationId, RunId
from .permissions import Level, Permissions
from .principal import Principal


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An installation of the App on an organisation's or user's account.

    `updated_at` is when it changed on GitHub, `checked_at` when it was last asked for; `missing` and `excessive` are
    what was found then against the permissions that are expected. `webhook_url` is where GitHub sends its events.
    """

    id: InstallationId
    account: str  # login of the organisation or user
    account_type: str  # Organization | User
    repository_selection: str  # all | selected
    permissions: Permissions
    suspended_at: datetime | None
    updated_at: datetime
    deleted_at: datetime | None = None
    webhook_url: str | None = None
    webhook_events: tuple[str, ...] = ()
    missing: Permissions = field(default_factory=dict[str, Level])
    excessive: Permissions = field(default_factory=dict[str, Level])
    checked_at: datetime | None = None

    @property
    def has_drifted(self) -> bool:
        """Whether it grants something else than is expected."""
        return bool(self.missing or self.excessive)


@dataclass(frozen=True, kw_only=True)
class InstallationToken:
    """A token that GitHub gave for an installation. Never printed: `repr` hides the token.

    `minted_at` is there because a token younger than about five seconds can be refused by a replica of
    GitHub that has not heard of it yet (see docs/github.md): retry then.
    """

    token: str = field(repr=False)
    installation_id: InstallationId
    expires_at: datetime
    minted_at: datetime
    permissions: Permissions
    repository_selection: str


@dataclass(frozen=True, kw_only=True)
class TokenScope:
    """What a token may do: no permissions or repositories means all that the installation has."""

    installation_id: InstallationId
    permissions: Permissions = field(default_factory=dict[str, Level])
    repository_ids: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TokenRequest:
    """Who asks for which token, and for what.

    Asked through the API, no permissions means all that the requester's policies allow. `repository_names` are names
    within the installation's account, for who does not know the ids. `min_ttl` is how long the token must live still,
    beyond the last minute, in which none is handed out.
    """

    scope: TokenScope
    requester: Principal
    purpose: str
    repository_names: tuple[str, ...] = ()
    min_ttl: timedelta = timedelta()
    run_id: RunId | None = None

    @property
    def holder(self) -> str:
        """Who holds the token that answers it: the run that it is for, else whoever asked."""
        return f"run:{self.run_id}" if self.run_id else self.requester.actor
