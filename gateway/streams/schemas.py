"""What operators are shown of the command streams, and what they may ask for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator

from shared.domain.ids import OperationId, RunId
from shared.domain.operation import OperationState, Service
from shared.domain.replay import Wanted, WantedRange

from ..schemas import Given, Moment, Shown

StreamId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}(-[0-9]{1,20})?$")]
ReplayId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class ShownStream(BaseModel):
    """A service's commands at a glance."""

    service: Service
    undelivered: int = Field(description="no worker was given them yet: on the stream, and waiting for their turn")
    pending: int = Field(description="workers hold them")
    delayed: int = Field(description="until a time")
    due: int = Field(description="of the delayed, those whose time has come")
    held: int = Field(description="behind another command of their order key")
    dead_letters: int
    oldest_age_seconds: float = Field(description="of the oldest that is not finished, without the delayed")
    consumers: int = Field(description="worker processes that were heard of lately")
    acknowledged: int = Field(description="only grows: what it grew by in a time is the rate of completion")


class ShownConsumer(Shown):
    """A worker process in a group."""

    name: str
    pending: int
    idle_seconds: float = Field(description="since it was last heard of")


class ShownGroup(Shown):
    """A consumer group."""

    name: str
    undelivered: int = Field(description="entries of the stream that it was not given yet; never null")
    pending: int
    last_delivered_id: str
    consumers: list[ShownConsumer]


class StreamDetails(ShownStream):
    """A command stream as Redis keeps it."""

    length: int = Field(description="entries on the stream, finished ones too")
    trimmed: int = Field(description="entries that were on it and are not any more")
    first_entry_id: str | None
    first_entry_at: datetime | None = Field(description="what came before was trimmed")
    last_entry_id: str | None
    last_entry_at: datetime | None
    groups: list[ShownGroup]


class ShownEntry(BaseModel):
    """An entry of a stream. Where it cannot be read, `unreadable` tells why, and of the rest only `id` and `at` do."""

    id: str
    at: datetime = Field(description="when it came onto the stream")
    operation_id: UUID | None = Field(description="null for a request, which somebody waits for an answer to")
    type: str | None
    run_id: UUID | None
    target_id: UUID | None
    actor: str | None
    attempt: int | None
    payload: dict[str, Any] | None = Field(description="where it was asked for; secrets taken out")
    unreadable: str | None


class ShownPending(ShownEntry):
    """An entry that a worker holds."""

    consumer: str
    idle_seconds: float = Field(description="since its lease was renewed")
    deliveries: int = Field(description="of this attempt; more than 1 = a worker died with it")


class ShownDeadLetter(ShownEntry):
    """A command that was given up."""

    error: str
    deliveries: int = Field(description="of its last attempt")


class _Choice(Given):
    """Which operations: each condition narrows them; `all` says that none is meant to."""

    type: str | None = Field(None, max_length=200, description="of this command")
    run_id: UUID | None = None
    all: bool = Field(False, description="needed where no condition is given")
    dry_run: bool = Field(False, description="count only")

    def conditions(self) -> list[object]:
        """Everything that narrows the choice."""
        return [self.type, self.run_id]

    @model_validator(mode="after")
    def _says_what(self) -> _Choice:
        if not self.all and not any(self.conditions()):
            raise ValueError("say which commands are meant, or set `all`")
        return self


class NewReplay(_Choice):
    """Operations to replay."""

    operation_id: UUID | None = None
    since: Moment | None = Field(None, description="accepted at this time or later")
    until: Moment | None = Field(None, description="accepted before this time")
    first_entry: StreamId | None = Field(None, description="from this entry of the stream on")
    last_entry: StreamId | None = Field(None, description="up to this entry of the stream, with it")
    states: list[OperationState] = Field(default_factory=list[OperationState], description="in any of these states")
    force_new: bool = Field(False, description="accept what is finished anew; without, only what was lost is appended")
    replay_id: ReplayId | None = Field(
        None, description="names a forced replay: asked for again under the same name, it accepts nothing more"
    )

    def conditions(self) -> list[object]:
        """Everything that narrows the choice."""
        times = [self.since, self.until, self.first_entry, self.last_entry]
        return [*super().conditions(), self.operation_id, *times, self.states]

    @model_validator(mode="after")
    def _is_consistent(self) -> NewReplay:
        if self.force_new != (self.replay_id is not None):
            raise ValueError("`force_new` needs a `replay_id`, which nothing else takes")
        return self

    def wanted(self) -> WantedRange:
        """The operations that are meant, but for the range of entries."""
        return WantedRange(
            type=self.type,
            run_id=RunId(self.run_id) if self.run_id else None,
            operation_id=OperationId(self.operation_id) if self.operation_id else None,
            since=self.since,
            until=self.until,
            states=tuple(self.states),
        )


class NewRequeue(_Choice):
    """Dead letters to try again."""

    operation_id: UUID | None = None
    entry_id: StreamId | None = Field(None, description="this dead letter alone")

    def conditions(self) -> list[object]:
        """Everything that narrows the choice."""
        return [*super().conditions(), self.operation_id, self.entry_id]

    def wanted(self) -> Wanted:
        """The operations that are meant."""
        return Wanted(
            type=self.type,
            run_id=RunId(self.run_id) if self.run_id else None,
            operation_id=OperationId(self.operation_id) if self.operation_id else None,
        )


class NewPurge(_Choice):
    """Commands to cancel: those that no worker was given yet, or dead letters."""

    dead_letters: bool = False

    def wanted(self) -> Wanted:
        """The operations that are meant."""
        return Wanted(type=self.type, run_id=RunId(self.run_id) if self.run_id else None)


class NewTrim(Given):
    """How far to trim: by an entry or by age."""

    before_entry: StreamId | None = Field(None, description="finished entries before this one are dropped")
    older_than_seconds: float | None = Field(None, ge=0, le=3.2e9, description="finished entries older than this")

    @model_validator(mode="after")
    def _is_one(self) -> NewTrim:
        if (self.before_entry is None) == (self.older_than_seconds is None):
            raise ValueError("give either `before_entry` or `older_than_seconds`")
        return self


class ReplayOutcome(Shown):
    """What a replay did, or in a dry run would do."""

    dry_run: bool
    replay_id: str | None
    matched: int
    by_type: dict[str, int]
    by_state: dict[OperationState, int]
    appended: int = Field(description="accepted, not held by Redis, and appended again")
    accepted: int = Field(description="finished, and accepted anew")


class ActOutcome(Shown):
    """What a requeue or purge did, or in a dry run would do."""

    dry_run: bool
    matched: int
    by_type: dict[str, int]
    operations: int = Field(description="that became `accepted` (requeue) or `cancelled` (purge)")
    requests: int = Field(description="taken out; they are no operations")
    stale: int = Field(description="dead letters of operations that are not failed any more; a requeue removes them")
    unreadable: int = Field(description="dead letters that name no operation: only a purge of all removes them")
    has_more: bool = Field(description="it stopped at the most that one act touches: ask again")


class TrimOutcome(Shown):
    """What a trim did."""

    trimmed: int
    wanted: str = Field(description="the id that was to be trimmed up to")
    kept_from: str = Field(description="all from here on is kept")
    held_by: str | None = Field(description="the group that has not acknowledged something before `wanted`")
    length: int
