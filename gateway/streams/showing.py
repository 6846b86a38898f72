"""From what Redis holds to what operators are shown; payloads without secrets."""

from __future__ import annotations

from typing import Any

from shared.observability.redaction import redact, redact_event
from shared.streams.entry_ids import moment_of
from shared.streams.inspection import DeadLetter, Entry, PendingEntry, StreamSeen, Survey

from .schemas import ShownDeadLetter, ShownEntry, ShownGroup, ShownPending, ShownStream, StreamDetails


def show_stream(survey: Survey) -> ShownStream:
    """A service at a glance."""
    return ShownStream(**_glance(survey))


def _glance(survey: Survey) -> dict[str, Any]:
    depth = survey.depth
    return {
        "service": survey.service,
        "undelivered": depth.undelivered,
        "pending": depth.pending,
        "delayed": depth.delayed,
        "due": depth.due,
        "held": depth.held,
        "dead_letters": depth.dead_letters,
        "oldest_age_seconds": depth.oldest_age_seconds,
        "consumers": survey.consumers,
        "acknowledged": survey.acknowledged,
    }


def show_details(survey: Survey, stream: StreamSeen) -> StreamDetails:
    """A stream, its groups and their consumers."""
    return StreamDetails(
        **_glance(survey),
        length=stream.length,
        trimmed=stream.trimmed,
        first_entry_id=stream.first_entry_id,
        first_entry_at=moment_of(stream.first_entry_id) if stream.first_entry_id else None,
        last_entry_id=stream.last_entry_id,
        last_entry_at=moment_of(stream.last_entry_id) if stream.last_entry_id else None,
        groups=[ShownGroup.model_validate(group) for group in stream.groups],
    )


def show_entry(entry: Entry, *, payload: bool) -> ShownEntry:
    """An entry of a stream."""
    return ShownEntry(**_facts(entry, payload=payload))


def show_pending(pending: PendingEntry, *, payload: bool) -> ShownPending:
    """An entry that a worker holds."""
    entry = pending.entry or Entry(id=pending.id, envelope=None, unreadable="it is not on the stream any more")
    return ShownPending(
        **_facts(entry, payload=payload),
        consumer=pending.consumer,
        idle_seconds=pending.idle_seconds,
        deliveries=pending.deliveries,
    )


def show_dead_letter(letter: DeadLetter, *, payload: bool) -> ShownDeadLetter:
    """A command that was given up."""
    facts = _facts(letter.entry, payload=payload)
    return ShownDeadLetter(**facts, error=redact(letter.error), deliveries=letter.deliveries)


def _facts(entry: Entry, *, payload: bool) -> dict[str, Any]:
    envelope = entry.envelope
    return {
        "id": entry.id,
        "at": entry.at,
        "operation_id": envelope.id if envelope and not envelope.is_request else None,
        "type": envelope.type if envelope else None,
        "run_id": envelope.run_id if envelope else None,
        "target_id": envelope.target_id if envelope else None,
        "actor": envelope.actor if envelope else None,
        "attempt": envelope.attempt if envelope else None,
        "payload": redact_event(None, "", dict(envelope.payload)) if envelope and payload else None,
        "unreadable": entry.unreadable or None,
    }
