"""The audit of what operators did: who, when, what, and how much it changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

from .operation import Service

AuditId = NewType("AuditId", UUID)


class AuditAction(StrEnum):
    """What can be done by hand: to a service's commands, to trust policies, and to outgoing webhooks."""

    REPLAY = "streams.replay"
    REQUEUE = "streams.requeue"
    PURGE = "streams.purge"
    TRIM = "streams.trim"
    POLICIES_APPLY = "policies.apply"
    POLICIES_DELETE = "policies.delete"
    WEBHOOKS_CREATE = "webhooks.create"
    WEBHOOKS_UPDATE = "webhooks.update"
    WEBHOOKS_DELETE = "webhooks.delete"
    WEBHOOKS_ROTATE = "webhooks.rotate"
    WEBHOOKS_REVEAL = "webhooks.reveal"


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One act. `details` holds what was asked for (`wanted`) and what it changed (`changed`)."""

    id: AuditId
    at: datetime
    actor: str
    action: AuditAction
    service: Service | None
    details: Mapping[str, Any]
