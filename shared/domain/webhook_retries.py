"""What becomes of a message after an attempt, and how long its endpoint is left alone: the only place that decides it.

| answer | message | endpoint |
| --- | --- | --- |
| 2xx | delivered | counts as answering |
| 410 | dead | disabled: whoever runs it has said that it is gone |
| 429, 503 | again, not before `Retry-After` | left alone so long, an hour at most |
| 502, 504, no answer in time, no connection | again | left alone: 1, 2, 4, … s, at most 5 minutes |
| an address that may not be asked | again | the same |
| anything else, redirects too | again | counts as answering |

Again is after 5, 20, 80, … seconds, at most 6 hours, each up to a fifth more or less. A message is dead once that
would be more than a day after it was first due.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from .webhooks import MessageState

FIRST_RETRY = timedelta(seconds=5)
BACKOFF = 4
LONGEST_RETRY = timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=1)
LONGEST_HOLD = timedelta(minutes=5)
LONGEST_ASKED_FOR = timedelta(hours=1)

_GONE = 410
_HOLDING = frozenset({429, 502, 503, 504})
_NAMES_A_TIME = frozenset({429, 503})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back: a `status`, or the `error` that stood in its place."""

    status: int | None = None
    retry_after: str | None = None  # the header, as it came
    response: str = ""  # its beginning
    error: str | None = None


@dataclass(frozen=True)
class Delivered:
    """The endpoint has it."""


@dataclass(frozen=True)
class Again:
    """Another attempt at `at`; where `hold_until` is set, no other message goes to the endpoint before that."""

    at: datetime
    why: str
    hold_until: datetime | None = None


@dataclass(frozen=True)
class Dead:
    """Given up; where `hold_until` is set, no other message goes to the endpoint before that."""

    why: str
    hold_until: datetime | None = None


@dataclass(frozen=True)
class Gone:
    """The endpoint wants no more, now or ever."""

    why: str


Outcome = Delivered | Again | Dead | Gone


def stored_as(outcome: Outcome) -> tuple[MessageState, datetime | None, str | None]:
    """What an attempt makes of a message: its state, when the next is due if there is one, and the error."""
    match outcome:
        case Delivered():
            return MessageState.DELIVERED, None, None
        case Again(at, why):
            return MessageState.WAITING, at, why
        case _:
            return MessageState.DEAD, None, outcome.why


def judge(
    answer: Answer, *, attempt: int, endpoint_failures: int, tried_since: datetime, now: datetime, jitter: float = 1.0
) -> Outcome:
    """The outcome of the attempt, counted from 1, at a message first due at `tried_since`.

    `endpoint_failures` of the endpoint's attempts before it had no answer. `jitter` multiplies the waits.
    """
    if answer.status is not None and 200 <= answer.status < 300:
        return Delivered()
    why = answer.error or f"it answered {answer.status}"
    if answer.status == _GONE:
        return Gone(why)
    hold_until = _hold(answer, endpoint_failures, now, jitter)
    at = max(now + retry_delay(attempt) * jitter, hold_until or now)
    if at > tried_since + GIVE_UP_AFTER:
        return Dead(why, hold_until)
    return Again(at, why, hold_until)


def retry_delay(attempt: int) -> timedelta:
    """The wait after the attempt, counted from 1, before jitter."""
    return min(FIRST_RETRY * BACKOFF ** min(attempt - 1, 10), LONGEST_RETRY)


def _hold(answer: Answer, failures: int, now: datetime, jitter: float) -> datetime | None:
    if answer.status is not None and answer.status not in _HOLDING:
        return None
    if answer.status in _NAMES_A_TIME and (asked_for := _retry_after(answer.retry_after, now)) is not None:
        return now + min(asked_for, LONGEST_ASKED_FOR)
    return now + min(timedelta(seconds=2 ** min(failures, 20)), LONGEST_HOLD) * jitter


def _retry_after(header: str | None, now: datetime) -> timedelta | None:
    """The header's seconds or date (RFC 9110); None where it is neither."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:12]), LONGEST_ASKED_FOR.total_seconds()))
    try:
        named = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return max(named.replace(tzinfo=named.tzinfo or UTC) - now, timedelta())
