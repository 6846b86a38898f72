"""Tokens that are still good: kept in Redis for all tokens workers where there is a key to encrypt them with, else in
the memory of this process. Either way none is kept in the last minute of its life.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from redis.asyncio import Redis

from shared.clock import utcnow
from shared.domain.ids import InstallationId
from shared.domain.installation import InstallationToken, TokenScope
from shared.domain.operation import Service
from shared.domain.permissions import parse_permissions
from shared.streams.keys import PREFIX
from shared.streams.tokens import SPARE, scope_payload

_NONCE_BYTES = 12


class TokenCache(Protocol):
    """Keeps tokens by `cache_key`."""

    async def get(self, key: str) -> InstallationToken | None: ...
    async def put(self, key: str, token: InstallationToken) -> None: ...
    async def forget(self, key: str) -> None: ...


def cache_key(scope: TokenScope, *, base_url: str, app_id: str) -> str:
    """Names what is asked for, of which App on which GitHub: levels of permissions are told apart."""
    facts = {"base_url": base_url, "app_id": app_id, **scope_payload(scope)}
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class MemoryTokenCache:
    """Tokens in the memory of this process."""

    def __init__(self) -> None:
        self._tokens: dict[str, InstallationToken] = {}

    async def get(self, key: str) -> InstallationToken | None:
        """The token, where it still has a minute to live."""
        token = self._tokens.get(key)
        return token if token and _is_good(token) else None

    async def put(self, key: str, token: InstallationToken) -> None:
        """Keeps the token, and no longer those that have run out."""
        self._tokens = {each: kept for each, kept in self._tokens.items() if _is_good(kept)}
        self._tokens[key] = token

    async def forget(self, key: str) -> None:
        """Keeps it no longer."""
        self._tokens.pop(key, None)


class RedisTokenCache:
    """Tokens in Redis, encrypted with AES-256-GCM under a key that Redis never sees."""

    def __init__(self, redis: Redis, *, secret: str) -> None:
        derived = HKDF(SHA256(), length=32, salt=None, info=b"octobatch token cache").derive(secret.encode())
        self._cipher = AESGCM(derived)
        self._redis = redis

    async def get(self, key: str) -> InstallationToken | None:
        """The token, where it still has a minute to live; what another key encrypted is not there."""
        box = await self._redis.get(_name(key))
        if box is None:
            return None
        try:
            plain = self._cipher.decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], key.encode())
        except InvalidTag:
            return None
        token = _from_json(plain)
        return token if _is_good(token) else None

    async def put(self, key: str, token: InstallationToken) -> None:
        """Keeps the token until a minute before it expires."""
        milliseconds = int((token.expires_at - SPARE - utcnow()).total_seconds() * 1000)
        if milliseconds > 0:
            nonce = os.urandom(_NONCE_BYTES)
            box = nonce + self._cipher.encrypt(nonce, _to_json(token), key.encode())
            await self._redis.set(_name(key), box, px=milliseconds)

    async def forget(self, key: str) -> None:
        """Keeps it no longer."""
        await self._redis.delete(_name(key))


def _name(key: str) -> str:
    return f"{PREFIX}:{{{Service.TOKENS}}}:token:{key}"


def _is_good(token: InstallationToken) -> bool:
    return token.expires_at - SPARE > utcnow()


def _to_json(token: InstallationToken) -> bytes:
    return json.dumps(
        {
            "token": token.token,
            "installation_id": token.installation_id,
            "expires_at": token.expires_at.isoformat(),
            "minted_at": token.minted_at.isoformat(),
            "permissions": dict(token.permissions),
            "repository_selection": token.repository_selection,
        }
    ).encode()


def _from_json(content: bytes) -> InstallationToken:
    facts = json.loads(content)
    return InstallationToken(
        token=facts["token"],
        installation_id=InstallationId(facts["installation_id"]),
        expires_at=datetime.fromisoformat(facts["expires_at"]),
        minted_at=datetime.fromisoformat(facts["minted_at"]),
        permissions=parse_permissions(facts["permissions"]),
        repository_selection=facts["repository_selection"],
    )
