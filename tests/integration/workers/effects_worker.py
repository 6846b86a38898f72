"""A worker for tests, run as a process of its own: each command's effect is a row, each run of a handler another."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from shared import errors
from shared.clock import utcnow
from shared.domain.operation import Service
from shared.settings import WorkerSettings
from workers.process import main
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


async def write_effect(ctx: Context, command: Command) -> None:
    """Works for `seconds`, then writes its effect."""
    await _note_run(ctx, command)
    await asyncio.sleep(command.payload.get("seconds", 0))
    async with ctx.infrastructure.outbox.transaction(completing=command.operation_id) as work:
        await work.conn.execute("INSERT INTO effects (operation_id) VALUES ($1)", command.operation_id)


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
    sys.exit(main(WORKER))
