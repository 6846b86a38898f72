"""From an `Authorization` header to a `Viewer`, with GitHub's messages where that fails.

Sources: docs.github.com "Generating a JSON Web Token (JWT) for a GitHub App" and answers recorded in the issue threads
of `@octokit/auth-app` and `ghinstallation`.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import jwt

from .access import LEVELS, Viewer
from .errors import Reason, Refused, forbidden, not_found
from .state import App, Installation, Token
from .world import World

LONGEST_JWT_SECONDS = 600
BAD_CREDENTIALS = "Bad credentials"
NOT_DECODED = "A JSON web token could not be decoded"
REQUIRED = "Requires authentication"


def unauthorized(message: str) -> Refused:
    """A 401."""
    return Refused(Reason.UNAUTHORIZED, message)


def credential(header: str | None) -> str | None:
    """The token or JWT in an `Authorization` header, whichever scheme carries it."""
    scheme, _, rest = (header or "").partition(" ")
    match scheme.lower():
        case "bearer" | "token":
            return rest.strip() or None
        case "basic":
            try:
                user, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
            return password or user or None
        case _:
            return None


def authenticate(world: World, header: str | None) -> Viewer:
    """Who asks; raises `Refused`."""
    secret = credential(header)
    if secret is None:
        raise unauthorized(REQUIRED if not header else BAD_CREDENTIALS)
    if secret.count(".") == 2:
        return _app_viewer(world, verify_jwt(world, secret), secret)
    return _installation_viewer(world, secret)


def verify_jwt(world: World, text: str) -> App:
    """The App that signed a JWT with one of its keys, judged by the sandbox's clock; raises `Refused`."""
    try:
        claims = jwt.decode(text, options={"verify_signature": False})
        algorithm = jwt.get_unverified_header(text).get("alg")
    except jwt.PyJWTError:
        raise unauthorized(NOT_DECODED) from None
    if algorithm != "RS256":
        raise unauthorized(NOT_DECODED)
    app = world.state.apps.by_issuer(str(claims.get("iss", "")))
    if app is None:
        raise not_found("Integration not found")
    keys = world.state.apps.keys(app.id)
    if not keys:
        raise unauthorized("Integration must generate a public key")
    if not any(_is_signed_by(text, key) for key in keys):
        raise unauthorized(NOT_DECODED)
    _check_times(claims, world.clock.skewed())
    return app


def _is_signed_by(text: str, public_pem: str) -> bool:
    unchecked = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
    try:
        jwt.decode(text, public_pem, algorithms=["RS256"], options=unchecked)  # pyright: ignore[reportArgumentType]
    except jwt.PyJWTError:
        return False
    return True


def _check_times(claims: dict[str, Any], now: float) -> None:
    expires, issued = claims.get("exp"), claims.get("iat")
    if not isinstance(expires, int | float) or isinstance(expires, bool):
        raise unauthorized("Missing 'expiration time' claim ('exp') in assertion")
    if expires <= now:
        raise unauthorized(
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the"
            " assertion expires"
        )
    if expires > now + LONGEST_JWT_SECONDS:
        raise unauthorized("'Expiration time' claim ('exp') is too far in the future")
    if not isinstance(issued, int | float) or isinstance(issued, bool):
        raise unauthorized("Missing 'issued at' claim ('iat') in assertion")
    if issued > now:
        raise unauthorized(
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
        )


def _app_viewer(world: World, app: App, secret: str) -> Viewer:
    return Viewer(
        app=app,
        account=world.state.accounts.get(app.bot_id),
        installation=None,
        permissions={},
        repository_ids=frozenset(),
        token=secret,
    )


def _installation_viewer(world: World, secret: str) -> Viewer:
    facts = world.state.tokens.find(secret)
    if facts is None or facts.expires <= world.clock.now():
        raise unauthorized(BAD_CREDENTIALS)
    if world.clock.now() - facts.created < world.faults.replication_lag():
        raise forbidden() if facts.down_scoped else unauthorized(BAD_CREDENTIALS)
    installation = world.state.installations.get(facts.installation_id)
    if installation.suspended_at:
        raise forbidden("This installation has been suspended")
    app = world.state.apps.get(installation.app_id)
    return Viewer(
        app=app,
        account=world.state.accounts.get(app.bot_id),
        installation=installation,
        permissions=_least(facts.permissions, installation.permissions),
        repository_ids=_repository_ids(world, installation, facts),
        token=secret,
    )


def _least(asked: dict[str, str], granted: dict[str, str]) -> dict[str, str]:
    """What the token says and the installation grants still."""
    return {
        resource: min(level, granted[resource], key=lambda each: LEVELS[each])
        for resource, level in asked.items()
        if resource in granted
    }


def _repository_ids(world: World, installation: Installation, facts: Token) -> frozenset[int] | None:
    if installation.repository_selection == "all":
        return None if facts.repository_ids is None else frozenset(facts.repository_ids)
    selected = world.state.installations.selected(installation.id)
    return selected if facts.repository_ids is None else selected & frozenset(facts.repository_ids)
