"""The envelope a command travels in: JSON, never pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from ..domain.ids import InstallationId, OperationId, RunId, TargetId
from ..domain.operation import Operation, Priority, Service
from ..errors import InvalidInput, Unavailable

VERSION = 1

MAX_BYTES = 256 * 1024
"""Largest envelope that may travel. The outbox keeps large payloads in the blob store long before."""

URGENT_STEP = 0.125
"""What an urgent command costs of a turn: eight are given for one of any other tenant."""

_NO_LABEL = b"- - - 1 0 -"


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A command on its way.

    `attempt` counts from 1 and grows when a run ends with an error. A request (see `requests.py`) has a `reply_to`,
    the key its answer goes to, and `expires_ms`, how long somebody waits for it; it has no row in Postgres.

    A payload that is too large to travel is in the blob store at `payload_at`. `trace` is the W3C trace context of who
    accepted it. What the other fields do stands at `NewOperation`.
    """

    id: OperationId
    service: Service
    type: str
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])
    dedupe_key: str
    actor: str
    run_id: RunId | None = None
    target_id: TargetId | None = None
    installation_id: InstallationId | None = None
    priority: Priority = Priority.NORMAL
    order_key: str | None = None
    not_before: datetime | None = None
    payload_at: str | None = None
    trace: Mapping[str, str] | None = None
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
            installation_id=operation.installation_id,
            priority=operation.priority,
            order_key=operation.order_key,
            not_before=operation.not_before,
            payload_at=operation.payload_at,
            trace=operation.trace or None,
            attempt=operation.attempts + 1,
        )

    @property
    def is_request(self) -> bool:
        """Whether somebody waits for an answer, and Postgres holds no operation for it."""
        return self.reply_to is not None

    def next_attempt(self) -> Envelope:
        """The same command, one attempt later."""
        return replace(self, attempt=self.attempt + 1)

    @property
    def label(self) -> bytes:
        """What the scripts must know of a command without reading its JSON; told in `scripts/lanes.lua`."""
        is_urgent = self.is_request or self.priority is Priority.URGENT
        due_ms = int(self.not_before.timestamp() * 1000) if self.not_before else 0
        words = (
            "-" if self.is_request else self.id,
            "!" if is_urgent else self.installation_id or "-",
            "-" if is_urgent else self.run_id or "-",
            URGENT_STEP if is_urgent else 1,
            due_ms,
            self.order_key or "-",
        )
        return " ".join(map(str, words)).encode()

    def to_item(self, raw: bytes | None = None) -> bytes:
        """The label, a line feed, and the envelope (`raw` where it is known): how scripts are given a command."""
        return self.label + b"\n" + (self.to_json() if raw is None else raw)

    def to_json(self) -> bytes:
        """Its bytes on a stream; raises `InvalidInput` where they are more than `MAX_BYTES`."""
        content = {name: value for name, value in vars(self).items() if value is not None}
        raw = json.dumps(content, default=_jsonable, separators=(",", ":"), ensure_ascii=False).encode()
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
            not_before = content.pop("not_before", None)
            return cls(
                id=OperationId(UUID(content.pop("id"))),
                service=Service(content.pop("service")),
                priority=Priority(content.pop("priority", Priority.NORMAL)),
                not_before=datetime.fromisoformat(not_before) if not_before else None,
                run_id=RunId(UUID(run_id)) if run_id else None,
                target_id=TargetId(UUID(target_id)) if target_id else None,
                **content,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput(f"an entry of the stream is not a command: {error}") from error


def item_of(raw: bytes) -> bytes:
    """The item of an envelope as it was delivered; what this version cannot read has a label that says nothing."""
    try:
        label = Envelope.from_json(raw).label
    except (InvalidInput, Unavailable):
        label = _NO_LABEL
    return label + b"\n" + raw


def _jsonable(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
