"""OIDC issuers: where they publish their keys, and the keys, kept for an hour.

An issuer's document (OpenID Connect Discovery 1.0, section 4) must name the issuer itself, and say where its keys are.
Addresses are https; http is for this machine alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, cast

import httpx
import structlog

from ..errors import OctobatchError, Unavailable
from ..settings import is_trusted_address

log = structlog.stdlib.get_logger(__name__)

KEYS_LIVE_SECONDS = 3600.0
PAUSE_SECONDS = 10.0
"""Least time between two requests for an issuer's keys: tokens that are made up cannot make us flood it."""
MAX_BYTES = 512 * 1024


class Issuer:
    """One issuer, and its keys by their ids."""

    def __init__(self, url: str, http: httpx.AsyncClient, *, now: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self._http = http
        self._now = now
        self._document: Mapping[str, Any] = {}
        self._keys: dict[str, Mapping[str, Any]] = {}
        self._fetched_at = self._asked_at = float("-inf")
        self._failure: OctobatchError | None = None
        self._asking = asyncio.Lock()

    async def key(self, key_id: str) -> Mapping[str, Any] | None:
        """The public key (JWK) of that id, asked for once more where it is not known; None where there is none.

        Raises `Unavailable` where the issuer does not say its keys.
        """
        if not self._knows(key_id):
            async with self._asking:
                if not self._knows(key_id):
                    await self._refresh()
        return self._keys.get(key_id)

    async def document(self) -> Mapping[str, Any]:
        """What it says of itself; raises `Unavailable` where it does not say."""
        if not self._is_fresh:
            async with self._asking:
                if not self._is_fresh:
                    await self._refresh()
        return self._document

    def _knows(self, key_id: str) -> bool:
        return key_id in self._keys and self._is_fresh

    @property
    def _is_fresh(self) -> bool:
        return self._now() - self._fetched_at < KEYS_LIVE_SECONDS

    async def _refresh(self) -> None:
        if self._now() - self._asked_at >= PAUSE_SECONDS:
            self._asked_at = self._now()
            try:
                self._document, self._keys = await self._fetch()
                self._fetched_at, self._failure = self._asked_at, None
            except Unavailable as error:
                self._failure = error
                log.warning("oidc_keys_not_fetched", issuer=self.url, error=str(error))
        if self._failure:
            raise self._failure

    async def _fetch(self) -> tuple[Mapping[str, Any], dict[str, Mapping[str, Any]]]:
        document = await self._get(f"{self.url.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != self.url:
            raise self._unavailable("its discovery document names another issuer than the gateway's settings")
        address = document.get("jwks_uri")
        if not isinstance(address, str) or not is_trusted_address(address):
            raise self._unavailable("its discovery document gives no https address of its keys")
        keys = (await self._get(address)).get("keys")
        found = cast("list[Any]", keys) if isinstance(keys, list) else []
        return document, {key["kid"]: key for key in found if _is_for_signatures(key)}

    async def _get(self, address: str) -> Mapping[str, Any]:
        try:
            answer = await self._http.get(address, headers={"Accept": "application/json"})
        except httpx.HTTPError as error:
            raise self._unavailable(type(error).__name__) from None
        if answer.status_code != HTTPStatus.OK or len(answer.content) > MAX_BYTES:
            raise self._unavailable(f"{address} answered {answer.status_code} with {len(answer.content)} bytes")
        try:
            found: Any = answer.json()
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise self._unavailable(f"{address} did not answer with a JSON object")
        return cast("dict[str, Any]", found)

    def _unavailable(self, why: str) -> Unavailable:
        return Unavailable(f"the OIDC issuer {self.url}", why)


def _is_for_signatures(key: Any) -> bool:
    """Whether it is a public key that signatures can be checked with; a symmetric one never is."""
    if not isinstance(key, dict):
        return False
    facts = cast("dict[str, Any]", key)
    return isinstance(facts.get("kid"), str) and facts.get("kty") in ("RSA", "EC", "OKP") and facts.get("use") != "enc"
