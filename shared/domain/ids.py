"""Identifiers: UUIDv7 (RFC 9562), so that they sort by the time they were made, each a type of its own."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

from uuid_utils.compat import uuid7

CampaignId = NewType("CampaignId", UUID)
SelectionId = NewType("SelectionId", UUID)
RunId = NewType("RunId", UUID)
TargetId = NewType("TargetId", UUID)
ArtifactId = NewType("ArtifactId", UUID)
OperationId = NewType("OperationId", UUID)
EventId = NewType("EventId", UUID)
WebhookEndpointId = NewType("WebhookEndpointId", UUID)
WebhookMessageId = NewType("WebhookMessageId", UUID)  # of an event its own, so that both are one to a receiver
NotificationId = NewType("NotificationId", UUID)
BulkOperationId = NewType("BulkOperationId", UUID)
InstallationId = NewType("InstallationId", int)  # GitHub's


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return uuid7()
