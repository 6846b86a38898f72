"""Requeue, purge and trim: each writes its audit row in the transaction that it changes operations in.

What is taken out of Redis before the commit is brought back by the relay where the commit fails; what is committed
and not appended yet is appended by the relay. So a crash anywhere leaves what was asked for half done, never lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from shared.domain.audit import AuditAction
from shared.domain.ids import OperationId
from shared.domain.operation import OperationState, Service
from shared.domain.replay import MOST_IN_ONE_ACT, Wanted
from shared.errors import Unavailable
from shared.postgres import operations, replays
from shared.postgres.audit import record_act
from shared.postgres.pool import Connection
from shared.streams.commands import CommandStreams, Trimmed
from shared.streams.envelope import Envelope
from shared.streams.inspection import DeadLetter, Inspection
from shared.streams.operating import Operating

from ..resources import Resources

log = structlog.stdlib.get_logger(__name__)

BATCH = 500


@contextmanager
def redis_as_unavailable() -> Iterator[None]:
    """Raises `Unavailable` where Redis fails."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable("Redis", str(error)) from error


@dataclass(kw_only=True)
class Changed:
    """What an act did, or would do. Where `has_more`, it stopped at the most of one act; asked again it goes on."""

    dry_run: bool
    by_type: Counter[str] = field(default_factory=Counter[str])
    operations: int = 0  # that changed their state
    requests: int = 0  # that somebody waits for an answer to; Postgres knows nothing of them
    stale: int = 0  # dead letters whose operation is not failed any more: they are removed
    unreadable: int = 0  # dead letters that name no operation: a requeue leaves them, a purge of all removes them
    has_more: bool = False

    @property
    def matched(self) -> int:
        """Commands that were meant."""
        return sum(self.by_type.values()) + self.unreadable


async def requeue(
    resources: Resources, *, service: Service, wanted: Wanted, entry_id: str | None, dry_run: bool, actor: str
) -> Changed:
    """Makes failed operations of dead letters accepted again, with no attempt spent, and appends them."""
    changed = Changed(dry_run=dry_run)
    asked = described(wanted, entry_id=entry_id)
    with redis_as_unavailable():
        async for letters in _letters(resources, service, wanted, entry_id, changed):
            known = [letter for letter in letters if letter.entry.envelope]
            changed.unreadable += len(letters) - len(known)
            if known:
                await _requeue_batch(resources, service, known, changed, asked, actor=actor)
    return changed


async def _requeue_batch(
    resources: Resources,
    service: Service,
    letters: Sequence[DeadLetter],
    changed: Changed,
    asked: dict[str, Any],
    *,
    actor: str,
) -> None:
    ids = _operations_of(letters)
    types = Counter(letter.entry.envelope.type for letter in letters if letter.entry.envelope)
    changed.by_type += types
    async with resources.pool.acquire() as conn, conn.transaction():
        if changed.dry_run:
            states = await replays.states_of(conn, operation_ids=ids)
            failed = frozenset(each for each, state in states.items() if state is OperationState.FAILED)
        else:
            failed = await replays.accept_again(conn, operation_ids=ids)
            counts = {"operations": len(failed), "stale": len(letters) - len(failed), "by_type": dict(types)}
            await _record(conn, AuditAction.REQUEUE, service, asked, counts, actor=actor)
    changed.operations += len(failed)
    changed.stale += len(letters) - len(failed)
    if changed.dry_run:
        return
    async with resources.pool.acquire() as conn:
        accepted = await operations.list_accepted(conn, operation_ids=list(failed))
    await CommandStreams(resources.redis).append([Envelope.of(operation) for operation in accepted], again=True)
    await Operating(resources.redis).remove_dead_letters(service, [letter.entry.id for letter in letters])


async def purge_dead_letters(
    resources: Resources, *, service: Service, wanted: Wanted, dry_run: bool, actor: str
) -> Changed:
    """Removes dead letters; their operations are cancelled."""
    changed = Changed(dry_run=dry_run)
    asked = described(wanted, dead_letters=True)
    with redis_as_unavailable():
        async for letters in _letters(resources, service, wanted, None, changed):
            types = Counter(letter.entry.envelope.type for letter in letters if letter.entry.envelope)
            unreadable = len(letters) - sum(types.values())
            changed.by_type += types
            changed.unreadable += unreadable
            ids = _operations_of(letters)
            async with resources.pool.acquire() as conn, conn.transaction():
                if dry_run:
                    states = await replays.states_of(conn, operation_ids=ids)
                    changed.operations += sum(state is OperationState.FAILED for state in states.values())
                    continue
                cancelled = await replays.cancel_operations(conn, operation_ids=ids, state=OperationState.FAILED)
                counts = {"operations": len(cancelled), "by_type": dict(types), "unreadable": unreadable}
                await _record(conn, AuditAction.PURGE, service, asked, counts, actor=actor)
            changed.operations += len(cancelled)
            await Operating(resources.redis).remove_dead_letters(service, [letter.entry.id for letter in letters])
    return changed


async def purge_undelivered(
    resources: Resources, *, service: Service, wanted: Wanted, dry_run: bool, actor: str
) -> Changed:
    """Takes out what no worker was given yet; its operations are cancelled."""
    changed = Changed(dry_run=dry_run)
    with redis_as_unavailable():
        async with resources.pool.acquire() as conn, conn.transaction():
            batches = Operating(resources.redis).purge(service, type=wanted.type, run_id=wanted.run_id, dry_run=dry_run)
            async for batch in batches:
                changed.by_type += Counter(each.type for each in batch)
                changed.requests += sum(each.is_request for each in batch)
                ids = [each.operation_id for each in batch if not each.is_request]
                if dry_run:
                    changed.operations += len(ids)
                else:
                    accepted = OperationState.ACCEPTED
                    cancelled = await replays.cancel_operations(conn, operation_ids=ids, state=accepted)
                    changed.operations += len(cancelled)
                if changed.matched >= MOST_IN_ONE_ACT:
                    changed.has_more = True
                    break
            if not dry_run:
                counts = {"operations": changed.operations, "requests": changed.requests}
                counts = {**counts, "by_type": dict(changed.by_type)}
                await _record(conn, AuditAction.PURGE, service, described(wanted), counts, actor=actor)
    return changed


async def trim(
    resources: Resources,
    *,
    service: Service,
    before_entry: str | None,
    older_than_seconds: float | None,
    actor: str,
) -> Trimmed:
    """Drops finished entries of the stream, never one that a group has not acknowledged."""
    asked = {"before_entry": before_entry, "older_than_seconds": older_than_seconds}
    with redis_as_unavailable():
        # Postgres first, so that nothing is trimmed while nobody could write it down
        async with resources.pool.acquire() as conn, conn.transaction():
            trimmed = await CommandStreams(resources.redis).trim(
                service, before_entry=before_entry, older_than_seconds=older_than_seconds
            )
            asked = {name: value for name, value in asked.items() if value is not None}
            await _record(conn, AuditAction.TRIM, service, asked, asdict(trimmed), actor=actor)
    return trimmed


async def _letters(
    resources: Resources, service: Service, wanted: Wanted, entry_id: str | None, changed: Changed
) -> AsyncIterator[list[DeadLetter]]:
    """The dead letters that are meant and were there at the beginning, in batches."""
    inspection = Inspection(resources.redis)
    if entry_id:
        yield [await inspection.dead_letter(service, entry_id)]
        return
    last, after = await inspection.last_dead_letter(service), None
    while last and (page := await inspection.dead_letters(service, after=after, last=last, limit=BATCH)):
        after = page[-1].entry.id
        if meant := [letter for letter in page if is_meant(letter, wanted)]:
            yield meant
        if changed.matched >= MOST_IN_ONE_ACT:
            changed.has_more = True
            return


def is_meant(letter: DeadLetter, wanted: Wanted) -> bool:
    """Whether a dead letter is meant; one that cannot be read is only where all are."""
    envelope = letter.entry.envelope
    if envelope is None:
        return wanted == Wanted()
    return wanted.matches(type=envelope.type, run_id=envelope.run_id, operation_id=envelope.id)


def _operations_of(letters: Sequence[DeadLetter]) -> list[OperationId]:
    return [letter.entry.envelope.id for letter in letters if letter.entry.envelope]


async def _record(
    conn: Connection,
    action: AuditAction,
    service: Service,
    asked: dict[str, Any],
    counts: dict[str, Any],
    *,
    actor: str,
) -> None:
    await record_act(conn, actor=actor, action=action, service=service, details={"wanted": asked, "changed": counts})
    log.info("streams_operated", action=action.value, service=service.value, actor=actor, **counts)


def described(*wanted: Any, **more: Any) -> dict[str, Any]:
    """What was asked for, as JSON; what was left open is left out."""
    conditions = {name: value for each in wanted if each for name, value in asdict(each).items() if name != "appended"}
    return {name: _plain(value) for name, value in {**conditions, **more}.items() if value not in (None, (), False)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return list(value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
