"""Secrets of outgoing webhooks, and signatures by the Standard Webhooks scheme (standardwebhooks.com).

A secret is stored nowhere: it is derived (HKDF-SHA256, RFC 5869) from a key of ours, the endpoint's id and the
generation of its secret. A message carries a signature for each secret that may be its receiver's: of the present and,
for a day, the last generation, under each of our keys while they are exchanged.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..domain.ids import WebhookEndpointId, WebhookMessageId

_SECRET_BYTES = 32
_PREFIX = "whsec_"


def endpoint_secret(key: str, endpoint_id: WebhookEndpointId, generation: int) -> str:
    """The endpoint's secret, as its receiver is given it: `whsec_` and base64."""
    return _PREFIX + base64.b64encode(_derive(key, endpoint_id, generation)).decode()


def signed_headers(
    body: bytes,
    *,
    message_id: WebhookMessageId,
    at: datetime,
    endpoint_id: WebhookEndpointId,
    generations: Iterable[int],
    keys: Sequence[str],
) -> dict[str, str]:
    """The three headers of a message that is sent `at` that time."""
    secrets = [_derive(key, endpoint_id, generation) for generation in generations for key in keys]
    return headers_signed_with(secrets, body, message_id=message_id, at=at)


def headers_signed_with(secrets: Sequence[bytes], body: bytes, *, message_id: UUID, at: datetime) -> dict[str, str]:
    """The same, signed with secrets that are known."""
    timestamp = str(int(at.timestamp()))
    content = f"{message_id}.{timestamp}.".encode() + body
    signatures = [hmac.new(secret, content, hashlib.sha256).digest() for secret in secrets]
    return {
        "webhook-id": str(message_id),
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(each).decode()}" for each in signatures),
    }


def _derive(key: str, endpoint_id: WebhookEndpointId, generation: int) -> bytes:
    purpose = f"octobatch webhook endpoint {endpoint_id} generation {generation}"
    return HKDF(algorithm=SHA256(), length=_SECRET_BYTES, salt=None, info=purpose.encode()).derive(key.encode())
