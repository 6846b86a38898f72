"""Tokens that live, who holds them, and the audit of all that was granted, refused and revoked. Never the token itself.

A token is named by its SHA-256 in base64, as GitHub's own audit log names it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from .ids import InstallationId, OperationId, RunId
from .installation import InstallationToken, TokenRequest
from .permissions import Level, Permissions

TokenSha256 = NewType("TokenSha256", str)
TokenAuditId = NewType("TokenAuditId", UUID)


def token_sha256(token: str) -> TokenSha256:
    """The SHA-256 of a token in base64: names it without giving it away."""
    return TokenSha256(base64.b64encode(hashlib.sha256(token.encode()).digest()).decode())


@dataclass(frozen=True, kw_only=True)
class LiveToken:
    """A token that GitHub accepts still, as far as we know.

    `holders` are the runs and requesters that it was granted to and that did not give it up. An evicted token is
    granted to nobody any more. A lost one cannot be revoked, because Redis lost it; it ends by itself.
    """

    sha256: TokenSha256
    installation_id: InstallationId
    permissions: Permissions
    repository_ids: tuple[int, ...]
    minted_at: datetime
    expires_at: datetime
    is_evicted: bool
    is_lost: bool
    holders: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A token, who it is granted to, and the policy that allows it (none is needed by our own workers)."""

    request: TokenRequest
    token: InstallationToken
    policy: str | None

    @property
    def sha256(self) -> TokenSha256:
        """Names the token."""
        return token_sha256(self.token.token)


class AuditKind(StrEnum):
    """What the audit of tokens tells."""

    GRANT = "grant"
    REFUSAL = "refusal"
    REVOCATION = "revocation"


@dataclass(frozen=True, kw_only=True)
class TokenAuditEntry:
    """One grant, refusal or revocation. `permissions` are what the token had, or in a refusal what was asked for."""

    id: TokenAuditId
    at: datetime
    kind: AuditKind
    installation_id: InstallationId
    requested_by: str
    purpose: str
    run_id: RunId | None = None
    permissions: Mapping[str, Level] = field(default_factory=dict[str, Level])
    repository_ids: tuple[int, ...] = ()
    policy: str | None = None
    token_sha256: TokenSha256 | None = None
    minted_at: datetime | None = None
    expires_at: datetime | None = None
    reason: str | None = None
    holders: int | None = None
    operation_id: OperationId | None = None
