"""A command of a `run` step: started in its sandbox, bounded in time and output, and nothing of it left behind."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from ..isolation import SYSTEM_PATH, Isolation, Limits, Sandbox, command_line
from ..leftovers import end_everything

MAX_OUTPUT_BYTES = 1024 * 1024
"""What is kept of each output; the rest is counted."""


class CommandFailed(ValueError):
    """A command of a step ended badly, or could not be started; the message says how."""


@dataclass
class Captured:
    """The beginning of an output, and how long it was."""

    kept: bytearray = field(default_factory=bytearray)
    total: int = 0

    @property
    def text(self) -> str:
        """What was kept, as text."""
        return self.kept.decode(errors="replace")

    @property
    def left_out(self) -> int:
        """How many bytes were not kept."""
        return self.total - len(self.kept)

    def add(self, chunk: bytes) -> None:
        """Takes in more output."""
        self.total += len(chunk)
        self.kept += chunk[: max(0, MAX_OUTPUT_BYTES - len(self.kept))]


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """How a command ended. `status` is None where its time was over."""

    status: int | None
    stdout: Captured
    stderr: Captured
    seconds: float


async def run_command(
    isolation: Isolation, sandbox: Sandbox, *, env: dict[str, str], time_limit: timedelta, limits: Limits
) -> CommandResult:
    """Runs the sandbox's script to its end, or until its time is over; then nothing of it runs any more.

    Raises `CommandFailed` where it cannot be started.
    """
    command = await asyncio.to_thread(command_line, isolation, sandbox, limits, env=env)
    started = time.monotonic()
    async with _outputs() as (out, err, stdout, stderr):
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={"PATH": SYSTEM_PATH},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:  # an environment that is too long, or has a NUL in it
            raise CommandFailed(f"cannot be started: {error}") from None
        finally:
            os.close(out)
            os.close(err)
        status: int | None = None
        try:
            with suppress(TimeoutError):
                status = await asyncio.wait_for(process.wait(), time_limit.total_seconds())
        finally:
            await end_everything(process, home=sandbox.home, user=sandbox.user)
    return CommandResult(status=status, stdout=stdout, stderr=stderr, seconds=time.monotonic() - started)


@asynccontextmanager
async def _outputs() -> AsyncIterator[tuple[int, int, Captured, Captured]]:
    """Two pipes and what comes out of them.

    asyncio's own pipes are not used: with them, waiting for a process means waiting for whoever else holds the pipe.
    """
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    stdout, stderr = Captured(), Captured()
    readers = [asyncio.create_task(_read(out_read, stdout)), asyncio.create_task(_read(err_read, stderr))]
    try:
        yield out_write, err_write, stdout, stderr
    finally:
        # A process that nobody could end must not hold the readers.
        _, unfinished = await asyncio.wait(readers, timeout=2)
        for reader in unfinished:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)


async def _read(descriptor: int, captured: Captured) -> None:
    """Takes what comes out of a pipe until its end, and closes it."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def take() -> None:
        try:
            chunk = os.read(descriptor, 65536)
        except BlockingIOError:
            return
        if chunk:
            captured.add(chunk)
        elif not ended.done():
            ended.set_result(None)

    os.set_blocking(descriptor, False)
    loop.add_reader(descriptor, take)
    try:
        await ended
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
