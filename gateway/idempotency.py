"""`Idempotency-Key`: the same key of the same caller gives the same operation again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Annotated

from fastapi import Header

from shared.domain.operation import NewOperation

IdempotencyKey = Annotated[str | None, Header(max_length=255)]


def with_key(command: NewOperation, idempotency_key: str | None, *, act: str) -> NewOperation:
    """The command under the key that its actor gave for the `act`; as it is where none was given."""
    if not idempotency_key:
        return command
    digest = hashlib.sha256(f"{command.actor} {idempotency_key}".encode()).hexdigest()
    return replace(command, dedupe_key=f"{act}:{digest}")
