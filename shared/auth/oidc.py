"""OIDC tokens of workloads, such as a job of GitHub Actions, and of people: who an issuer says that it is.

Only the issuers that the settings name are believed, only signatures by a public key that the issuer publishes now,
and only tokens that were made for us, as their audience says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import jwt

from ..domain.oidc_grants import GrantRule, granted_by
from ..domain.principal import Principal, PrincipalKind
from ..errors import NotAuthenticated
from .issuers import Issuer

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
LEEWAY_SECONDS = 60
MAX_TOKEN_CHARACTERS = 16 * 1024
REQUIRED = ["exp", "iss", "sub", "aud"]

_FORM = 2  # dots of a signed JWT


def is_like_oidc_token(credential: str) -> bool:
    """Whether a credential has the form of a signed JWT, which no API key has."""
    return credential.count(".") == _FORM


class OidcVerifier:
    """Tells who sends an OIDC token."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        issuers: Sequence[str],
        audience: str,
        grants: Sequence[GrantRule] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuers = {url: Issuer(url, http, now=now) for url in issuers}
        self._audience = audience
        self._grants = tuple(grants)

    async def verify(self, token: str) -> Principal:
        """Whose token it is, with what the rules grant.

        Raises `NotAuthenticated` that says what to put right, and `Unavailable` where the issuer does not say its keys.
        """
        issuer, algorithm, key_id = self._read(token)
        found = await issuer.key(key_id)
        if found is None:
            raise NotAuthenticated("the OIDC token is signed with a key that its issuer does not publish")
        claims = self._checked(token, _usable(found, algorithm), issuer=issuer.url)
        return Principal(
            kind=PrincipalKind.OIDC,
            name=claims["sub"],
            issuer=issuer.url,
            claims=claims,
            grants=granted_by(self._grants, issuer.url, claims),
        )

    async def discovery(self, issuer: str) -> Mapping[str, Any]:
        """What one of the issuers says of itself; raises `Unavailable` where it does not say."""
        return await self._issuers[issuer].document()

    def _read(self, token: str) -> tuple[Issuer, str, str]:
        """What has to be known before the signature can be checked: nothing of it is believed yet."""
        if not self._issuers:
            raise NotAuthenticated("no OIDC issuer is trusted here: an administrator sets OCTOBATCH_OIDC_ISSUERS")
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise NotAuthenticated(f"the OIDC token has more than {MAX_TOKEN_CHARACTERS} characters")
        try:
            header = jwt.get_unverified_header(token)
            claims: Mapping[str, Any] = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, RecursionError):
            raise NotAuthenticated("the credential is neither an API key nor a token that can be read") from None
        algorithm, key_id, url = header.get("alg"), header.get("kid"), claims.get("iss")
        issuer = self._issuers.get(url) if isinstance(url, str) else None
        if issuer is None:
            raise NotAuthenticated("the OIDC token's issuer is not trusted: the gateway's settings say which are")
        if algorithm not in ALGORITHMS:
            raise NotAuthenticated(f"the OIDC token must be signed with one of {', '.join(sorted(ALGORITHMS))}")
        if not isinstance(key_id, str):
            raise NotAuthenticated("the OIDC token does not name the key that it is signed with (kid)")
        return issuer, algorithm, key_id

    def _checked(self, token: str, key: jwt.PyJWK, *, issuer: str) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": REQUIRED, "enforce_minimum_key_length": True},
            )
        except jwt.ExpiredSignatureError:
            why = "has expired: ask its issuer for a new one"
        except jwt.ImmatureSignatureError:
            why = "is not valid yet: compare the clocks of its issuer and of this gateway"
        except jwt.MissingRequiredClaimError as error:
            why = f"has no claim {error.claim}"
        except jwt.InvalidAudienceError:
            why = f"was made for another audience: ask its issuer for one with the audience {self._audience}"
        except jwt.InvalidSignatureError:
            why = "is not signed by its issuer"
        except (jwt.PyJWTError, OverflowError):
            why = "is not valid"
        raise NotAuthenticated(f"the OIDC token {why}")


def _usable(key: Mapping[str, Any], algorithm: str) -> jwt.PyJWK:
    try:
        if key.get("alg", algorithm) == algorithm:
            return jwt.PyJWK(dict(key), algorithm)
    except jwt.PyJWTError:
        pass
    raise NotAuthenticated(f"the OIDC token's key is not one for {algorithm}")
