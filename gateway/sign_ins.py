"""Sign-ins at an OIDC provider that are under way: kept in Redis for ten minutes, bound to a cookie of the browser.

The browser that comes back must be the one that went, and an attempt is taken once. The cookie is `SameSite=Lax`, as
the browser comes back from another site; it is not the session's, which is begun afresh by who has signed in.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict

from fastapi import Request, Response

from shared.auth.sign_in import SignInAttempt

from .resources import Resources
from .sessions import cookie_of, is_https

ATTEMPT_SECONDS = 600
"""How long somebody may take to sign in at the provider."""

_COOKIE = "octobatch_sign_in"


async def keep_attempt(resources: Resources, response: Response, attempt: SignInAttempt, *, next_page: str) -> None:
    """Keeps an attempt, under an id that `response` gives to the browser."""
    attempt_id = secrets.token_urlsafe(32)
    kept = json.dumps({"attempt": asdict(attempt), "next": next_page})
    await resources.redis.set(_address_of(attempt_id), kept, ex=ATTEMPT_SECONDS)
    response.set_cookie(
        cookie_of(resources, _COOKIE),
        attempt_id,
        max_age=ATTEMPT_SECONDS,
        httponly=True,
        samesite="lax",
        secure=is_https(resources),
    )


async def take_attempt(resources: Resources, request: Request) -> tuple[SignInAttempt, str] | None:
    """The attempt of the browser, and the page to go on to; it is there no more. None where there is none."""
    attempt_id = request.cookies.get(cookie_of(resources, _COOKIE))
    kept: bytes | None = await resources.redis.getdel(_address_of(attempt_id)) if attempt_id else None
    if kept is None:
        return None
    facts = json.loads(kept)
    return SignInAttempt(**facts["attempt"]), str(facts["next"])


def drop_cookie(resources: Resources, response: Response) -> None:
    """Has the browser forget the attempt."""
    response.delete_cookie(cookie_of(resources, _COOKIE), httponly=True, samesite="lax", secure=is_https(resources))


def _address_of(attempt_id: str) -> str:
    return f"octobatch:{{sign-ins}}:{hashlib.sha256(attempt_id.encode()).hexdigest()}"
