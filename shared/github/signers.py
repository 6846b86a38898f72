"""What signs the App's JWTs: RS256, with a key that is here or one that never leaves where it is kept.

A key is known by its fingerprint as GitHub shows it on the App's page, `SHA256:` and base64 of the SHA-256 of the
public key (docs.github.com, "Managing private keys for GitHub Apps").
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cached_property
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from ..errors import InvalidSettings

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_BEGIN = "-----BEGIN "


class Signer(Protocol):
    """One key of the App."""

    @property
    def key_id(self) -> str:
        """The fingerprint of its public key, as GitHub shows it."""
        ...

    async def sign(self, message: bytes) -> bytes:
        """The RS256 signature of a message of at most 4096 bytes; raises `Unavailable`."""
        ...


class LocalSigner:
    """A key in the memory of this process."""

    def __init__(self, key: RSAPrivateKey) -> None:
        self._key = key
        self.key_id = fingerprint(key.public_key())

    @cached_property
    def secret(self) -> bytes:
        """What only holders of the key know, to derive other keys from. It is the private key itself."""
        return self._key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())

    async def sign(self, message: bytes) -> bytes:
        """The RS256 signature."""
        return self._key.sign(message, PKCS1v15(), SHA256())


def fingerprint(public_key: RSAPublicKey) -> str:
    """`SHA256:` and base64 of the SHA-256 of the key's DER SubjectPublicKeyInfo."""
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"SHA256:{base64.b64encode(hashlib.sha256(der).digest()).decode()}"


def _pem_blocks(pem: str) -> list[str]:
    """The whole PEM blocks of a text, in their order."""
    text = pem.replace("\\n", "\n")  # as variables hold it where they take one line only
    return [match.group() for match in _BLOCK.finditer(text)]


def local_signers(pem: str, *, source: str) -> tuple[LocalSigner, ...]:
    """The keys of a text with one PEM block or several, in their order.

    Raises `InvalidSettings`, which names the `source` and quotes nothing, where a block is cut off or no RSA key.
    """
    blocks = _pem_blocks(pem)
    if not blocks or len(blocks) != pem.count(_BEGIN):
        raise InvalidSettings(f"{source}: is not an RSA private key in PEM")
    return tuple(LocalSigner(_rsa_key(block, source)) for block in blocks)


def _rsa_key(block: str, source: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(block.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None  # the reason could quote the key
    if not isinstance(key, RSAPrivateKey):
        raise InvalidSettings(f"{source}: is not an RSA private key in PEM")
    return key
