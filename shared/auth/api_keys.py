"""API keys: `obk_<prefix>_<secret>`, stored as an HMAC so that a stolen table opens nothing.

The prefix finds the row, the digest proves the key. The secret has 256 random bits, so one HMAC with a pepper that is
not in the database is as good as a slow hash, and costs microseconds a request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

_FORM = re.compile(r"obk_([A-Za-z0-9]{8})_[A-Za-z0-9_-]{32,128}")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def new_api_key() -> str:
    """A fresh key; shown to its owner once and kept nowhere."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"obk_{prefix}_{secrets.token_urlsafe(32)}"


def prefix_of(key: str) -> str | None:
    """The part of a key that is no secret; None where it is not of a key's form."""
    match = _FORM.fullmatch(key)
    return match[1] if match else None


def digest_of(key: str, *, pepper: str) -> bytes:
    """What is stored of a key."""
    return hmac.new(pepper.encode(), key.encode(), hashlib.sha256).digest()


def is_same_digest(one: bytes, other: bytes) -> bool:
    """Compares in constant time."""
    return hmac.compare_digest(one, other)
