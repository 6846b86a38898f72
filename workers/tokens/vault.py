"""Tokens in Redis, for all tokens workers together: encrypted under a key that Redis never sees.

Each token is kept twice, both until it ends: under its scope, from where it is granted until its last minute or until
it is evicted, and under its SHA-256, from where it is revoked. Boxes are AES-256-GCM under a key derived from a secret
by HKDF. The first secret encrypts and every one decrypts, so that two are valid while one takes the other's place; one
that is gone decrypts for as long as this process lives.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
from shared.domain.token import TokenSha256, token_sha256
from shared.streams.keys import PREFIX
from shared.streams.script import Script
from shared.streams.tokens import SPARE, scope_payload

_NONCE_BYTES = 12
_DIGEST_BYTES = 32

_EVICT = Script.read("evict_token")


@dataclass(frozen=True, kw_only=True)
class KeptToken:
    """A token and the key of its scope."""

    key: str
    token: InstallationToken


def scope_key(scope: TokenScope, *, base_url: str, app_id: str) -> str:
    """Names what is asked for, of which App on which GitHub: levels of permissions are told apart."""
    facts = {"base_url": base_url, "app_id": app_id, **scope_payload(scope)}
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Vault:
    """Keeps tokens. `secrets` gives those that are valid now, the preferred one first; it is called at every use."""

    def __init__(self, redis: Redis, *, secrets: Callable[[], Sequence[bytes]]) -> None:
        self._redis = redis
        self._secrets = secrets
        self._ciphers: dict[bytes, AESGCM] = {}

    async def current(self, key: str, *, min_ttl: timedelta = timedelta()) -> InstallationToken | None:
        """The token of a scope, where it lives for `min_ttl` and a minute still."""
        kept = self._open(await self._redis.get(_current(key)))
        if kept is None or kept.key != key or kept.token.expires_at - SPARE - min_ttl <= utcnow():
            return None
        return kept.token

    async def keep(self, key: str, token: InstallationToken) -> None:
        """Keeps a new token: it is the current one of its scope from now on."""
        box = self._seal(KeptToken(key=key, token=token))
        left_ms = int((token.expires_at - utcnow()).total_seconds() * 1000)
        current_ms = left_ms - int(SPARE.total_seconds() * 1000)
        async with self._redis.pipeline(transaction=False) as pipeline:
            if left_ms > 0:
                pipeline.set(_living(token_sha256(token.token)), box, px=left_ms)
            if current_ms > 0:
                pipeline.set(_current(key), box, px=current_ms)
            await pipeline.execute()

    async def find(self, sha256: TokenSha256) -> KeptToken | None:
        """The token of that SHA-256, current or not; None where it ended, or Redis lost it, or its secret is gone."""
        return self._open(await self._redis.get(_living(sha256)))

    async def evict(self, sha256: TokenSha256) -> None:
        """Makes the token the current one of its scope no longer; a newer one stays."""
        kept = await self.find(sha256)
        if kept:
            await _EVICT.run(self._redis, [_current(kept.key)], [_digest(kept.token.token)])

    async def drop(self, sha256: TokenSha256) -> None:
        """Keeps a revoked token no longer."""
        await self._redis.delete(_living(sha256))

    def _seal(self, kept: KeptToken) -> bytes:
        digest, nonce = _digest(kept.token.token), os.urandom(_NONCE_BYTES)
        return digest + nonce + self._known()[0].encrypt(nonce, _to_json(kept), digest)

    def _open(self, box: bytes | None) -> KeptToken | None:
        if box is None:
            return None
        digest, nonce = box[:_DIGEST_BYTES], box[_DIGEST_BYTES : _DIGEST_BYTES + _NONCE_BYTES]
        for cipher in self._known():
            try:
                return _from_json(cipher.decrypt(nonce, box[_DIGEST_BYTES + _NONCE_BYTES :], digest))
            except InvalidTag:
                continue
        return None

    def _known(self) -> list[AESGCM]:
        """The ciphers of the secrets that are valid, in their order, and then of those that were."""
        valid = self._secrets()
        for secret in valid:
            if secret not in self._ciphers:
                self._ciphers[secret] = _cipher(secret)
        return [self._ciphers[each] for each in dict.fromkeys([*valid, *self._ciphers])]


def _cipher(secret: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=b"octobatch token vault").derive(secret))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _current(key: str) -> str:
    return f"{PREFIX}:{{{Service.TOKENS}}}:token:{key}"


def _living(sha256: TokenSha256) -> str:
    return f"{PREFIX}:{{{Service.TOKENS}}}:living:{sha256}"


def _to_json(kept: KeptToken) -> bytes:
    token = kept.token
    return json.dumps(
        {
            "key": kept.key,
            "token": token.token,
            "installation_id": token.installation_id,
            "expires_at": token.expires_at.isoformat(),
            "minted_at": token.minted_at.isoformat(),
            "permissions": dict(token.permissions),
            "repository_selection": token.repository_selection,
        }
    ).encode()


def _from_json(content: bytes) -> KeptToken:
    facts = json.loads(content)
    token = InstallationToken(
        token=facts["token"],
        installation_id=InstallationId(facts["installation_id"]),
        expires_at=datetime.fromisoformat(facts["expires_at"]),
        minted_at=datetime.fromisoformat(facts["minted_at"]),
        permissions=parse_permissions(facts["permissions"]),
        repository_selection=facts["repository_selection"],
    )
    return KeptToken(key=facts["key"], token=token)
