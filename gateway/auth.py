"""Who asks: an API key in `Authorization: Bearer obk_…`, or the cookie of somebody who signed in to the pages.

A workload with an OIDC token may ask for installation tokens, and for nothing else.
"""

from __future__ import annotations

import secrets
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.auth.api_keys import digest_of, is_same_digest, new_api_key, prefix_of
from shared.auth.oidc import is_like_oidc_token
from shared.domain.principal import Principal
from shared.errors import InvalidSettings, NotAuthenticated
from shared.postgres import api_keys
from shared.postgres.pool import Connection

from .resources import Opened, Resources

log = structlog.stdlib.get_logger(__name__)

SESSION_COOKIE = "octobatch_session"
SESSION_SECONDS = 12 * 3600

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    description="An API key, `obk_…`; for installation tokens an OIDC token too",
)


async def authenticate(conn: Connection, key: str, *, pepper: str) -> Principal:
    """Whose key it is; raises `NotAuthenticated`, without telling an unknown key from a wrong one."""
    prefix = prefix_of(key)
    stored = await api_keys.fetch_valid_key(conn, prefix) if prefix else None
    if stored is None or not is_same_digest(stored.digest, digest_of(key, pepper=pepper)):
        raise NotAuthenticated("the API key is not valid")
    if not stored.used_lately:
        await api_keys.mark_used(conn, stored.prefix)
    return Principal(name=stored.name)


async def _principal(
    request: Request,
    resources: Opened,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    if credentials:
        if is_like_oidc_token(credentials.credentials):
            raise NotAuthenticated("an OIDC token can ask for installation tokens alone: an API key is needed here")
        pepper = resources.settings.api_key_pepper.get_secret_value()
        async with resources.pool.acquire() as conn:
            return await authenticate(conn, credentials.credentials, pepper=pepper)
    if request.method == "GET" and (principal := await session_principal(request, resources)):
        return principal
    raise NotAuthenticated("an API key is needed: send `Authorization: Bearer obk_…`")


SignedIn = Annotated[Principal, Depends(_principal)]
"""A route's parameter of this type is who asks; without a valid credential the route is not reached."""


async def _token_requester(
    request: Request,
    resources: Opened,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    if credentials is None:
        raise NotAuthenticated("an API key or an OIDC token is needed: send `Authorization: Bearer …`")
    if is_like_oidc_token(credentials.credentials):
        return await resources.oidc.verify(credentials.credentials)
    return await _principal(request, resources, credentials)


TokenRequester = Annotated[Principal, Depends(_token_requester)]
"""A key's owner, or a workload with an OIDC token: for the routes that give installation tokens, as no cookie does."""


async def open_session(resources: Resources, principal: Principal) -> str:
    """A session for the pages; it may read, and ends by itself after twelve hours."""
    session_id = secrets.token_urlsafe(32)
    await resources.redis.set(_session_key(session_id), principal.name, ex=SESSION_SECONDS)
    return session_id


async def close_session(resources: Resources, request: Request) -> None:
    """Ends the session of a request, if it has one."""
    if session_id := request.cookies.get(SESSION_COOKIE):
        await resources.redis.delete(_session_key(session_id))


async def session_principal(request: Request, resources: Resources) -> Principal | None:
    """Who signed in to the pages."""
    session_id = request.cookies.get(SESSION_COOKIE)
    name: bytes | None = await resources.redis.get(_session_key(session_id)) if session_id else None
    return Principal(name=name.decode()) if name else None


async def ensure_first_key(resources: Resources) -> str | None:
    """Accepts the configured key, or makes one where there is none at all; returns a key that was made."""
    configured = resources.settings.bootstrap_api_key
    async with resources.pool.acquire() as conn, conn.transaction():
        if configured:
            await _store(conn, configured.get_secret_value(), resources)
            return None
        if await api_keys.has_api_keys(conn):
            return None
        key = new_api_key()
        await _store(conn, key, resources)
        return key


async def _store(conn: Connection, key: str, resources: Resources) -> None:
    prefix = prefix_of(key)
    if prefix is None:
        raise InvalidSettings(
            "OCTOBATCH_BOOTSTRAP_API_KEY: not an API key; its form is obk_<8 letters or digits>_<secret>"
        )
    digest = digest_of(key, pepper=resources.settings.api_key_pepper.get_secret_value())
    await api_keys.insert_api_key(conn, name="bootstrap", prefix=prefix, digest=digest)


def _session_key(session_id: str) -> str:
    return f"octobatch:{{sessions}}:{session_id}"
