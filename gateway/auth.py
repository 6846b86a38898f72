"""Who asks: an API key or an OIDC token in `Authorization: Bearer …`, or the cookie of somebody who signed in.

What they may do is decided in `access/`, before a route is reached; routes find who asks in `SignedIn`.
"""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.auth.api_keys import digest_of, is_same_digest, new_api_key, prefix_of
from shared.auth.oidc import is_like_oidc_token
from shared.domain.principal import Principal
from shared.errors import InvalidSettings, NotAuthenticated
from shared.postgres import api_keys
from shared.postgres.api_keys import NewKey
from shared.postgres.pool import Connection

from .resources import Resources
from .sessions import Session, fetch_session

log = structlog.stdlib.get_logger(__name__)

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    description="An API key, `obk_…`, or an OIDC token of an issuer that is trusted",
)


async def authenticate(conn: Connection, key: str, *, pepper: str) -> Principal:
    """Whose key it is; raises `NotAuthenticated`, without telling an unknown key from a wrong one."""
    prefix = prefix_of(key)
    stored = await api_keys.fetch_valid_key(conn, prefix) if prefix else None
    if stored is None or not is_same_digest(stored.digest, digest_of(key, pepper=pepper)):
        raise NotAuthenticated("the API key is not valid")
    if not stored.used_lately:
        await api_keys.mark_used(conn, stored.prefix)
    return Principal(name=stored.name, grants=stored.grants, scopes=stored.scopes)


async def bearer(request: Request, resources: Resources) -> Principal | None:
    """Whose credential is in `Authorization`; None where there is none. Raises `NotAuthenticated`."""
    credentials = await _bearer(request)
    if credentials is None:
        return None
    if is_like_oidc_token(credentials.credentials):
        return await resources.oidc.verify(credentials.credentials)
    pepper = resources.settings.api_key_pepper.get_secret_value()
    async with resources.pool.acquire() as conn:
        return await authenticate(conn, credentials.credentials, pepper=pepper)


async def visitor(request: Request, resources: Resources) -> Session | None:
    """The session of who signed in to the pages; it is asked for once in a request."""
    if not hasattr(request.state, "session"):
        request.state.session = await fetch_session(resources, request)
    return request.state.session


async def signed_in(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Principal:
    """Who was found to ask, before the route was reached."""  # the dependency has the API's description tell of keys
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        raise NotAuthenticated("an API key is needed: send `Authorization: Bearer obk_…`")
    return principal


SignedIn = Annotated[Principal, Depends(signed_in)]
"""A route's parameter of this type is who asks; `access/rules.py` says what they need to reach the route."""


async def ensure_first_key(resources: Resources) -> str | None:
    """Accepts the configured key, or makes one where there is none at all; returns a key that was made.

    It is an admin's of all namespaces. Once revoked, it is not accepted again.
    """
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
    await api_keys.ensure_api_key(conn, NewKey(name="bootstrap", prefix=prefix, digest=digest, created_by="bootstrap"))
