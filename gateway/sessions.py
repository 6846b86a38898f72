"""Sessions of the pages: who signed in, kept in Redis, and the token that their writes carry.

A session is found by its id, which the browser holds in a cookie that no script can read. It ends when it is signed out
of, when nobody used it for some hours, or some hours after it began, whichever is first. Whoever signed in with an API
key has what that key is granted now, and nothing once it is revoked.

The cookie is `SameSite=Lax`: with `Strict` a browser would not send it with a page that a link from elsewhere leads to.
What writes is protected by more than that: the token of the session (`X-CSRF-Token`, or the field `csrf_token` of a
form), and the browser's word that the request comes from a page of ours.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request, Response

from shared.domain.principal import Principal
from shared.domain.roles import grants_from_json, grants_to_json
from shared.errors import NotPermitted
from shared.postgres import api_keys

from .resources import Resources

SESSION_SECONDS = 12 * 3600
"""How long a session lives at most."""

IDLE_SECONDS = 2 * 3600
"""How long it lives unused."""

_COOKIE = "octobatch_session"
_CSRF_HEADER, _CSRF_FIELD = "X-CSRF-Token", "csrf_token"


@dataclass(frozen=True, kw_only=True)
class Session:
    """Somebody who signed in. `csrf_token` is what their writes carry."""

    principal: Principal
    csrf_token: str


async def open_session(
    resources: Resources, request: Request, response: Response, principal: Principal, *, key_prefix: str = ""
) -> None:
    """Begins a session under a fresh id, which `response` gives to the browser; the one before it ends."""
    await _forget(resources, request)
    session_id = secrets.token_urlsafe(32)
    kept: dict[str, Any] = {
        "key_prefix": key_prefix,
        "principal": {**principal.to_json(), "claims": {}, "grants": grants_to_json(principal.grants)},
        "ends_at": time.time() + SESSION_SECONDS,
    }
    await resources.redis.set(_address_of(session_id), json.dumps(kept), ex=IDLE_SECONDS)
    response.set_cookie(
        cookie_of(resources),
        session_id,
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="lax",
        secure=is_https(resources),
    )


async def fetch_session(resources: Resources, request: Request) -> Session | None:
    """The session of a request that has one, which lives on for it."""
    session_id = request.cookies.get(cookie_of(resources))
    if not session_id:
        return None
    kept: bytes | None = await resources.redis.getex(_address_of(session_id), ex=IDLE_SECONDS)
    facts: dict[str, Any] = json.loads(kept) if kept else {}
    if not facts or facts["ends_at"] <= time.time():
        return None
    principal = await _principal(resources, facts)
    return Session(principal=principal, csrf_token=_csrf_token(resources, session_id)) if principal else None


async def close_session(resources: Resources, request: Request, response: Response) -> None:
    """Ends the session of a request, if it has one."""
    await _forget(resources, request)
    response.delete_cookie(cookie_of(resources), httponly=True, samesite="lax", secure=is_https(resources))


async def check_write(resources: Resources, request: Request, session: Session) -> None:
    """Raises `NotPermitted` for a write of a session that no page of ours asked for."""
    check_origin(resources, request)
    given = request.headers.get(_CSRF_HEADER)
    if given is None and request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        field = (await request.form()).get(_CSRF_FIELD)
        given = field if isinstance(field, str) else None
    if given is None or not hmac.compare_digest(given.encode(), session.csrf_token.encode()):
        raise NotPermitted(
            f"a write of who signed in to the pages needs the session's token, as {_CSRF_HEADER} or {_CSRF_FIELD}:"
            " load the page again, or use an API key"
        )


def check_origin(resources: Resources, request: Request) -> None:
    """Raises `NotPermitted` where the browser says that a page of somebody else's asked for this."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    ours = {_host(resources.settings.public_url), request.headers.get("Host", "")} - {""}
    if site not in (None, "same-origin", "none") or (site is None and origin and _host(origin) not in ours):
        raise NotPermitted("this was asked for from another site's page: open Octobatch, and do it there")


async def _forget(resources: Resources, request: Request) -> None:
    if session_id := request.cookies.get(cookie_of(resources)):
        await resources.redis.delete(_address_of(session_id))


async def _principal(resources: Resources, facts: dict[str, Any]) -> Principal | None:
    if not facts["key_prefix"]:
        return Principal.from_json(facts["principal"]).granted(grants_from_json(facts["principal"]["grants"]))
    async with resources.pool.acquire() as conn:
        key = await api_keys.fetch_valid_key(conn, facts["key_prefix"])
    return Principal(name=key.name, grants=key.grants, scopes=key.scopes) if key else None


def _csrf_token(resources: Resources, session_id: str) -> str:
    """Bound to the session, and made of its id, so that it need not be kept; nobody can go back from it to the id."""
    pepper = resources.settings.api_key_pepper.get_secret_value().encode()
    return hmac.new(pepper, f"csrf {session_id}".encode(), hashlib.sha256).hexdigest()


def _address_of(session_id: str) -> str:
    """Under its digest: who reads Redis cannot take a session over."""
    return f"octobatch:{{sessions}}:{hashlib.sha256(session_id.encode()).hexdigest()}"


def cookie_of(resources: Resources, name: str = _COOKIE) -> str:
    """The name of a cookie. `__Host-` works with https alone, and means that no other host has set it."""
    return f"__Host-{name}" if is_https(resources) else name


def is_https(resources: Resources) -> bool:
    """Whether browsers reach the gateway by https."""
    return resources.settings.public_url.startswith("https://")


def _host(address: str) -> str:
    return urlsplit(address).netloc
