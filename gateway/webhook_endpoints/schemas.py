"""What is shown of outgoing webhooks, and what may be asked of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from shared.domain.webhooks import LONGEST_URL, MessageState

from ..schemas import Given, Shown

EventPattern = Annotated[str, Field(max_length=100)]
Events = Annotated[
    list[EventPattern],
    Field(
        min_length=1,
        max_length=50,
        description="what it is told of: `*`, all of a kind as `target.*`, or one as `run.completed`",
    ),
]


class NewEndpoint(Given):
    """An address that is to be told of what happens from now on."""

    url: str = Field(max_length=LONGEST_URL, description="https://…, reached over the public internet")
    events: Events
    campaign: str | None = Field(None, description="a campaign's name: tell of its runs alone")
    description: str = Field("", max_length=500)


class EndpointChanges(Given):
    """What is to change; the rest stays. Events that happened before stay as they were."""

    url: str | None = Field(None, max_length=LONGEST_URL)
    events: Events | None = None
    description: str | None = Field(None, max_length=500)


class ShownEndpoint(Shown):
    """An endpoint of outgoing webhooks. Its secret is shown where it is created, rotated or asked for."""

    id: UUID
    url: str
    description: str
    events: list[str]
    campaign: str | None = Field(description="told of its runs alone; null = of all")
    rotated_at: datetime | None = Field(
        description="when its secret was last changed; the one before counts a day more"
    )
    failures: int = Field(description="attempts without an answer since it last answered")
    held_until: datetime | None = Field(description="until when it is left alone, as it did not answer or said so")
    paused_at: datetime | None = Field(description="since when its messages wait")
    disabled_at: datetime | None = Field(description="since when it is told of nothing, having answered 410")
    disabled_reason: str | None
    created_by: str
    created_at: datetime
    updated_at: datetime


class ShownSecret(Shown):
    """The secret that messages are signed with (Standard Webhooks)."""

    secret: str


class EndpointWithSecret(Shown):
    """An endpoint and its secret, for its receiver."""

    endpoint: ShownEndpoint
    secret: str


class ShownDelivery(Shown):
    """A message to an endpoint. Its id is that of its event, and what the receiver sees as `webhook-id`."""

    id: UUID
    type: str
    state: MessageState
    attempts: int
    due_at: datetime = Field(description="of the next attempt, where it waits")
    error: str | None = Field(description="of the last attempt")
    created_at: datetime
    finished_at: datetime | None


class ShownAttempt(Shown):
    """One attempt to deliver a message."""

    attempted_at: datetime
    duration_ms: int
    status: int | None = Field(description="null where there was no answer")
    response: str | None = Field(description="its beginning")
    error: str | None


class DeliveryDetails(ShownDelivery):
    """A message, its content, and each attempt to deliver it."""

    content: dict[str, Any] = Field(description="what is sent")
    tried: list[ShownAttempt]


class Resent(Shown):
    """How many messages are sent again."""

    messages: int
