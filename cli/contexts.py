"""The gateways that this user has signed in to, each under a name: `contexts.json` in the user's configuration folder.

    {"version": 1, "current": "acme", "contexts": {"acme": {"url": "https://…", "api_key": "obk_…", "ca_bundle": null}}}

It holds keys, so nobody else may read it: it is written with mode 600, and not read where others could.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from .failures import CommandFailed, ExitCode

FILE = "contexts.json"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, kw_only=True)
class Context:
    """A gateway's address, the key for it, and the certificates that it is trusted by where they are its own."""

    url: str
    api_key: str
    ca_bundle: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Contexts:
    """All contexts, and which is used where nothing says otherwise. Pure; the methods raise `CommandFailed`."""

    current: str | None = None
    named: Mapping[str, Context] = field(default_factory=dict[str, Context])

    def get(self, name: str) -> Context:
        """The context of that name."""
        if name not in self.named:
            raise CommandFailed(
                f"there is no context {name}",
                exit_code=ExitCode.BAD_INPUT,
                hint=f"there are: {', '.join(self.named)}" if self.named else "make one with 'octobatch login SERVER'",
            )
        return self.named[name]

    def with_context(self, name: str, context: Context) -> Contexts:
        """Adds or replaces one, which is the current one from now on."""
        check_name(name)
        return Contexts(current=name, named={**self.named, name: context})

    def using(self, name: str) -> Contexts:
        """The same with another current one."""
        self.get(name)
        return replace(self, current=name)

    def renamed(self, old: str, new: str) -> Contexts:
        """The same with one under another name."""
        self.get(old)
        check_name(new)
        if new in self.named:
            raise CommandFailed(f"there is a context {new} already", exit_code=ExitCode.BAD_INPUT)
        named = {new if name == old else name: context for name, context in self.named.items()}
        return Contexts(current=new if self.current == old else self.current, named=named)

    def without(self, name: str) -> Contexts:
        """The same without one; where it was the current one, none is."""
        self.get(name)
        named = {other: context for other, context in self.named.items() if other != name}
        return Contexts(current=None if self.current == name else self.current, named=named)


def check_name(name: str) -> None:
    """Raises `CommandFailed` where a context cannot have this name."""
    if not _NAME.fullmatch(name):
        raise CommandFailed(
            f"{name!r} cannot name a context",
            exit_code=ExitCode.BAD_INPUT,
            hint="letters, digits and . _ : - after a letter or digit, 100 at most",
        )


def contexts_file() -> Path:
    """Where the contexts of this user are kept."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".config") / "octobatch" / FILE


def load_contexts() -> Contexts:
    """The contexts of this user; none where there is no file. Raises `CommandFailed` where it cannot be trusted."""
    file = contexts_file()
    try:
        mode = file.stat().st_mode
        if mode & _OTHERS:
            raise CommandFailed(
                f"{file} has keys in it, and others may read or change it (mode {stat.S_IMODE(mode):o})",
                exit_code=ExitCode.NOT_AUTHORISED,
                hint=f"chmod 600 {file}; if others may have seen the keys, have them rotated",
            )
        return _parse(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Contexts()
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}", exit_code=ExitCode.NOT_AUTHORISED) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CommandFailed(
            f"{file} is not a file of contexts",
            exit_code=ExitCode.BAD_INPUT,
            hint="remove it, and sign in again with 'octobatch login SERVER'",
        ) from None


def _parse(stored: dict[str, Any]) -> Contexts:
    named = {
        str(name): Context(
            url=str(each["url"]),
            api_key=str(each["api_key"]),
            ca_bundle=Path(each["ca_bundle"]) if each.get("ca_bundle") else None,
        )
        for name, each in stored["contexts"].items()
    }
    current = stored.get("current")
    return Contexts(current=current if current in named else None, named=named)


def save_contexts(contexts: Contexts) -> None:
    """Replaces the file in one step, so that no reader sees half of it; raises `CommandFailed`."""
    file = contexts_file()
    stored = {
        "version": 1,
        "current": contexts.current,
        "contexts": {
            name: {
                "url": each.url,
                "api_key": each.api_key,
                "ca_bundle": str(each.ca_bundle) if each.ca_bundle else None,
            }
            for name, each in contexts.named.items()
        },
    }
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # a temporary file is its owner's alone from its first moment
        with NamedTemporaryFile("w", dir=file.parent, prefix=".", delete=False, encoding="utf-8") as written:
            json.dump(stored, written, indent=2)
        Path(written.name).replace(file)
    except OSError as error:
        raise CommandFailed(f"{file} cannot be written: {error.strerror}") from None
