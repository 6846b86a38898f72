"""Installations of the GitHub App, and the tokens they give."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from .ids import InstallationId
from .permissions import Level, Permissions


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An installation of the App on an organisation's or user's account."""

    id: InstallationId
    account: str  # login of the organisation or user
    account_type: str  # Organization | User
    repository_selection: str  # all | selected
    permissions: Permissions
    suspended_at: datetime | None
    updated_at: datetime


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
class TokenRequest:
    """What a requester asks for: no permissions or repositories means all that the installation has."""

    installation_id: InstallationId
    permissions: Permissions = field(default_factory=dict[str, Level])
    repository_ids: tuple[int, ...] = ()
    requested_by: str = ""
    purpose: str = ""
