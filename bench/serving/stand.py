"""Stores, and processes that serve HTTP on them."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

import migrations
from sandbox.embedded.postgres import running_postgres
from sandbox.embedded.servers import free_port, stop, wait_until
from sandbox.embedded.valkey import running_valkey
from shared.auth.api_keys import new_api_key


@dataclass(frozen=True, kw_only=True)
class Stores:
    """Where they are, the environment of what runs on them, and the API key that is known there."""

    dsn: str
    redis_url: str
    api_key: str
    environment: dict[str, str]
    folder: Path


@contextmanager
def running_stores() -> Iterator[Stores]:
    """PostgreSQL and Valkey, which write to disk what they are given, until the end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_valkey(folder) as valkey, running_postgres(folder) as postgres:
            migrations.upgrade(postgres.dsn())
            api_key = new_api_key()
            settings = {
                "POSTGRES_DSN": postgres.dsn(),
                "REDIS_URL": valkey.url,
                "BLOBSTORE_URL": folder.as_uri(),
                "API_KEY_PEPPER": "p" * 32,
                "BOOTSTRAP_API_KEY": api_key,
                "LOG_LEVEL": "WARNING",
                "RATE_PER_SECOND": "1000000",
                "RATE_BURST": "1000000",
            }
            environment = dict(os.environ) | {f"OCTOBATCH_{name}": value for name, value in settings.items()}
            yield Stores(
                dsn=postgres.dsn(), redis_url=valkey.url, api_key=api_key, environment=environment, folder=folder
            )


@dataclass(frozen=True, kw_only=True)
class Served:
    """A process that answers at `port`."""

    port: int
    process: psutil.Popen

    @property
    def megabytes(self) -> float:
        """What it holds in memory now."""
        return self.process.memory_info().rss / 2**20

    @property
    def cpu_seconds(self) -> float:
        """What it has used so far."""
        times = self.process.cpu_times()
        return times.user + times.system


@contextmanager
def serving(stores: Stores, module: str) -> Iterator[Served]:
    """`python -m module` at a port of its own, ready, and stopped at the end: the gateway, or `bench.serving.bare`."""
    port = free_port()
    log = stores.folder / f"{module}.log"
    with log.open("ab") as out:
        process = psutil.Popen(
            [sys.executable, "-m", module],
            env=stores.environment | {"OCTOBATCH_GATEWAY_PORT": str(port)},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        wait_until(lambda: _listens(process, port), process, name=module, log=log)
        yield Served(port=port, process=process)
    finally:
        stop(process)


def _listens(process: psutil.Popen, port: int) -> bool:
    return any(each.laddr.port == port and each.status == psutil.CONN_LISTEN for each in process.net_connections("tcp"))


def command(module: str, *words: object) -> Sequence[str]:
    """The command line of a process that asks or reads."""
    return [sys.executable, "-m", module, *map(str, words)]
