"""Signatures of the commits that GitHub makes itself: SSH signatures with a key of the sandbox's own.

`git verify-commit` accepts them with the public key in an allowed-signers file. The format is OpenSSH's
PROTOCOL.sshsig; GitHub signs with OpenPGP instead, which shows only in the text of the signature.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import textwrap
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

_MAGIC = b"SSHSIG"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"


class Signer:
    """Signs and verifies with one Ed25519 key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._public = _text(b"ssh-ed25519") + _text(raw)

    @classmethod
    def kept(cls, path: Path) -> Signer:
        """With the key in `path` (mode 600), made on first use."""
        if not path.exists():
            pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            path.touch(mode=0o600)
            path.write_bytes(pem)
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError(f"{path} is no Ed25519 key")
        return cls(key)

    def sign(self, content: bytes) -> str:
        """The armoured signature of a commit's content."""
        signature = _text(b"ssh-ed25519") + _text(self._key.sign(self._signed(content)))
        blob = _MAGIC + struct.pack(">I", 1) + _text(self._public) + _text(b"git") + _text(b"") + _text(b"sha512")
        lines = textwrap.wrap(base64.b64encode(blob + _text(signature)).decode(), 70)
        return "\n".join([_BEGIN, *lines, _END])

    def verifies(self, content: bytes, signature: str) -> bool:
        """Whether `sign` made this signature of that content."""
        try:
            blob = base64.b64decode(signature.replace(_BEGIN, "").replace(_END, ""))
            self._key.public_key().verify(blob[-64:], self._signed(content))
        except (ValueError, InvalidSignature):
            return False
        return True

    @staticmethod
    def _signed(content: bytes) -> bytes:
        return _MAGIC + _text(b"git") + _text(b"") + _text(b"sha512") + _text(hashlib.sha512(content).digest())


def _text(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value
