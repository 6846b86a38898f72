"""The whole of Octobatch on one machine: stores, a GitHub to practise on, the gateway and the three workers.

with StackFolder(path).held():
    stack = Stack(folder, gateway_port=8600, github_port=8601, say=print)
    stack.start()
    stack.supervise()       # until KeyboardInterrupt
    stack.stop()

Each part is a process; one that dies is started again, and a line says so.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from urllib.request import urlopen

import migrations
from shared.domain.permissions import parse_permissions, permissions_text

from .embedded.postgres import EmbeddedPostgres
from .embedded.servers import ServerNotStarted, free_port, stop, wait_until
from .embedded.valkey import EmbeddedValkey
from .folder import StackError, StackFolder
from .github.first_start import PERMISSIONS

WORKERS = ("campaigns", "selection", "tokens")
SUPERVISION_SECONDS = 0.25
RESTART_SECONDS = 1.0
CONCURRENCY = str(2 * (os.cpu_count() or 1))
"""Of workers whose commands cost more than waiting: everything shares this machine."""
READY_SECONDS = 120.0
"""Longest start of a part: importing the repositories of a demo takes its time on a busy machine."""


@dataclass
class Part:
    """A process of the stack."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    log: Path
    ready: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Starts it and does not wait for it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def start(self) -> None:
        """Returns once it is ready; raises `ServerNotStarted` with the end of its log."""
        self.launch()
        self.wait()

    def wait(self) -> None:
        """Returns once it is ready; raises `ServerNotStarted` with the end of its log."""
        assert self.process is not None  # noqa: S101 - it was launched
        wait_until(self.ready, self.process, name=self.name, log=self.log, seconds=READY_SECONDS)

    def stop(self) -> None:
        """Asks it to end, and waits."""
        if self.process:
            stop(self.process)


class Stack:
    """Starts, watches and stops the parts in order."""

    def __init__(
        self,
        folder: StackFolder,
        *,
        gateway_port: int,
        github_port: int,
        say: Callable[[str], None],
        owner: str = "acme",
        import_packages: bool = False,
        only_stores: bool = False,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.folder, self.say = folder, say
        self.gateway_port, self.github_port = gateway_port, github_port
        self.owner, self.import_packages, self.only_stores = owner, import_packages, only_stores
        self.url = f"http://127.0.0.1:{gateway_port}"
        self.github_url = f"http://127.0.0.1:{github_port}"
        self.health_ports = {worker: free_port() for worker in WORKERS}
        self._given = environment or {}
        self._parts: list[Part | EmbeddedPostgres | EmbeddedValkey] = []
        self._names: dict[int, str] = {}
        self._stopping = Event()
        self._changing = Lock()

    def start(self) -> None:
        """Starts everything; raises `StackError` or `ServerNotStarted`."""
        if shutil.which("git") is None:
            raise StackError("git is not on the PATH; install it first")
        if left := self.folder.stop_leftovers():
            self.say(f"stopped what a crash had left running: {', '.join(left)}")
        for port, option in ((self.gateway_port, "--port"), (self.github_port, "--github-port")):
            _check_port(port, option)
        self.postgres = EmbeddedPostgres(self.folder.path)
        self.valkey = EmbeddedValkey(self.folder.path)
        self._start("PostgreSQL", self.postgres)
        for opened in self.postgres.opened_folders:
            self.say(f"  running as root: PostgreSQL runs as another user, who may now pass through {opened}")
        self._start("Valkey", self.valkey)
        migrations.upgrade(self.postgres.dsn())
        self._start("GitHub sandbox", self._github())
        known = {"url": self.url, "api_key": self.folder.api_key(), "github_url": self.github_url}
        self.folder.write_private("client.json", json.dumps(known))
        self.folder.write_private(
            "processes.env",
            _dotenv(
                self._notification_settings() | self._settings() | self._gateway_settings() | self._tokens_settings()
            ),
        )
        if not self.only_stores:
            workers = {f"{worker} worker": self._worker(worker) for worker in WORKERS}
            self._start_together({"gateway": self._gateway(), **workers})

    def supervise(self) -> None:
        """Starts parts again that end by themselves, until another thread calls `stop` or it is interrupted."""
        while not self._stopping.wait(SUPERVISION_SECONDS):
            for part in self._parts:
                with self._changing:
                    if not self._stopping.is_set():
                        self._revive(part)

    def stop(self) -> None:
        """Stops the parts in reverse order."""
        self._stopping.set()
        with self._changing:
            for part in reversed(self._parts):
                part.stop()
                self.say(f"{self._names[id(part)]} stopped")
            self._parts.clear()
        (self.folder.path / "processes.json").unlink(missing_ok=True)

    def part(self, name: str) -> Part | EmbeddedPostgres | EmbeddedValkey:
        """The part of that name, as the lines at the start say it."""
        return next(part for part in self._parts if self._names[id(part)] == name)

    def environment(self) -> dict[str, str]:
        """What every process of Octobatch gets."""
        return {**os.environ, "PYTHONUNBUFFERED": "1", **self._settings()}

    def _settings(self) -> dict[str, str]:
        return {
            "OCTOBATCH_BLOBSTORE_URL": (self.folder.path / "artifacts").as_uri(),  # or s3://… of the environment
            **{name: value for name, value in os.environ.items() if name.startswith("OCTOBATCH_")},
            "OCTOBATCH_POSTGRES_DSN": self.postgres.dsn(),
            "OCTOBATCH_REDIS_URL": self.valkey.url,
            "OCTOBATCH_GITHUB_API_BASE": f"{self.github_url}/api/v3",
            "OCTOBATCH_PUBLIC_URL": self.url,
            "OCTOBATCH_WORKSPACE_DIR": str(self.folder.path / "workspace"),
            "OCTOBATCH_COMMAND_LEASE_SECONDS": "5",  # a killed worker's commands go on after so long
            **self._given,
        }

    def _gateway_settings(self) -> dict[str, str]:
        return {
            "OCTOBATCH_GATEWAY_PORT": str(self.gateway_port),
            "OCTOBATCH_API_KEY_PEPPER": self.folder.secret("api-key-pepper"),
            "OCTOBATCH_BOOTSTRAP_API_KEY": self.folder.api_key(),
            "OCTOBATCH_RATE_PER_SECOND": "0",  # one machine, one user, and measurements that ask as fast as they can
            "OCTOBATCH_WEBHOOK_SECRET_FILE": str(self.folder.path / "github" / "webhook-secret"),
            **self._webhooks_settings(),
        }

    def _webhooks_settings(self) -> dict[str, str]:
        return {
            "OCTOBATCH_WEBHOOKS_SIGNING_KEY": self.folder.secret("webhooks-signing-key"),
            "OCTOBATCH_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES": "true",  # receivers on this machine, to practise with
        }

    def _notification_settings(self) -> dict[str, str]:
        secrets_folder = self.folder.path / "notification-secrets"
        secrets_folder.mkdir(mode=0o700, exist_ok=True)
        return {"OCTOBATCH_NOTIFICATION_SECRETS_DIR": str(secrets_folder)}

    def _tokens_settings(self) -> dict[str, str]:
        github = self.folder.path / "github"
        return {
            "OCTOBATCH_GITHUB_APP_ID": str(json.loads((github / "app.json").read_text())["app_id"]),
            "OCTOBATCH_GITHUB_APP_PRIVATE_KEY_FILE": self.environment().get(
                "OCTOBATCH_GITHUB_APP_PRIVATE_KEY_FILE", str(github / "app.pem")
            ),
            "OCTOBATCH_GITHUB_APP_PERMISSIONS": self.environment().get(
                "OCTOBATCH_GITHUB_APP_PERMISSIONS", permissions_text(parse_permissions(PERMISSIONS))
            ),
            "OCTOBATCH_TOKEN_CACHE_KEY": self._cache_key(),
        }

    def _revive(self, part: Part | EmbeddedPostgres | EmbeddedValkey) -> None:
        if part.process is None or part.process.poll() is None:
            return
        name, code = self._names[id(part)], part.process.returncode
        self.say(f"{name} ended with {code}; starting it again (log: {part.log})")
        self._stopping.wait(RESTART_SECONDS)  # a part that always fails must not spin
        try:
            if isinstance(part, Part):
                part.launch()  # it may wait for a store, which is started again after it
            else:
                part.start()
        except ServerNotStarted as error:
            self.say(f"{error}")
        self._remember()

    def _start(self, name: str, part: Part | EmbeddedPostgres | EmbeddedValkey) -> None:
        started = time.monotonic()
        self._parts.append(part)
        self._names[id(part)] = name
        part.start()
        self._remember()
        self.say(f"{name} is ready ({time.monotonic() - started:.1f} s)")

    def _start_together(self, parts: dict[str, Part]) -> None:
        started = time.monotonic()
        for name, part in parts.items():
            self._parts.append(part)
            self._names[id(part)] = name
            part.launch()
            self._remember()
        for name, part in parts.items():
            part.wait()
            self.say(f"{name} is ready ({time.monotonic() - started:.1f} s)")

    def _remember(self) -> None:
        self.folder.remember({self._names[id(part)]: part.process.pid for part in self._parts if part.process})

    def _github(self) -> Part:
        arguments = [
            "--port",
            str(self.github_port),
            "--folder",
            str(self.folder.path / "github"),
            "--owner",
            self.owner,
        ]
        arguments += ["--webhook-url", f"{self.url}/webhooks/github"]
        if self.import_packages:
            arguments += ["--import-installed-packages", self.owner]
        return self._part(
            "github",
            [sys.executable, "-m", "sandbox.github", *arguments],
            dict(os.environ),
            f"{self.github_url}/_sandbox/",
        )

    def _gateway(self) -> Part:
        environment = self.environment() | self._gateway_settings()
        return self._part("gateway", [sys.executable, "-m", "gateway"], environment, f"{self.url}/readyz")

    def _worker(self, name: str) -> Part:
        environment = self.environment()
        if name == "tokens":  # nobody else may read the App's key
            environment |= self._tokens_settings()
        if name == "campaigns":
            environment = self._notification_settings() | environment | self._webhooks_settings()
        if name != "tokens" and "OCTOBATCH_WORKER_CONCURRENCY" not in environment:
            environment["OCTOBATCH_WORKER_CONCURRENCY"] = CONCURRENCY
        health_port = self.health_ports[name]
        environment |= {"OCTOBATCH_HEALTH_HOST": "127.0.0.1", "OCTOBATCH_HEALTH_PORT": str(health_port)}
        url = f"http://127.0.0.1:{health_port}/readyz"
        return self._part(name, [sys.executable, "-m", "workers", name], environment, url)

    def _cache_key(self) -> str:
        file = self.folder.path / "token-cache-key"
        if not file.exists():
            self.folder.write_private(file.name, urlsafe_b64encode(secrets.token_bytes(32)).decode())
        return file.read_text()

    def _part(self, name: str, command: Sequence[str], environment: dict[str, str], url: str) -> Part:
        log = self.folder.logs / f"{name}.log"
        return Part(name, command, environment, log, lambda: _answers(url))


def _dotenv(settings: dict[str, str]) -> str:
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(settings.items()))


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as response:  # noqa: S310 - loopback
            return response.status == 200
    except OSError:
        return False


def _check_port(port: int, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StackError(
                f"port {port} cannot be used ({error.strerror}): stop what listens there, or choose another"
                f" with {option}"
            ) from None
