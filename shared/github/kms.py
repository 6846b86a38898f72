"""Keys of the App in AWS KMS: they sign there, and this process cannot read them.

A key is made by importing the App's private key as an RSA_2048 key with the usage SIGN_VERIFY; the process needs
`kms:GetPublicKey` and `kms:Sign` for it. Source: AWS KMS API reference, "Sign" and "GetPublicKey".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import aioboto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ..errors import InvalidSettings, Unavailable
from .signers import fingerprint

SETTING = "OCTOBATCH_GITHUB_APP_KMS_KEY_IDS"
_ALGORITHM = "RSASSA_PKCS1_V1_5_SHA_256"
_WRONG_KEY = frozenset(
    {
        "NotFoundException",
        "AccessDeniedException",
        "DisabledException",
        "InvalidArnException",
        "InvalidKeyUsageException",
        "KMSInvalidStateException",
        "UnsupportedOperationException",
        "ValidationException",
    }
)


class KmsSigner:
    """A key in AWS KMS."""

    def __init__(self, client: Any, *, arn: str, public_key: RSAPublicKey) -> None:
        self._client = client
        self._arn = arn
        self.key_id = fingerprint(public_key)

    async def sign(self, message: bytes) -> bytes:
        """The RS256 signature, made by one request to KMS; raises `Unavailable`."""
        with _told_of(self._arn):
            answer = await self._client.sign(
                KeyId=self._arn, Message=message, MessageType="RAW", SigningAlgorithm=_ALGORITHM
            )
        return answer["Signature"]


@asynccontextmanager
async def open_kms_signers(
    key_ids: Sequence[str], *, region: str | None, endpoint: str | None
) -> AsyncIterator[tuple[KmsSigner, ...]]:
    """A signer for each key, named by id, ARN or alias. The AWS default chain finds credentials.

    Raises `InvalidSettings` for a key that is not there, may not be used or cannot sign RS256, `Unavailable` where
    KMS does not answer.
    """
    session: Any = aioboto3.Session()
    config = Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 3, "mode": "standard"})
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(
                session.client("kms", region_name=region, endpoint_url=endpoint, config=config)
            )
        except (BotoCoreError, ValueError) as error:
            raise InvalidSettings(f"OCTOBATCH_GITHUB_APP_KMS_REGION, …_ENDPOINT: {error}") from error
        yield tuple([await _signer(client, key_id) for key_id in key_ids])


async def _signer(client: Any, key_id: str) -> KmsSigner:
    with _told_of(key_id):
        try:
            answer = await client.get_public_key(KeyId=key_id)
        except ClientError as error:
            if _code(error) in _WRONG_KEY:
                raise InvalidSettings(f"{SETTING}: {key_id} cannot be used: {_code(error)}") from error
            raise
    public_key = load_der_public_key(answer["PublicKey"])
    if not isinstance(public_key, RSAPublicKey) or _ALGORITHM not in answer.get("SigningAlgorithms", ()):
        raise InvalidSettings(f"{SETTING}: {key_id} is no RSA key for SIGN_VERIFY, and GitHub takes no other")
    # an alias may be moved to another key later: what signs is the key that was asked for its public key
    return KmsSigner(client, arn=answer["KeyId"], public_key=public_key)


@contextmanager
def _told_of(key_id: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise Unavailable("AWS KMS", f"key {key_id}: {_code(error)}") from error
    except (BotoCoreError, HTTPClientError, OSError) as error:
        raise Unavailable("AWS KMS", f"key {key_id}: {type(error).__name__}") from error


def _code(error: ClientError) -> str:
    response: Any = error.response
    return str(response["Error"].get("Code", "unknown"))
