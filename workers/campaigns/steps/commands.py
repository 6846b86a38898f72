"""A command of a `run` step: started in its sandbox, bounded in time and output, and nothing of it left behind."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ..isolation.command_lines import command_line, variables
from ..isolation.egress import Egress
from ..isolation.filling import overfilled
from ..isolation.leftovers import end_everything
from ..isolation.sandboxes import SYSTEM_PATH, Isolation, Limits, Sandbox

MAX_OUTPUT_BYTES = 1024 * 1024
"""What is kept of each output; the rest is counted."""


class CommandFailed(ValueError):
    """A command of a step ended badly, or could not be started; the message says how."""


@dataclass
class Captured:
    """The beginning of an output, and how long it was. `overfull` is set once it is longer than `most` bytes."""

    most: int
    overfull: asyncio.Event
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
        if self.total > self.most:
            self.overfull.set()


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """How a command ended. `status` is None where it was ended, for the reason in `ended`."""

    status: int | None
    stdout: Captured
    stderr: Captured
    seconds: float
    ended: str = ""


async def run_command(
    isolation: Isolation,
    sandbox: Sandbox,
    *,
    env: Mapping[str, str],
    time_limit: timedelta,
    limits: Limits,
    egress: Egress | None = None,
) -> CommandResult:
    """Runs the sandbox's script until it ends, or has used more than it may; then nothing of it runs any more.

    Raises `CommandFailed` where it cannot be started.
    """
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(egress.open()) if egress else None
        command = await asyncio.to_thread(command_line, isolation, sandbox, limits, proxy=proxy)
        out, err, stdout, stderr = await stack.enter_async_context(_outputs(limits))
        try:
            with variables(env) as given:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=given,
                    stdout=out,
                    stderr=err,
                    env={"PATH": SYSTEM_PATH},
                    pass_fds=() if proxy is None else (proxy,),
                    start_new_session=True,
                )
        except (OSError, ValueError) as error:  # a variable with a NUL in it
            raise CommandFailed(f"cannot be started: {error}") from None
        finally:
            os.close(out)
            os.close(err)
        try:
            ended = await _until_it_ends(process, sandbox, limits, time_limit, stdout.overfull)
        finally:
            await end_everything(process, home=sandbox.home, user=sandbox.user)
    status = None if ended else process.returncode
    return CommandResult(status=status, stdout=stdout, stderr=stderr, seconds=time.monotonic() - started, ended=ended)


async def _until_it_ends(
    process: asyncio.subprocess.Process,
    sandbox: Sandbox,
    limits: Limits,
    time_limit: timedelta,
    overfull: asyncio.Event,
) -> str:
    """Waits for a command; why it is to be ended, empty where it has ended by itself."""
    much = f"wrote more than {limits.output_bytes // 1024**2} MiB of output and was ended"
    ends: dict[asyncio.Task[Any], str] = {
        asyncio.create_task(process.wait()): "",
        asyncio.create_task(overfull.wait()): much,
        asyncio.create_task(overfilled(sandbox, limits)): f"filled its folders with more than {limits.files} files or"
        f" {limits.written_bytes // 1024**2} MiB and was ended",
    }
    try:
        done, _ = await asyncio.wait(ends, timeout=time_limit.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in ends:
            task.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
    reasons = [ends[task] for task in done]
    return min(reasons, default=f"took longer than {time_limit.total_seconds():g} s and was ended", key=len)


@asynccontextmanager
async def _outputs(limits: Limits) -> AsyncIterator[tuple[int, int, Captured, Captured]]:
    """Two pipes and what comes out of them.

    asyncio's own pipes are not used: with them, waiting for a process means waiting for whoever else holds the pipe.
    """
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    overfull = asyncio.Event()
    stdout, stderr = Captured(limits.output_bytes, overfull), Captured(limits.output_bytes, overfull)
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
