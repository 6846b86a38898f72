"""What people were told of a campaign, and trying whether they are reached."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, status
from pydantic import Field

from shared.domain.ids import NotificationId
from shared.domain.notifications import TEST, Notice, StoredNotification, channel_of, channel_text
from shared.domain.spec import parse_spec
from shared.domain.webhooks import MessageState
from shared.errors import Conflict
from shared.postgres import campaigns, notifications

from ..auth import SignedIn
from ..paging import Cursor, Limit, Page, id_in, page
from ..resources import Opened
from ..schemas import Shown

router = APIRouter(prefix="/campaigns/{name}/notifications", tags=["notifications"])


class ShownExample(Shown):
    """One of the targets that a notice speaks of."""

    repository: str
    reason: str | None
    target_id: UUID
    pull_request_url: str | None


class ShownNotice(Shown):
    """One thing that is told."""

    moment: str = Field(description="of the spec's `when`, or `test`")
    text: str
    run_id: UUID | None
    examples: list[ShownExample] = Field(description="five targets at most")


class ShownNotification(Shown):
    """A message to one who is told of a campaign."""

    id: UUID
    channel: dict[str, Any] = Field(description="as the spec has it, with the names of secrets")
    to: str = Field(description="the channel in a few words")
    notices: list[ShownNotice]
    state: MessageState
    attempts: int
    due_at: datetime = Field(description="of the next attempt, while it waits")
    error: str | None = Field(description="why the last attempt did not succeed")
    created_at: datetime
    finished_at: datetime | None


@router.get("")
async def list_notifications(
    name: str,
    resources: Opened,
    _: SignedIn,
    state: MessageState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownNotification]:
    """What people were told of a campaign, newest first."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        campaign = await campaigns.get_campaign(conn, name)
        rows = await notifications.page_notifications(
            conn,
            campaign.id,
            state=state,
            before=NotificationId(before) if before else None,
            limit=limit + 1,
        )
    return page(rows, limit=limit, position=lambda each: each.id, show=_shown)


@router.post("/test", status_code=status.HTTP_202_ACCEPTED)
async def send_test(name: str, resources: Opened, principal: SignedIn) -> Page[ShownNotification]:
    """Send a message to each who is told by the newest version of the spec; the list says what became of it."""
    async with resources.pool.acquire() as conn, conn.transaction():
        campaign = await campaigns.get_campaign(conn, name)
        version = await campaigns.get_spec_version(conn, campaign.id, campaign.current_version)
        told = parse_spec(version.document).notifications
        if not told:
            raise Conflict(f"nobody is told of {name}: its spec has no notifications")
        notice = Notice(moment=TEST, text=f"this is a test that {principal.actor} asked for")
        for each in told:
            await notifications.insert_notification(conn, campaign.id, channel=channel_of(each), notices=[notice])
        rows = await notifications.page_notifications(conn, campaign.id, limit=len(told))
    return Page(items=[_shown(each) for each in rows[::-1]], next_cursor=None)


def _shown(notification: StoredNotification) -> ShownNotification:
    return ShownNotification(
        id=notification.id,
        channel=dict(notification.channel),
        to=channel_text(notification.channel),
        notices=[ShownNotice.model_validate(dict(each)) for each in notification.notices],
        state=notification.state,
        attempts=notification.attempts,
        due_at=notification.due_at,
        error=notification.error,
        created_at=notification.created_at,
        finished_at=notification.finished_at,
    )
