"""Secrets sealed to one reader with HPKE (RFC 9180), so that what carries them never sees them.

    reader = SealingKey.generate()                       # the process that asks
    box = seal(b"ghs_...", reader.public_bytes, info=b"request 1")   # the process that answers
    reader.open(box, info=b"request 1")                  # only the asking process, only for that request

`info` binds the box to its purpose: a box moved to another request does not open.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from .errors import OctobatchError

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class SealBroken(OctobatchError):
    """The box was not sealed to this key for this purpose, or was altered on the way."""


@dataclass(frozen=True)
class SealingKey:
    """The private half, kept in the memory of one process."""

    _private: X25519PrivateKey

    @classmethod
    def generate(cls) -> SealingKey:
        """A fresh key."""
        return cls(X25519PrivateKey.generate())

    @property
    def public_bytes(self) -> bytes:
        """The 32 bytes to send to whoever shall seal."""
        return self._private.public_key().public_bytes_raw()

    def open(self, box: bytes, *, info: bytes) -> bytes:
        """The secret in `box`; raises `SealBroken`."""
        try:
            return _SUITE.decrypt(box, self._private, info=info)
        except (InvalidTag, ValueError) as error:
            raise SealBroken("the sealed secret cannot be opened") from error

    def __repr__(self) -> str:
        return "SealingKey(…)"


def seal(secret: bytes, public_bytes: bytes, *, info: bytes) -> bytes:
    """`secret`, readable only by the holder of the private half of `public_bytes`, for this `info`."""
    return _SUITE.encrypt(secret, X25519PublicKey.from_public_bytes(public_bytes), info=info)
