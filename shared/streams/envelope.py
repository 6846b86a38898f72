"""The envelope a command travels in: JSON, never pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import UUID

from ..domain.ids import OperationId, RunId, TargetId
from ..domain.operation import Operation, Service
from ..errors import InvalidInput, Unavailable

VERSION = 1

MAX_BYTES = 256 * 1024
"""Largest envelope that may travel; what is larger belongs in the blob store, with its address in the payload."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A command on its way.

    `attempt` counts from 1 and grows when a run ends with an error. A request (see `requests.py`) has a `reply_to`,
    the key its answer goes to, and `expires_ms`, how long somebody waits for it; it has no row in Postgres.
    """

    id: OperationId
    service: Service
    type: str
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])
    dedupe_key: str
    actor: str
    run_id: RunId | None = None
    target_id: TargetId | None = None
    attempt: int = 1
    version: int = VERSION
    reply_to: str | None = None
    expires_ms: int | None = None

    @classmethod
    def of(cls, operation: Operation) -> Envelope:
        """The envelope of an accepted operation; after its entry was lost it goes on with the attempts it had left."""
        return cls(
            id=operation.id,
            service=operation.service,
            type=operation.type,
            payload=operation.payload,
            dedupe_key=operation.dedupe_key,
            actor=operation.actor,
            run_id=operation.run_id,
            target_id=operation.target_id,
            attempt=operation.attempts + 1,
        )

    @property
    def is_request(self) -> bool:
        """Whether somebody waits for an answer, and Postgres holds no operation for it."""
        return self.reply_to is not None

    def next_attempt(self) -> Envelope:
        """The same command, one attempt later."""
        return replace(self, attempt=self.attempt + 1)

    def to_json(self) -> bytes:
        """Its bytes on a stream; raises `InvalidInput` where they are more than `MAX_BYTES`."""
        content = {name: value for name, value in asdict(self).items() if value is not None}
        raw = json.dumps(content, default=str, separators=(",", ":"), ensure_ascii=False).encode()
        if len(raw) > MAX_BYTES:
            raise InvalidInput(f"the command {self.type} is {len(raw)} bytes, more than {MAX_BYTES}")
        return raw

    @classmethod
    def from_json(cls, raw: bytes) -> Envelope:
        """The envelope in `raw`.

        Raises `InvalidInput` where it is none, `Unavailable` where only a newer version can read it.
        """
        try:
            content: dict[str, Any] = json.loads(raw)
            if content["version"] > VERSION:
                raise Unavailable("this version", f"the command's envelope has version {content['version']}")
            run_id, target_id = content.pop("run_id", None), content.pop("target_id", None)
            return cls(
                id=OperationId(UUID(content.pop("id"))),
                service=Service(content.pop("service")),
                run_id=RunId(UUID(run_id)) if run_id else None,
                target_id=TargetId(UUID(target_id)) if target_id else None,
                **content,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput(f"an entry of the stream is not a command: {error}") from error
