"""The audit of tokens: who was given which, for what, and never the token itself."""

from __future__ import annotations

from ..domain.ids import new_id
from ..domain.installation import InstallationToken, TokenRequest
from .pool import Connection


async def record_grant(conn: Connection, *, request: TokenRequest, token: InstallationToken, token_sha256: str) -> None:
    """Records that `token` was given in answer to `request`.

    `token_sha256` is the base64 of the token's SHA-256, by which GitHub's own audit log names it. The permissions
    recorded are those the token has.
    """
    await conn.execute(
        """
        INSERT INTO token_audit
            (kind, id, installation_id, permissions, repository_ids, requested_by, purpose, token_sha256,
             minted_at, expires_at)
        VALUES ('grant', $1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        new_id(),
        token.installation_id,
        dict(token.permissions),
        list(request.scope.repository_ids),
        request.requester.actor,
        request.purpose,
        token_sha256,
        token.minted_at,
        token.expires_at,
    )
