"""The audit: who wrote what, when and from where; and of what operators did, how much it changed."""

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
    """A write that the gateway was asked for; or what is done by hand, and to what."""

    WRITE = "write"
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


class AuditPart(StrEnum):
    """The two parts of the audit: what the gateway was asked for, and what operators' acts changed."""

    WRITES = "writes"
    ACTS = "acts"


@dataclass(frozen=True, kw_only=True)
class Write:
    """A write that somebody asked the gateway for, and what it answered.

    `route` is the template of its path, `resource` what it was about, such as `campaigns/rename-ci`.
    """

    actor: str
    address: str
    method: str
    route: str
    resource: str
    status: int
    request_id: str


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """A write, which says where it came from; or an act, whose `details` say what was `wanted` and `changed`."""

    id: AuditId
    at: datetime
    actor: str
    action: AuditAction
    service: Service | None
    details: Mapping[str, Any]
    address: str | None = None
    method: str | None = None
    route: str | None = None
    resource: str | None = None
    status: int | None = None
    request_id: str | None = None
