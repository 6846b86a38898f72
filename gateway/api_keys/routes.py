"""API keys: made, listed, rotated and revoked. A secret is shown when it is made, and never again."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Response, status

from shared.auth.api_keys import digest_of, new_api_key, prefix_of
from shared.clock import utcnow
from shared.domain.roles import Grant, KeyScope
from shared.errors import Conflict, InvalidInput, Problem
from shared.postgres import api_keys
from shared.postgres.api_keys import ApiKey, NewKey
from shared.postgres.pool import Connection

from ..auth import SignedIn
from ..paging import Cursor, Limit, Page, id_in, page
from ..resources import Opened, Resources
from ..versions import V1
from .schemas import ApiKeyWithSecret, NewApiKey, Rotation, ShownApiKey

router = APIRouter(prefix="/api-keys", tags=["access"])


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_api_key(
    body: NewApiKey, response: Response, resources: Opened, principal: SignedIn
) -> ApiKeyWithSecret:
    """Make a key. Its secret is in the answer, and is not shown again."""
    _check_future(body.expires_at)
    async with resources.pool.acquire() as conn, conn.transaction():
        return await _make(
            conn,
            resources,
            response,
            name=body.name,
            grants=tuple(Grant(each.role, each.namespace) for each in body.grants),
            scopes=frozenset(body.scopes),
            created_by=principal.actor,
            expires_at=body.expires_at,
        )


@router.get("")
async def list_api_keys(resources: Opened, _: SignedIn, limit: Limit = 50, cursor: Cursor = None) -> Page[ShownApiKey]:
    """Keys, newest first; those that are revoked or have expired too."""
    async with resources.pool.acquire() as conn:
        rows = await api_keys.page_api_keys(conn, before=id_in(cursor), limit=limit + 1)
    return page(rows, limit=limit, position=lambda each: each.id, show=ShownApiKey.model_validate)


@router.get("/{key_id}")
async def get_api_key(key_id: UUID, resources: Opened, _: SignedIn) -> ShownApiKey:
    """One key."""
    async with resources.pool.acquire() as conn:
        return ShownApiKey.model_validate(await api_keys.get_api_key(conn, key_id))


@router.post("/{key_id}/rotate", status_code=status.HTTP_201_CREATED)
async def rotate_api_key(
    key_id: UUID, body: Rotation, response: Response, resources: Opened, principal: SignedIn
) -> ApiKeyWithSecret:
    """Make another key of the same name, grants and scopes. The old one is valid for a while still."""
    _check_future(body.expires_at)
    async with resources.pool.acquire() as conn, conn.transaction():
        old = await api_keys.get_api_key(conn, key_id)
        _check_valid(old)
        lifetime = old.expires_at - old.created_at if old.expires_at else None
        made = await _make(
            conn,
            resources,
            response,
            name=old.name,
            grants=old.grants,
            scopes=old.scopes,
            created_by=principal.actor,
            expires_at=body.expires_at or (utcnow() + lifetime if lifetime else None),
            rotated_from=old.id,
        )
        await api_keys.expire_api_key(conn, old.id, after=timedelta(seconds=body.grace_seconds))
    return made


@router.delete("/{key_id}", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_api_key(key_id: UUID, resources: Opened, _: SignedIn) -> Response:
    """Revoke a key: from this answer on it opens nothing, and sessions that were begun with it are over."""
    async with resources.pool.acquire() as conn, conn.transaction():
        await api_keys.revoke_api_key(conn, key_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


async def _make(
    conn: Connection,
    resources: Resources,
    response: Response,
    *,
    name: str,
    grants: tuple[Grant, ...],
    scopes: frozenset[KeyScope],
    created_by: str,
    expires_at: datetime | None,
    rotated_from: UUID | None = None,
) -> ApiKeyWithSecret:
    secret = new_api_key()
    made = await api_keys.insert_api_key(
        conn,
        NewKey(
            name=name,
            prefix=prefix_of(secret) or "",
            digest=digest_of(secret, pepper=resources.settings.api_key_pepper.get_secret_value()),
            grants=grants,
            scopes=scopes,
            created_by=created_by,
            expires_at=expires_at,
            rotated_from=rotated_from,
        ),
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Location"] = f"{V1}/api-keys/{made.id}"
    return ApiKeyWithSecret(api_key=ShownApiKey.model_validate(made), secret=secret)


def _check_valid(key: ApiKey) -> None:
    if key.revoked_at or (key.expires_at and key.expires_at <= utcnow()):
        raise Conflict(f"the API key {key.name} is not valid any more: make a new one")


def _check_future(expires_at: datetime | None) -> None:
    if expires_at and expires_at <= utcnow():
        raise InvalidInput("the request is not valid", [Problem("must be in the future", path="body.expires_at")])
