"""A worker for tests, run as a process of its own: each command's effect is a row, each run of a handler another.

`TEST_FAULT_AT` names a point at which it sends itself `TEST_FAULT_SIGNAL` (SIGKILL), once, at one in
`TEST_FAULT_ONE_IN` passages; `TEST_CLOCK_AHEAD` sets its clock ahead by seconds. Both are done from outside the code
that is tested.
"""

# ruff: noqa: E402  # the clock is set before anything of ours is imported

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import shared.clock

_AHEAD = float(os.environ.get("TEST_CLOCK_AHEAD", "0"))
_true_time, _true_utcnow = time.time, shared.clock.utcnow
time.time = lambda: _true_time() + _AHEAD
shared.clock.utcnow = lambda: _true_utcnow() + timedelta(seconds=_AHEAD)

import shared.outbox
from shared import errors
from shared.clock import utcnow
from shared.domain.operation import NewOperation, Service
from shared.settings import WorkerSettings
from shared.streams.commands import Appended, CommandStreams
from shared.streams.consumer import Consumer, Delivery, Finish
from shared.streams.envelope import Envelope
from workers import process
from workers.runtime import Command, Infrastructure, Periodic, Worker


@dataclass(frozen=True)
class Context:
    """What the handlers use."""

    infrastructure: Infrastructure


@asynccontextmanager
async def open_context(_settings: WorkerSettings, infrastructure: Infrastructure) -> AsyncIterator[Context]:
    """Nothing more to open."""
    yield Context(infrastructure)


async def _note_run(ctx: Context, command: Command) -> None:
    await ctx.infrastructure.pool.execute(
        "INSERT INTO handler_runs (operation_id, pid, attempt) VALUES ($1, $2, $3)",
        command.operation_id,
        os.getpid(),
        command.attempt,
    )


def fault(point: str) -> None:
    """Sends the signal, if this is the point that the test names and its turn has come."""
    if os.environ.get("TEST_FAULT_AT") == point and random.random() < 1 / int(os.environ["TEST_FAULT_ONE_IN"]):
        del os.environ["TEST_FAULT_AT"]
        os.kill(os.getpid(), signal.Signals[os.environ.get("TEST_FAULT_SIGNAL", "SIGKILL")])


async def write_effect(ctx: Context, command: Command) -> None:
    """Works for `seconds`, then writes its effect, and accepts as many commands after it as `followers` says."""
    fault("start")
    await _note_run(ctx, command)
    await asyncio.sleep(command.payload.get("seconds", 0))
    async with ctx.infrastructure.outbox.transaction(completing=command.operation_id) as work:
        await work.conn.execute("INSERT INTO effects (operation_id) VALUES ($1)", command.operation_id)
        if followers := command.payload.get("followers"):
            await work.accept(_follower(command, followers - 1))
        fault("effect")
    fault("result")


def _follower(command: Command, followers: int) -> NewOperation:
    return NewOperation(
        service=Service.CAMPAIGNS,
        type=command.type,
        payload={**command.payload, "followers": followers},
        dedupe_key=f"after {command.operation_id}",
        actor="test",
    )


class FaultyStreams(CommandStreams):
    """Between a commit, the append after it, and what comes then."""

    async def append(self, envelopes: Sequence[Envelope], *, again: bool = False) -> list[Appended]:
        fault("commit")
        appended = await super().append(envelopes, again=again)
        fault("append")
        return appended


class FaultyConsumer(Consumer):
    """Around the calls of Redis."""

    async def read(self, *, count: int, block_seconds: float) -> list[Delivery]:
        deliveries = await super().read(count=count, block_seconds=block_seconds)
        if deliveries:
            fault("read")
        return deliveries

    async def finish(self, finishes: Sequence[Finish]) -> list[bool]:
        fault("before finish")
        finished = await super().finish(finishes)
        fault("after finish")
        return finished


async def do_nothing(_ctx: Context, _command: Command) -> None:
    """Returns without having completed anything."""


async def fail_until(ctx: Context, command: Command) -> None:
    """Raises an unforeseen error in attempts before `attempt`."""
    await _note_run(ctx, command)
    if command.attempt < command.payload["attempt"]:
        raise RuntimeError("not yet, with ghs_SECRETTOKEN in the text")
    await write_effect(ctx, command)


async def wait_once(ctx: Context, command: Command) -> None:
    """Defers itself once, by `seconds`."""
    await _note_run(ctx, command)
    runs = await ctx.infrastructure.pool.fetchval(
        "SELECT count(*) FROM handler_runs WHERE operation_id = $1", command.operation_id
    )
    if runs == 1:
        raise errors.Defer(utcnow() + timedelta(seconds=command.payload["seconds"]), "a window")
    async with ctx.infrastructure.outbox.transaction(completing=command.operation_id) as work:
        await work.conn.execute("INSERT INTO effects (operation_id) VALUES ($1)", command.operation_id)


async def refuse(ctx: Context, command: Command) -> None:
    """Raises what no retry mends."""
    await _note_run(ctx, command)
    raise errors.InvalidInput(command.payload.get("why", "this can never work"))


async def crash(ctx: Context, command: Command) -> None:
    """Takes the whole process with it."""
    await _note_run(ctx, command)
    os.kill(os.getpid(), signal.SIGKILL)


async def echo(_ctx: Context, command: Command) -> None:
    """Answers with what it was asked."""
    await asyncio.sleep(command.payload.get("seconds", 0))
    await command.answer({"echo": command.payload["text"]})


async def record_failure(ctx: Context, command: Command, error: str) -> None:
    """Writes down what was given up."""
    await ctx.infrastructure.pool.execute(
        "INSERT INTO failures (operation_id, error) VALUES ($1, $2)", command.operation_id, error
    )


async def tick(ctx: Context) -> None:
    """A periodic job."""
    await ctx.infrastructure.pool.execute("INSERT INTO ticks (pid) VALUES ($1)", os.getpid())


WORKER = Worker(
    service=Service(os.environ.get("TEST_SERVICE", "campaigns")),
    settings_class=WorkerSettings,
    resources=open_context,
    handlers={
        "write_effect": write_effect,
        "do_nothing": do_nothing,
        "fail_until": fail_until,
        "wait_once": wait_once,
        "refuse": refuse,
        "crash": crash,
        "echo": echo,
    },
    cron=[Periodic(name="tick", every_seconds=0.5, function=tick)],
    on_failed=record_failure,
)

if __name__ == "__main__":
    process.Consumer = FaultyConsumer
    shared.outbox.CommandStreams = FaultyStreams
    sys.exit(process.main(WORKER))
