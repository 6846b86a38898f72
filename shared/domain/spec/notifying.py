"""The `notifications` part: who is told of a campaign, and of what."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Discriminator, Field, StringConstraints, Tag

from .fields import AsTuple, SecretName, SpecModel, as_enums, as_tuple_of_one


class Moment(StrEnum):
    """What somebody may want to be told of."""

    PREVIEW_READY = "previewReady"
    RUN_COMPLETED = "runCompleted"
    RUN_FAILED = "runFailed"
    WAVE_DONE = "waveDone"
    PAUSED = "paused"
    TARGETS_FAILED = "targetsFailed"
    TARGETS_BLOCKED = "targetsBlocked"
    TARGETS_CONFLICTED = "targetsConflicted"
    ALL_MERGED = "allMerged"


USUAL_MOMENTS = tuple(
    moment for moment in Moment if moment not in {Moment.WAVE_DONE, Moment.PAUSED, Moment.TARGETS_FAILED}
)
"""What is told unless the spec says otherwise: what is done, and what waits for somebody."""


class NotificationSecret(SpecModel):
    """A value that the workers hold, and that no spec, log or answer shows."""

    secret: SecretName = Field(description="Its name among the notification secrets", examples=["slack-releases"])


class SlackChannel(SpecModel):
    """An incoming webhook of Slack, or of what takes the same messages (Mattermost, Rocket.Chat, Discord's /slack)."""

    url: NotificationSecret = Field(description="The webhook's address: whoever has it can write to the channel")


class WebhookChannel(SpecModel):
    """An address that is sent JSON, signed by the Standard Webhooks scheme."""

    url: NotificationSecret = Field(description="The address")
    sign_with: NotificationSecret = Field(description="The secret that messages are signed with: whsec_ and base64")


EmailAddress = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", max_length=254)
]


class EmailChannel(SpecModel):
    """Mail."""

    to: Annotated[tuple[EmailAddress, ...], as_tuple_of_one] = Field(
        min_length=1, max_length=20, description="Addresses", examples=[["platform@acme.example"]]
    )


_WHEN = "What to tell of; else previews and runs that are done, targets that wait for somebody, and that all is merged"
_Moments = Annotated[tuple[Moment, ...], as_enums(Moment), as_tuple_of_one]


class SlackNotification(SpecModel):
    """Messages to a channel of Slack."""

    slack: SlackChannel = Field(description="The channel")
    when: _Moments = Field(USUAL_MOMENTS, min_length=1, description=_WHEN, examples=[["runCompleted"]])


class WebhookNotification(SpecModel):
    """Messages to a program."""

    webhook: WebhookChannel = Field(description="Where it listens")
    when: _Moments = Field(USUAL_MOMENTS, min_length=1, description=_WHEN, examples=[["runCompleted"]])


class EmailNotification(SpecModel):
    """Messages by mail."""

    email: EmailChannel = Field(description="To whom")
    when: _Moments = Field(USUAL_MOMENTS, min_length=1, description=_WHEN, examples=[["runCompleted"]])


def _kind(notification: Any) -> str | None:
    if isinstance(notification, dict):
        return next((f"<{kind}>" for kind in ("slack", "webhook", "email") if kind in notification), None)
    return None


Notification = Annotated[
    Annotated[SlackNotification, Tag("<slack>")]
    | Annotated[WebhookNotification, Tag("<webhook>")]
    | Annotated[EmailNotification, Tag("<email>")],
    Discriminator(
        _kind, custom_error_type="spec", custom_error_message="must have one of the keys slack, webhook and email"
    ),
]
"""Somebody who is told."""

Notifications = Annotated[tuple[Notification, ...], AsTuple]
