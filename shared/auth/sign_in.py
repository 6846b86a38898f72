"""Signing people in at an OIDC provider: the code flow (OpenID Connect Core 1.0, section 3.1) with PKCE (RFC 7636).

    attempt = SignInAttempt.fresh()                  # kept until the browser comes back
    await provider.address(attempt)                  # where the browser goes
    await provider.redeem(attempt, code=…, issuer=…)  # who came back with that code

What ties an answer to the browser that asked for it, `state`, is compared by whoever keeps the attempt.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote_plus

import httpx

from ..domain.oidc_grants import GrantRule
from ..domain.principal import Principal, PrincipalKind
from ..errors import NotAuthenticated, Unavailable
from ..settings import is_trusted_address
from .issuers import MAX_BYTES
from .oidc import OidcVerifier


@dataclass(frozen=True, kw_only=True)
class SignInAttempt:
    """What is only known to us between the two ways of a sign-in; each is good for one."""

    state: str
    nonce: str
    code_verifier: str

    @classmethod
    def fresh(cls) -> SignInAttempt:
        """One that nobody can guess."""
        return cls(
            state=secrets.token_urlsafe(32), nonce=secrets.token_urlsafe(32), code_verifier=secrets.token_urlsafe(48)
        )

    @property
    def code_challenge(self) -> str:
        """What the provider is told of the verifier (S256)."""
        digest = hashlib.sha256(self.code_verifier.encode()).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


class SignInProvider:
    """An OIDC provider, and the client that Octobatch is to it; without a secret it is a public one."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        issuer: str,
        client_id: str,
        client_secret: str,
        scopes: str,
        redirect_uri: str,
        grants: Sequence[GrantRule],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._issuer = issuer
        self._client_id, self._client_secret = client_id, client_secret
        self._scopes, self._redirect_uri = scopes, redirect_uri
        self._verifier = OidcVerifier(http, issuers=[issuer], audience=client_id, grants=grants, now=now)

    async def address(self, attempt: SignInAttempt) -> str:
        """Where the browser goes to sign in; raises `Unavailable` where the provider does not say."""
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._scopes,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.code_challenge,
            "code_challenge_method": "S256",
        }
        return str(httpx.URL(await self._endpoint("authorization_endpoint")).copy_merge_params(asked))

    async def redeem(self, attempt: SignInAttempt, *, code: str, issuer: str = "") -> Principal:
        """Who signed in, with what the rules grant. `issuer` is whom the answer says it is from (RFC 9207), if it does.

        Raises `NotAuthenticated` that says what was wrong, and `Unavailable` where the provider does not answer.
        """
        if issuer and issuer != self._issuer:
            raise NotAuthenticated("the answer is from another provider than the one that was asked")
        id_token = (await self._tokens(attempt, code)).get("id_token")
        if not isinstance(id_token, str):
            raise NotAuthenticated("the provider gave no ID token: OCTOBATCH_OIDC_SIGN_IN_SCOPES must have `openid`")
        principal = await self._verifier.verify(id_token)
        claims = principal.claims
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), attempt.nonce.encode()):
            raise NotAuthenticated("the ID token was made for another sign-in")
        several = isinstance(claims["aud"], list) and len(cast("list[Any]", claims["aud"])) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._client_id:
            raise NotAuthenticated("the ID token was made for another client (azp)")
        return replace(principal, kind=PrincipalKind.USER, name=_name(claims))

    async def _endpoint(self, name: str) -> str:
        document = await self._verifier.discovery(self._issuer)
        address = document.get(name)
        if not isinstance(address, str) or not is_trusted_address(address.partition("?")[0]) or "#" in address:
            raise self._unavailable(f"its discovery document gives no https address as {name}")
        return address

    async def _tokens(self, attempt: SignInAttempt, code: str) -> Mapping[str, Any]:
        """The token endpoint's answer to a code (RFC 6749, section 4.1.3)."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": attempt.code_verifier,
        }
        address = await self._endpoint("token_endpoint")
        basic: tuple[str, str] | None = None
        if self._client_secret and not await self._takes_secrets_in_forms_alone():
            basic = quote_plus(self._client_id), quote_plus(self._client_secret)  # section 2.3.1: encoded before
        else:
            form["client_id"] = self._client_id
            form |= {"client_secret": self._client_secret} if self._client_secret else {}
        try:
            answer = await self._http.post(
                address, data=form, headers={"Accept": "application/json"}, auth=basic or httpx.USE_CLIENT_DEFAULT
            )
        except httpx.HTTPError as error:
            raise self._unavailable(type(error).__name__) from None
        facts = _object_in(answer)
        if answer.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED):
            raise NotAuthenticated(f"the provider does not accept what came back from it ({error_code(facts)})")
        if answer.status_code != HTTPStatus.OK or facts is None:
            raise self._unavailable(f"its token endpoint answered {answer.status_code}, and no tokens")
        return facts

    async def _takes_secrets_in_forms_alone(self) -> bool:
        methods = (await self._verifier.discovery(self._issuer)).get("token_endpoint_auth_methods_supported")
        known = cast("list[Any]", methods) if isinstance(methods, list) else ["client_secret_basic"]
        return "client_secret_basic" not in known and "client_secret_post" in known

    def _unavailable(self, why: str) -> Unavailable:
        return Unavailable(f"the OIDC provider {self._issuer}", why)


def error_code(facts: Mapping[str, Any] | None) -> str:
    """The code of an error (RFC 6749, sections 4.1.2.1 and 5.2), where it is one: anybody can write the others."""
    code = (facts or {}).get("error")
    is_code = isinstance(code, str) and code.isascii() and code.replace("_", "").isalpha() and len(code) <= 60
    return str(code) if is_code else "no reason given"


def _name(claims: Mapping[str, Any]) -> str:
    """An address that the provider has verified, else the subject: people choose other names themselves."""
    email = claims.get("email")
    is_theirs = claims.get("email_verified") is True and isinstance(email, str) and email.isprintable() and email
    return str(email) if is_theirs else str(claims["sub"])


def _object_in(answer: httpx.Response) -> Mapping[str, Any] | None:
    if len(answer.content) > MAX_BYTES:
        return None
    try:
        found: Any = answer.json()
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None
