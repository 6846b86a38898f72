"""What is measured, with the versions and the settings it runs with; environments are made on demand."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CONCURRENCY = 100
"""Jobs at once in one worker process, wherever the queue lets us choose."""

ENVIRONMENTS = Path(__file__).parents[2] / ".cache" / "bench"
UV = Path(sys.executable).parent / "uv"  # installed by the Makefile

REQUIREMENTS = {
    "arq": ("arq==0.28.0", "redis[hiredis]==5.3.1"),
    "streaq": ("streaq==7.2.0", "coredis==6.9.0"),
    "taskiq": ("taskiq-redis==1.2.4", "taskiq==0.13.0", "redis[hiredis]==8.1.0"),
    "rq": ("rq==3.0.0", "redis[hiredis]==8.1.0"),
    "dramatiq": ("dramatiq[redis]==2.2.1", "redis[hiredis]==8.1.0"),
    "celery": ("celery[redis]==5.7.0", "kombu==5.7.0", "redis[hiredis]==8.1.0"),
}


@dataclass(frozen=True, kw_only=True)
class System:
    """A queue with its settings.

    `expected` jobs a second of one process size its first round only; later rounds are sized by what was measured.
    """

    name: str
    adapter: str
    option: str = ""
    settings: str
    expected: float
    processes: tuple[int, ...] = (1, 2)
    has_latency: bool = True
    needs_postgres: bool = False


OURS = System(
    name="Octobatch",
    adapter="octobatch",
    option="events",
    settings="streams layer, dedupe keys, fences, an event a command; no row in Postgres",
    expected=9000,
)
QUEUES = (
    OURS,
    System(
        name="Octobatch, no events",
        adapter="octobatch",
        option="streams",
        settings="the same without the event",
        expected=11000,
        processes=(1,),
        has_latency=False,
    ),
    System(name="arq", adapter="arq", option="0.01", settings="poll_delay 0.01 s, no results", expected=2000),
    System(
        name="arq, poll 0.5 s",
        adapter="arq",
        option="0.5",
        settings="its default poll_delay, no results",
        expected=1000,
        processes=(1,),
        has_latency=False,
    ),
    System(name="streaq", adapter="streaq", settings="no results, silent", expected=1300),
    System(
        name="taskiq-redis",
        adapter="taskiq",
        settings="RedisStreamBroker, acknowledged when executed, up to 100 jobs at once (its default)",
        expected=3000,
    ),
    System(name="rq", adapter="rq", settings="SimpleWorker (no fork a job), JSON, no results", expected=250),
    System(name="dramatiq", adapter="dramatiq", settings="Redis broker, 8 threads (its default)", expected=2000),
    System(
        name="celery",
        adapter="celery",
        option="threads",
        settings="threads pool, acks_late, no results, no gossip",
        expected=1100,
    ),
    System(
        name="celery, prefork",
        adapter="celery",
        option="prefork",
        settings="prefork pool of one child, acks_late, no results, no gossip",
        expected=1100,
        processes=(1,),
        has_latency=False,
    ),
)

EFFECTS = System(
    name="Octobatch, an effect in Postgres",
    adapter="octobatch",
    option="effects",
    settings="a whole worker process; one transaction a command completes the operation and writes the effect",
    expected=2000,
    needs_postgres=True,
)
BARE = System(
    name="bare asyncpg, the same rows",
    adapter="octobatch",
    option="bare",
    settings="no queue: BEGIN, UPDATE operation, INSERT effect, COMMIT on as many connections",
    expected=3700,
    processes=(1,),
    has_latency=False,
    needs_postgres=True,
)
WITH_POSTGRES = (
    EFFECTS,
    BARE,
    System(
        name="bare asyncpg, the effect alone",
        adapter="octobatch",
        option="insert",
        settings="no queue and no operation: one INSERT a job, each its own transaction",
        expected=12000,
        processes=(1,),
        has_latency=False,
        needs_postgres=True,
    ),
    System(
        name="Octobatch, an operation without effect",
        adapter="octobatch",
        option="operations",
        settings="a whole worker process; its handler does nothing, the operation is completed in batches",
        expected=12000,
        processes=(1,),
        needs_postgres=True,
        has_latency=False,
    ),
)


def python_of(adapter: str) -> Path:
    """The interpreter that has the adapter's queue installed; its environment is made here where it is missing."""
    if adapter == "octobatch":
        return Path(sys.executable)
    requirements = REQUIREMENTS[adapter]
    digest = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:8]
    folder = ENVIRONMENTS / f"{adapter}-{digest}"
    python, finished = folder / "bin" / "python", folder / "installed"
    if not finished.exists():
        print(f"installing {', '.join(requirements)}", flush=True)
        quiet = (UV, "--quiet")
        subprocess.run([*quiet, "venv", "--clear", "--python", sys.executable, folder], check=True)
        subprocess.run([*quiet, "pip", "install", "--python", python, *requirements], check=True)
        finished.touch()
    return python
