"""Probe tokens in the audit of tokens: granted to nobody, and revoked at once."""

from __future__ import annotations

from ..domain.ids import new_id
from ..domain.installation import InstallationToken, TokenRequest
from .pool import Connection


async def record_probe(
    conn: Connection, *, request: TokenRequest, token: InstallationToken, token_sha256: str, policy: str | None
) -> None:
    """Records that a token was minted for a probe, before it is revoked."""
    await _insert(conn, "grant", request, token, token_sha256, policy=policy)


async def record_probe_end(
    conn: Connection, *, request: TokenRequest, token: InstallationToken, token_sha256: str, reason: str | None
) -> None:
    """Records that the probe's token was revoked; `reason` says where it could not be."""
    await _insert(conn, "revocation", request, token, token_sha256, reason=reason)


async def record_probe_refusal(conn: Connection, *, request: TokenRequest, reason: str) -> None:
    """Records that a probe was refused, and why."""
    await _insert(conn, "refusal", request, None, None, reason=reason)


async def _insert(
    conn: Connection,
    kind: str,
    request: TokenRequest,
    token: InstallationToken | None,
    token_sha256: str | None,
    *,
    policy: str | None = None,
    reason: str | None = None,
) -> None:
    await conn.execute(
        """
        INSERT INTO token_audit
            (kind, id, installation_id, permissions, repository_ids, requested_by, purpose, policy, reason,
             token_sha256, minted_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        kind,
        new_id(),
        request.scope.installation_id,
        dict(token.permissions if token else request.scope.permissions),
        list(request.scope.repository_ids),
        request.requester.actor,
        request.purpose,
        policy,
        reason,
        token_sha256,
        token.minted_at if token else None,
        token.expires_at if token else None,
    )
