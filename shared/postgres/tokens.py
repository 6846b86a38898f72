"""Tokens that live and who holds them, so that each can be revoked, and none is while somebody needs it.

A grant locks the token's row against `FOR UPDATE`, which every revocation takes first: so a token is either granted
before and its holder is counted, or evicted before and not granted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from ..domain.ids import InstallationId, OperationId, RunId, new_id
from ..domain.installation import InstallationToken, TokenScope
from ..domain.permissions import parse_permissions
from ..domain.token import Grant, LiveToken, TokenSha256, token_sha256
from .pool import Connection

_LIVE = "t.expires_at > now() AND t.revoked_at IS NULL"
_UNHELD = "NOT EXISTS (SELECT FROM token_holders o WHERE o.token_sha256 = t.sha256 AND o.released_at IS NULL)"


@dataclass(frozen=True, kw_only=True)
class TokensChosen:
    """Which live tokens are meant: exactly one of the three is given."""

    installation_id: InstallationId | None = None
    run_id: RunId | None = None
    sha256: TokenSha256 | None = None


async def record_minted(conn: Connection, scope: TokenScope, token: InstallationToken) -> None:
    """Records a token before it is granted to anybody."""
    await conn.execute(
        """INSERT INTO tokens (sha256, installation_id, permissions, repository_ids, minted_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        token_sha256(token.token),
        token.installation_id,
        dict(token.permissions),
        list(scope.repository_ids),
        token.minted_at,
        token.expires_at,
    )


async def record_grants(conn: Connection, grants: Sequence[Grant]) -> list[bool]:
    """Records who holds which token, with an audit row each; False for a token that was evicted: it is not granted."""
    ids = [new_id() for _ in grants]
    rows = await conn.fetch(
        """
        WITH asked AS (
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[])
                AS a (id, sha256, holder, run_id, requested_by, purpose, policy)
        ), living AS (
            SELECT sha256, installation_id, permissions, repository_ids, minted_at, expires_at FROM tokens
            WHERE sha256 = ANY($2) AND evicted_at IS NULL ORDER BY sha256 FOR KEY SHARE
        ), held AS (
            INSERT INTO token_holders (token_sha256, holder, run_id)
            SELECT DISTINCT ON (a.sha256, a.holder) a.sha256, a.holder, a.run_id
            FROM asked a JOIN living USING (sha256) ORDER BY a.sha256, a.holder
            ON CONFLICT (token_sha256, holder) DO UPDATE SET granted_at = now(), released_at = NULL
                WHERE token_holders.released_at IS NOT NULL
        )
        INSERT INTO token_audit
            (kind, id, installation_id, permissions, repository_ids, requested_by, purpose, run_id, policy,
             token_sha256, minted_at, expires_at)
        SELECT 'grant', a.id, l.installation_id, l.permissions, l.repository_ids, a.requested_by, a.purpose, a.run_id,
            a.policy, l.sha256, l.minted_at, l.expires_at
        FROM asked a JOIN living l USING (sha256)
        RETURNING id
        """,
        ids,
        [grant.sha256 for grant in grants],
        [grant.request.holder for grant in grants],
        [grant.request.run_id for grant in grants],
        [grant.request.requester.actor for grant in grants],
        [grant.request.purpose for grant in grants],
        [grant.policy for grant in grants],
    )
    granted = {row["id"] for row in rows}
    return [each in granted for each in ids]


async def evict(conn: Connection, chosen: TokensChosen, *, by: OperationId | None = None) -> list[TokenSha256]:
    """Grants these tokens to nobody any more, whoever holds them; gives those that live.

    `by` is the operation that will revoke them.
    """
    rows = await conn.fetch(
        f"""
        UPDATE tokens t SET evicted_at = coalesce(t.evicted_at, now()), evicted_by = coalesce($4, t.evicted_by)
        WHERE t.sha256 = ANY (ARRAY(
            SELECT t.sha256 FROM tokens t WHERE {_chosen()} AND {_LIVE} ORDER BY t.sha256 FOR UPDATE))
        RETURNING t.sha256
        """,  # noqa: S608
        chosen.installation_id,
        chosen.run_id,
        chosen.sha256,
        by,
    )
    return [TokenSha256(row["sha256"]) for row in rows]


async def evict_unheld(conn: Connection, run_id: RunId, *, by: OperationId | None = None) -> list[TokenSha256]:
    """Takes the run's tokens from it, and grants those that nobody else holds to nobody any more; gives these.

    To be called in a transaction: the holders are counted after the tokens are locked.
    """
    await conn.execute(
        f"""SELECT FROM tokens t WHERE t.sha256 IN (SELECT token_sha256 FROM token_holders WHERE run_id = $1)
            AND {_LIVE} ORDER BY t.sha256 FOR UPDATE""",  # noqa: S608
        run_id,
    )
    await conn.execute("UPDATE token_holders SET released_at = now() WHERE run_id = $1 AND released_at IS NULL", run_id)
    rows = await conn.fetch(
        f"""
        UPDATE tokens t SET evicted_at = coalesce(t.evicted_at, now()), evicted_by = coalesce($2, t.evicted_by)
        WHERE t.sha256 IN (SELECT token_sha256 FROM token_holders WHERE run_id = $1)
          AND {_LIVE} AND t.lost_at IS NULL AND {_UNHELD}
        RETURNING t.sha256
        """,  # noqa: S608
        run_id,
        by,
    )
    return [TokenSha256(row["sha256"]) for row in rows]


async def runs_with_tokens_to_revoke(conn: Connection, *, finished_for: timedelta) -> list[RunId]:
    """Runs that ended so long ago and hold tokens still, or held ones that nobody else does.

    A run that was given one since is left out: a pull request may need its branch rebased long after the end.
    """
    rows = await conn.fetch(
        f"""
        SELECT DISTINCT h.run_id FROM token_holders h
        JOIN tokens t ON t.sha256 = h.token_sha256 JOIN runs r ON r.id = h.run_id
        WHERE r.finished_at <= now() - $1::interval AND {_LIVE} AND t.lost_at IS NULL
          AND (h.released_at IS NULL OR {_UNHELD})
          AND NOT EXISTS (
              SELECT FROM token_holders n WHERE n.run_id = h.run_id AND n.granted_at > now() - $1::interval)
        """,  # noqa: S608
        finished_for,
    )
    return [RunId(row["run_id"]) for row in rows]


async def live_tokens(
    conn: Connection, chosen: TokensChosen | None = None, *, after: TokenSha256 | None = None, limit: int | None = None
) -> list[LiveToken]:
    """The tokens that live, of those chosen or all, with their holders, by their SHA-256."""
    wanted = chosen or TokensChosen()
    rows = await conn.fetch(
        f"""
        SELECT t.sha256, t.installation_id, t.permissions, t.repository_ids, t.minted_at, t.expires_at,
            t.evicted_at IS NOT NULL AS is_evicted, t.lost_at IS NOT NULL AS is_lost,
            ARRAY(SELECT h.holder FROM token_holders h WHERE h.token_sha256 = t.sha256 AND h.released_at IS NULL
                  ORDER BY h.holder) AS holders
        FROM tokens t WHERE {_chosen()} AND {_LIVE} AND ($4::text IS NULL OR t.sha256 > $4)
        ORDER BY t.sha256 LIMIT $5
        """,  # noqa: S608
        wanted.installation_id,
        wanted.run_id,
        wanted.sha256,
        after,
        limit,
    )
    return [_from_row(row) for row in rows]


async def evicted_by(conn: Connection, operation_id: OperationId) -> list[TokenSha256]:
    """What an operation has still to revoke."""
    rows = await conn.fetch(
        f"SELECT t.sha256 FROM tokens t WHERE t.evicted_by = $1 AND {_LIVE} AND t.lost_at IS NULL",  # noqa: S608
        operation_id,
    )
    return [TokenSha256(row["sha256"]) for row in rows]


async def mark_revoked(conn: Connection, sha256: TokenSha256, *, is_lost: bool = False) -> LiveToken | None:
    """Records that a token was revoked, or that it cannot be; gives it as it was, None where that was known already."""
    row = await conn.fetchrow(
        f"""
        UPDATE tokens t SET revoked_at = CASE WHEN $2::boolean THEN NULL ELSE now() END,
            lost_at = CASE WHEN $2::boolean THEN now() END
        WHERE t.sha256 = $1 AND {_LIVE} AND t.lost_at IS NULL
        RETURNING t.sha256, t.installation_id, t.permissions, t.repository_ids, t.minted_at, t.expires_at,
            true AS is_evicted, $2::boolean AS is_lost,
            ARRAY(SELECT h.holder FROM token_holders h WHERE h.token_sha256 = t.sha256 AND h.released_at IS NULL
                  ORDER BY h.holder) AS holders
        """,  # noqa: S608
        sha256,
        is_lost,
    )
    return _from_row(row) if row else None


async def delete_expired(conn: Connection, *, expired_for: timedelta) -> int:
    """Forgets tokens that ended so long ago, and who held them; the audit keeps what was granted."""
    return int(
        await conn.fetchval(
            "WITH gone AS (DELETE FROM tokens WHERE expires_at < now() - $1::interval RETURNING 1)"
            " SELECT count(*) FROM gone",
            expired_for,
        )
    )


def _chosen() -> str:
    return """($1::bigint IS NULL OR t.installation_id = $1) AND ($3::text IS NULL OR t.sha256 = $3)
        AND ($2::uuid IS NULL OR t.sha256 IN (SELECT token_sha256 FROM token_holders WHERE run_id = $2))"""


def _from_row(row: asyncpg.Record) -> LiveToken:
    return LiveToken(
        sha256=TokenSha256(row["sha256"]),
        installation_id=InstallationId(row["installation_id"]),
        permissions=parse_permissions(row["permissions"]),
        repository_ids=tuple(row["repository_ids"]),
        minted_at=row["minted_at"],
        expires_at=row["expires_at"],
        is_evicted=row["is_evicted"],
        is_lost=row["is_lost"],
        holders=tuple(row["holders"]),
    )
