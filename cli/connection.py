"""Which gateway to speak to, and with which key.

The first of these that there is:

1. `--context NAME`
2. `OCTOBATCH_URL`, with `OCTOBATCH_CA_BUNDLE` where its certificate is signed by an authority of one's own
3. `OCTOBATCH_CONTEXT`, a context's name
4. the stack that `octobatch up` started: its `.octobatch/client.json`, `{"url": …, "api_key": …}`, in this folder or
   above it
5. the current context: that of the last `octobatch login` or `octobatch contexts use`

The key is that of the same place, unless `OCTOBATCH_API_KEY` (or `OCTOBATCH_API_KEY_FILE`) has one.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from .contexts import load_contexts
from .failures import CommandFailed, ExitCode

CLIENT_FILE = Path(".octobatch") / "client.json"


class Source(StrEnum):
    """What a gateway's address was taken from; the value says it to people."""

    OPTION = "--context says so"
    ENVIRONMENT = "OCTOBATCH_URL says so"
    CONTEXT_VARIABLE = "OCTOBATCH_CONTEXT says so"
    STACK = "a stack was started in this folder or above it"
    CURRENT_CONTEXT = "it is the current context"
    GIVEN = "it was given"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A gateway's address and a key for it, and what they were taken from.

    `stack_folder` is the local stack's, `context` the name of a context, where they come from one.
    """

    url: str
    api_key: str
    source: Source = Source.GIVEN
    context: str | None = None
    stack_folder: Path | None = None
    ca_bundle: Path | None = None
    key_variable: str | None = None

    @property
    def why(self) -> str:
        """Why this gateway and this key."""
        place = f" ({self.stack_folder})" if self.stack_folder else ""
        return f"{self.source}{place}" + (f"; the key is that of {self.key_variable}" if self.key_variable else "")

    @property
    def unreachable_hint(self) -> str:
        """What to do when nobody answers at `url`."""
        if self.stack_folder:
            command = "octobatch up" + _folder_option(self.stack_folder)
            return f"the stack in {self.stack_folder} seems not to run: start it with '{command}'"
        if self.context:
            return f"check the address of the context {self.context} (octobatch contexts list), and that it runs there"
        address = "the address" if self.source is Source.GIVEN else "OCTOBATCH_URL"
        return f"check {address}, and that the gateway runs there"

    @property
    def refused_hint(self) -> str:
        """What to do when the key is not accepted."""
        if self.key_variable:
            return f"give a valid key in {self.key_variable}; 'octobatch whoami' says whose key is used and why"
        if self.source is Source.GIVEN:
            return "is it whole, and a key of this gateway that has not expired?"
        if self.context:
            return (
                "the key may have expired or been revoked: give another with "
                f"'octobatch login {self.url} --name {self.context}'"
            )
        if self.stack_folder:
            return f"{self.stack_folder} has another key than the gateway at {self.url}: is it another stack's?"
        return "give a valid key in OCTOBATCH_API_KEY, or sign in with 'octobatch login'"

    @property
    def certificate_hint(self) -> str:
        """What to do when the gateway's certificate is not trusted."""
        if self.context or self.source is Source.GIVEN:
            return (
                "if it is signed by an authority of your own, give that authority's certificate: "
                f"octobatch login {self.url} --ca-bundle FILE"
            )
        return "if it is signed by an authority of your own, name that authority's certificate in OCTOBATCH_CA_BUNDLE"


def find_connection(*, context: str | None = None, here: Path | None = None) -> Connection:
    """The gateway to speak to; `context` is what `--context` was given. Raises `CommandFailed` where none is known."""
    if context:
        return _of_context(context, Source.OPTION)
    if url := os.environ.get("OCTOBATCH_URL", "").rstrip("/"):
        if not url.startswith(("http://", "https://")):
            raise CommandFailed(
                f"OCTOBATCH_URL must begin with http:// or https://: {url}", exit_code=ExitCode.BAD_INPUT
            )
        return _connection(url=url, api_key="", source=Source.ENVIRONMENT)
    if named := os.environ.get("OCTOBATCH_CONTEXT"):
        return _of_context(named, Source.CONTEXT_VARIABLE)
    if file := stack_file(here or Path.cwd()):
        known = _read(file)
        return _connection(
            url=known["url"].rstrip("/"), api_key=known["api_key"], source=Source.STACK, stack_folder=file.parent
        )
    if current := load_contexts().current:
        return _of_context(current, Source.CURRENT_CONTEXT)
    raise CommandFailed(
        "no gateway is known: OCTOBATCH_URL is not set, no stack was started in this folder or above it, and there is "
        "no context",
        exit_code=ExitCode.UNREACHABLE,
        hint="sign in to one with 'octobatch login SERVER', or start one on this machine with 'octobatch up'",
    )


def stack_file(here: Path) -> Path | None:
    """What `octobatch up` left for clients, in this folder or the nearest above it."""
    folders = [here.resolve(), *here.resolve().parents]
    return next((folder / CLIENT_FILE for folder in folders if (folder / CLIENT_FILE).is_file()), None)


def _of_context(name: str, source: Source) -> Connection:
    context = load_contexts().get(name)
    return _connection(
        url=context.url, api_key=context.api_key, source=source, context=name, ca_bundle=context.ca_bundle
    )


def _connection(
    *,
    url: str,
    api_key: str,
    source: Source,
    context: str | None = None,
    stack_folder: Path | None = None,
    ca_bundle: Path | None = None,
) -> Connection:
    """With what the environment has to say: it is nearer than any file."""
    key, variable = _key_of_environment()
    authority = os.environ.get("OCTOBATCH_CA_BUNDLE")
    return Connection(
        url=url,
        api_key=key or api_key,
        source=source,
        context=context,
        stack_folder=stack_folder,
        ca_bundle=Path(authority) if authority else ca_bundle,
        key_variable=variable if key else None,
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text())
    except OSError as error:
        raise CommandFailed(
            f"{file} cannot be read: {error.strerror}",
            exit_code=ExitCode.NOT_AUTHORISED,
            hint="only the user who started the stack may read its key",
        ) from None


def _key_of_environment() -> tuple[str, str]:
    """The key, and the variable that it is from."""
    file = os.environ.get("OCTOBATCH_API_KEY_FILE")
    if file and not os.environ.get("OCTOBATCH_API_KEY"):
        try:
            return Path(file).read_text().strip(), "OCTOBATCH_API_KEY_FILE"
        except OSError as error:
            raise CommandFailed(
                f"OCTOBATCH_API_KEY_FILE: {file} cannot be read: {error.strerror}", exit_code=ExitCode.BAD_INPUT
            ) from None
    return os.environ.get("OCTOBATCH_API_KEY", ""), "OCTOBATCH_API_KEY"


def _folder_option(folder: Path) -> str:
    return "" if folder == Path.cwd() / ".octobatch" else f" --folder {folder}"
