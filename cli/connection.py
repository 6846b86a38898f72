"""Which gateway to speak to, and with which key.

`OCTOBATCH_URL` and `OCTOBATCH_API_KEY` (or `OCTOBATCH_API_KEY_FILE`) come first. Without an address the stack that
`octobatch up` started is used: its `.octobatch/client.json`, `{"url": …, "api_key": …}`, is looked for in this folder
and those above it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .failures import CommandFailed, ExitCode

CLIENT_FILE = Path(".octobatch") / "client.json"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """An address, a key, and the local stack's folder where they come from one."""

    url: str
    api_key: str
    stack_folder: Path | None = None

    @property
    def unreachable_hint(self) -> str:
        """What to do when nobody answers at `url`."""
        if self.stack_folder:
            command = "octobatch up" + _folder_option(self.stack_folder)
            return f"the stack in {self.stack_folder} seems not to run: start it with '{command}'"
        return "check OCTOBATCH_URL, and that the gateway runs there"


def find_connection(*, here: Path | None = None) -> Connection:
    """The gateway to speak to; raises `CommandFailed` where none is known."""
    url = os.environ.get("OCTOBATCH_URL", "").rstrip("/")
    key = _key_of_environment()
    if url:
        if not url.startswith(("http://", "https://")):
            raise CommandFailed(
                f"OCTOBATCH_URL must begin with http:// or https://: {url}", exit_code=ExitCode.BAD_INPUT
            )
        return Connection(url=url, api_key=key)
    file = _client_file(here or Path.cwd())
    if file is None:
        raise CommandFailed(
            "no gateway is known: OCTOBATCH_URL is not set, and no stack was started in this folder or above it",
            exit_code=ExitCode.UNREACHABLE,
            hint="start one on this machine with 'octobatch up', or set OCTOBATCH_URL and OCTOBATCH_API_KEY",
        )
    known = _read(file)
    return Connection(url=known["url"].rstrip("/"), api_key=key or known["api_key"], stack_folder=file.parent)


def _client_file(here: Path) -> Path | None:
    folders = [here.resolve(), *here.resolve().parents]
    return next((folder / CLIENT_FILE for folder in folders if (folder / CLIENT_FILE).is_file()), None)


def _read(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text())
    except OSError as error:
        raise CommandFailed(
            f"{file} cannot be read: {error.strerror}",
            exit_code=ExitCode.NOT_AUTHORISED,
            hint="only the user who started the stack may read its key",
        ) from None


def _key_of_environment() -> str:
    file = os.environ.get("OCTOBATCH_API_KEY_FILE")
    if file and not os.environ.get("OCTOBATCH_API_KEY"):
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise CommandFailed(
                f"OCTOBATCH_API_KEY_FILE: {file} cannot be read: {error.strerror}", exit_code=ExitCode.BAD_INPUT
            ) from None
    return os.environ.get("OCTOBATCH_API_KEY", "")


def _folder_option(folder: Path) -> str:
    return "" if folder == Path.cwd() / ".octobatch" else f" --folder {folder}"
