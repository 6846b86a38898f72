"""Outgoing webhooks: endpoints that are told of events, the messages to them, and what became of each attempt.

A message is an event on its way to one endpoint, under the event's id, which its receiver sees as `webhook-id`. It is
stored in the transaction of its event, and sent until the endpoint takes it or a day is over: at least once, in no
promised order. `waiting → delivered | dead`; sent again by hand it waits once more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from ..errors import InvalidInput, Problem
from .event import EVENT_TYPES
from .ids import RunId, TargetId, WebhookEndpointId, WebhookMessageId

PING = "webhook.ping"
"""Type of the message that only says that messages arrive."""

OLD_SECRET_LASTS = timedelta(days=1)
"""How long messages are signed with the secret before the last one too."""

LONGEST_URL = 2000

_PATTERNS = frozenset({"*", *EVENT_TYPES, *(f"{each.partition('.')[0]}.*" for each in EVENT_TYPES)})


class MessageState(StrEnum):
    """`waiting → delivered | dead`."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, kw_only=True)
class WebhookEndpoint:
    """An address that is told of the events that `events` name, of one campaign or of all.

    `generation` tells its secrets apart; until a day after `rotated_at` the one before counts too. `failures` counts
    attempts since it last answered, and until `held_until` it is left alone. While `paused_at` is set its messages
    wait; since `disabled_at` none are made.
    """

    id: WebhookEndpointId
    url: str
    description: str
    events: tuple[str, ...]
    campaign: str | None  # its name
    generation: int
    rotated_at: datetime | None
    failures: int
    held_until: datetime | None
    paused_at: datetime | None
    disabled_at: datetime | None
    disabled_reason: str | None
    created_by: str
    created_at: datetime
    updated_at: datetime

    def generations(self, *, now: datetime) -> tuple[int, ...]:
        """Those that messages are signed with, newest first."""
        rotated_lately = self.rotated_at is not None and now < self.rotated_at + OLD_SECRET_LASTS
        return (self.generation, self.generation - 1) if rotated_lately else (self.generation,)


@dataclass(frozen=True, kw_only=True)
class WebhookMessage:
    """One thing that an endpoint is told. `attempts` were made; the next is due at `due_at`; `error` is the last one's.

    `tried_since` is when it was stored, sent again by hand, or resumed: a day later it is given up.
    """

    endpoint_id: WebhookEndpointId
    id: WebhookMessageId
    type: str
    state: MessageState
    attempts: int
    tried_since: datetime
    due_at: datetime
    error: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class WebhookAttempt:
    """One attempt. `status` and the beginning of the `response` where it answered; `error` where it did not take it."""

    id: UUID
    attempted_at: datetime
    duration_ms: int
    status: int | None
    response: str | None
    error: str | None


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a message says: the event behind it, and whose it is. A ping has neither run nor payload."""

    type: str
    occurred_at: datetime
    campaign: str | None = None
    run_id: RunId | None = None
    target_id: TargetId | None = None
    payload: Mapping[str, Any] | None = None


def body_of(told: Told) -> bytes:
    """The content of a message, the same at each attempt: `type`, `timestamp` and `data`."""
    data = {
        "campaign": told.campaign,
        "run_id": str(told.run_id) if told.run_id else None,
        "target_id": str(told.target_id) if told.target_id else None,
    }
    content = {
        "type": told.type,
        "timestamp": told.occurred_at.isoformat(),
        "data": {name: value for name, value in data.items() if value} | dict(told.payload or {}),
    }
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def check_patterns(patterns: Sequence[str]) -> tuple[str, ...]:
    """The patterns without repetition: `*`, `target.*`, `target.merged`. Raises `InvalidInput` for what is none."""
    problems = [
        Problem(
            f"there is no event {pattern!r}",
            path=f"events.{position}",
            hint="write *, run.*, target.* or one such as run.completed or target.merged",
        )
        for position, pattern in enumerate(patterns)
        if pattern not in _PATTERNS
    ]
    if problems:
        raise InvalidInput("the events are not all ones that happen", problems)
    return tuple(dict.fromkeys(patterns))


def check_url(url: str, *, allow_plain: bool) -> str:
    """The address of an endpoint: https, or http where `allow_plain`. Raises `InvalidInput`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad_url("is no address") from None
    schemes = ("https", "http") if allow_plain else ("https",)
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise _bad_url(f"must be at most {LONGEST_URL} ASCII characters without spaces")
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise _bad_url(f"must begin with {' or '.join(f'{scheme}://HOST' for scheme in schemes)}")
    if "@" in parts.netloc or "#" in url:
        raise _bad_url("must have neither a user nor a fragment")
    return url


def _bad_url(why: str) -> InvalidInput:
    return InvalidInput("the URL cannot be an endpoint's", [Problem(why, path="url")])
