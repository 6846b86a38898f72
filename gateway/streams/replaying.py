"""Replaying operations: what Redis lost is appended again, or what is finished is accepted anew.

Without a `replay_id` dedupe keys are kept. What is finished then stays as it is, whatever it came to, and what is
accepted and not held by Redis is appended again: a replay of everything changes nothing where nothing was lost.

With one, each finished operation is accepted a second time, under a key that the replay's id is part of. The same
replay asked for again accepts nothing more. What is accepted and not finished is still to be done, and is not doubled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.audit import AuditAction
from shared.domain.ids import OperationId
from shared.domain.operation import Operation, OperationState, Service
from shared.domain.replay import MOST_IN_ONE_ACT, AppendedRange, WantedRange, replay_key
from shared.errors import InvalidInput
from shared.outbox import Work
from shared.postgres import operations, replays
from shared.postgres.audit import record_act
from shared.postgres.pool import Connection
from shared.streams.commands import CommandStreams
from shared.streams.entry_ids import moment_of, parse_stream_id
from shared.streams.envelope import Envelope
from shared.streams.inspection import Inspection

from ..resources import Resources
from .acting import described, redis_as_unavailable

BATCH = 1000

FINISHED = (OperationState.SUCCEEDED, OperationState.FAILED, OperationState.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class EntryRange:
    """From the entry `first` to the entry `last`, both within; None = from the beginning, to the end."""

    first: str | None = None
    last: str | None = None


@dataclass(kw_only=True)
class Replayed:
    """What a replay found, and did or would do: `appended` again, or `accepted` anew."""

    dry_run: bool
    replay_id: str | None
    by_type: dict[str, int] = field(default_factory=dict[str, int])
    by_state: dict[OperationState, int] = field(default_factory=dict[OperationState, int])
    appended: int = 0
    accepted: int = 0

    @property
    def matched(self) -> int:
        """Operations that were meant."""
        return sum(self.by_type.values())


async def replay(
    resources: Resources,
    *,
    service: Service,
    wanted: WantedRange,
    entries: EntryRange | None,
    replay_id: str | None,
    dry_run: bool,
    actor: str,
) -> Replayed:
    """Replays the operations that are wanted, or counts them.

    Raises `InvalidInput` where they are more than one act may touch, `Unavailable` where Redis is away.
    """
    with redis_as_unavailable():
        if entries:
            wanted = replace(wanted, appended=await _appended(resources, service, entries))
        async with resources.outbox.transaction() as work:
            replayed = Replayed(dry_run=dry_run, replay_id=replay_id)
            await _count(work.conn, service, wanted, replayed)
            if replay_id:
                await _accept_anew(work, service, wanted, replayed, actor=actor)
            else:
                await _append_again(work.conn, CommandStreams(resources.redis), service, wanted, replayed)
            if not dry_run:
                await _record(work.conn, service, wanted, entries, replayed, actor=actor)
    return replayed


async def _count(conn: Connection, service: Service, wanted: WantedRange, replayed: Replayed) -> None:
    by_type: Counter[str] = Counter()
    by_state: Counter[OperationState] = Counter()
    for counted in await replays.count_wanted(conn, service=service, wanted=wanted):
        by_type[counted.type] += counted.count
        by_state[counted.state] += counted.count
    replayed.by_type, replayed.by_state = dict(by_type), dict(by_state)
    if replayed.matched > MOST_IN_ONE_ACT:
        raise InvalidInput(
            f"{replayed.matched} operations are meant, more than the {MOST_IN_ONE_ACT} of one act: "
            "narrow it by time, type, run or state"
        )


async def _append_again(
    conn: Connection, streams: CommandStreams, service: Service, wanted: WantedRange, replayed: Replayed
) -> None:
    async for chosen in _batches(conn, service, wanted, (OperationState.ACCEPTED,)):
        missing = await streams.missing(service, [each.id for each in chosen])
        if replayed.dry_run:
            replayed.appended += len(missing)
            continue
        lost = await operations.list_accepted(conn, operation_ids=missing)
        appended = await streams.append([Envelope.of(operation) for operation in lost], again=True)
        replayed.appended += sum(each.is_new for each in appended)


async def _accept_anew(work: Work, service: Service, wanted: WantedRange, replayed: Replayed, *, actor: str) -> None:
    assert replayed.replay_id  # noqa: S101 - its caller asked
    unrepeated: set[str] = set()
    async for chosen in _batches(work.conn, service, wanted, FINISHED):
        keys = {replay_key(each.dedupe_key, replayed.replay_id): each for each in chosen}
        if replayed.dry_run:
            unrepeated |= await replays.unknown_keys(work.conn, dedupe_keys=keys)
            continue
        await work.accept(*(each.repeated(dedupe_key=key, actor=actor) for key, each in keys.items()))
    replayed.accepted = len(unrepeated) if replayed.dry_run else len(work.envelopes)


async def _batches(
    conn: Connection, service: Service, wanted: WantedRange, states: Sequence[OperationState]
) -> AsyncIterator[list[Operation]]:
    within = tuple(state for state in states if state in wanted.states) if wanted.states else tuple(states)
    after: OperationId | None = None
    while within:
        chosen = await replays.page_wanted(
            conn, service=service, wanted=replace(wanted, states=within), after=after, limit=BATCH
        )
        if chosen:
            yield chosen
            after = chosen[-1].id
        if len(chosen) < BATCH:
            return


async def _appended(resources: Resources, service: Service, entries: EntryRange) -> AppendedRange:
    """What the stream holds of the range, and from when to when it has forgotten what was there."""
    first = parse_stream_id(entries.first, field="first_entry") if entries.first else "0-0"
    last = _end_of(entries.last) if entries.last else "+"
    stream = Inspection(resources.redis)
    held = await stream.entries(service, limit=1)
    found: set[OperationId] = set()
    start = first
    while page := await stream.entries(service, first=start, last=last, limit=BATCH):
        found |= {entry.envelope.id for entry in page if entry.envelope and not entry.envelope.is_request}
        if len(found) > MOST_IN_ONE_ACT:
            raise InvalidInput(f"more than the {MOST_IN_ONE_ACT} operations of one act are in that range: narrow it")
        start = f"({page[-1].id}"
    since = moment_of(first)
    until = held[0].at if held else moment_of("18446744073709551615")
    return AppendedRange(
        operation_ids=tuple(found),
        forgotten_since=since,
        forgotten_until=min(until, _after(last)),
    )


def _end_of(last: str) -> str:
    """The last entry of a range; an id without a sequence means the whole millisecond."""
    return parse_stream_id(last, field="last_entry") if "-" in last else f"{parse_stream_id(last)[:-2]}"


def _after(last: str) -> datetime:
    return moment_of("18446744073709551615" if last == "+" else str(int(last.partition("-")[0]) + 1))


async def _record(
    conn: Connection,
    service: Service,
    wanted: WantedRange,
    entries: EntryRange | None,
    replayed: Replayed,
    *,
    actor: str,
) -> None:
    asked = described(wanted, entries, replay_id=replayed.replay_id)
    changed = {"matched": replayed.matched, "appended": replayed.appended, "accepted": replayed.accepted}
    await record_act(
        conn,
        actor=actor,
        action=AuditAction.REPLAY,
        service=service,
        details={"wanted": asked, "changed": {**changed, "by_type": replayed.by_type}},
    )
