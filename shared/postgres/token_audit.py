"""The audit of tokens: what was granted, refused and revoked, to whom and for what. Rows are added and never changed.

Grants are written by `tokens.record_grants`, in the statement that makes the requester a holder.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg

from ..domain.ids import InstallationId, OperationId, RunId, new_id
from ..domain.installation import InstallationToken, TokenRequest
from ..domain.permissions import Permissions, parse_permissions
from ..domain.token import AuditKind, LiveToken, TokenAuditEntry, TokenAuditId, TokenSha256
from ..domain.token import token_sha256 as sha256_of
from .pool import Connection

_COLUMNS = """id, at, kind, installation_id, requested_by, purpose, run_id, permissions, repository_ids, policy,
    token_sha256, minted_at, expires_at, reason, holders, operation_id"""


async def record_refusal(conn: Connection, *, request: TokenRequest, reason: str) -> None:
    """Records that a request was refused, and why."""
    await _insert(
        conn,
        AuditKind.REFUSAL,
        request=request,
        permissions=request.scope.permissions,
        reason=reason,
    )


async def record_probe(
    conn: Connection, *, request: TokenRequest, token: InstallationToken, policy: str | None
) -> None:
    """Records a token that was minted to be revoked at once, and given to nobody, before it is revoked."""
    await _insert(conn, AuditKind.GRANT, request=request, permissions=token.permissions, token=token, policy=policy)


async def record_probe_end(
    conn: Connection, *, request: TokenRequest, token: InstallationToken, reason: str | None
) -> None:
    """Records that the probe's token was revoked; `reason` says where it could not be."""
    await _insert(
        conn, AuditKind.REVOCATION, request=request, permissions=token.permissions, token=token, reason=reason
    )


async def record_revocation(
    conn: Connection,
    *,
    token: LiveToken,
    requested_by: str,
    purpose: str,
    reason: str | None = None,
    run_id: RunId | None = None,
    operation_id: OperationId | None = None,
) -> None:
    """Records that a token was revoked while `token.holders` held it; `reason` says where it could not be."""
    await conn.execute(
        """
        INSERT INTO token_audit
            (kind, id, installation_id, permissions, repository_ids, requested_by, purpose, run_id,
             token_sha256, minted_at, expires_at, reason, holders, operation_id)
        VALUES ('revocation', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        """,
        new_id(),
        token.installation_id,
        dict(token.permissions),
        list(token.repository_ids),
        requested_by,
        purpose,
        run_id,
        token.sha256,
        token.minted_at,
        token.expires_at,
        reason,
        len(token.holders),
        operation_id,
    )


async def page_audit(
    conn: Connection,
    *,
    kind: AuditKind | None = None,
    installation_id: InstallationId | None = None,
    run_id: RunId | None = None,
    operation_id: OperationId | None = None,
    requested_by: str | None = None,
    token_sha256: TokenSha256 | None = None,
    since: datetime | None = None,
    before: TokenAuditId | None = None,
    limit: int = 50,
) -> list[TokenAuditEntry]:
    """Entries, newest first, from the one before `before`; filters that are not given let all pass."""
    rows = await conn.fetch(
        f"""
        SELECT {_COLUMNS} FROM token_audit
        WHERE ($1::text IS NULL OR kind = $1) AND ($2::bigint IS NULL OR installation_id = $2)
          AND ($3::uuid IS NULL OR run_id = $3) AND ($4::uuid IS NULL OR operation_id = $4)
          AND ($5::text IS NULL OR requested_by = $5) AND ($6::text IS NULL OR token_sha256 = $6)
          AND ($7::timestamptz IS NULL OR at >= $7) AND ($8::uuid IS NULL OR id < $8)
        ORDER BY id DESC LIMIT $9
        """,  # noqa: S608
        kind.value if kind else None,
        installation_id,
        run_id,
        operation_id,
        requested_by,
        token_sha256,
        since,
        before,
        limit,
    )
    return [_from_row(row) for row in rows]


async def _insert(
    conn: Connection,
    kind: AuditKind,
    *,
    request: TokenRequest,
    permissions: Permissions,
    token: InstallationToken | None = None,
    policy: str | None = None,
    reason: str | None = None,
) -> None:
    await conn.execute(
        """
        INSERT INTO token_audit
            (kind, id, installation_id, permissions, repository_ids, requested_by, purpose, run_id, policy, reason,
             token_sha256, minted_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        """,
        kind.value,
        new_id(),
        request.scope.installation_id,
        dict(permissions),
        list(request.scope.repository_ids),
        request.requester.actor,
        request.purpose,
        request.run_id,
        policy,
        reason,
        sha256_of(token.token) if token else None,
        token.minted_at if token else None,
        token.expires_at if token else None,
    )


def _from_row(row: asyncpg.Record) -> TokenAuditEntry:
    values: dict[str, Any] = {
        **row,
        "kind": AuditKind(row["kind"]),
        "permissions": parse_permissions(row["permissions"]),
        "repository_ids": tuple(row["repository_ids"]),
    }
    return TokenAuditEntry(**values)
