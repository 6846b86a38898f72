"""The log of a target: what each step did, in plain text, with no secret in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

MAX_LOG_BYTES = 8 * 1024 * 1024
MAX_PATHS = 50
_TOKENS = re.compile(r"gh[a-z]_[A-Za-z0-9._-]{16,}|github_pat_\w{20,}|v1\.[0-9a-f]{40}|eyJ[\w-]+\.[\w-]+\.[\w-]+")


class StepLog:
    """Collects the log; `secrets` are texts that must never be in it, and `redact` takes out what else must not."""

    def __init__(self, secrets: Iterable[str] = (), *, redact: Callable[[str], str] = str) -> None:
        self._secrets = [secret for secret in secrets if secret]
        self._redact = redact
        self._parts: list[str] = []
        self._length = 0

    def line(self, text: str = "") -> None:
        """One line, or several."""
        if self._length > MAX_LOG_BYTES:
            return
        clean = self.redacted(text)
        self._length += len(clean)
        self._parts.append(clean)
        if self._length > MAX_LOG_BYTES:
            self._parts.append("… the rest of the log was left out")

    def output(self, name: str, text: str, left_out: int) -> None:
        """What a command wrote, with a mark before each line, and how much of it was not kept."""
        for line in self._redact(text).splitlines():  # before it is lines, of which a secret may have several
            self.line(f"  {name} | {line}")
        if left_out:
            self.line(f"  {name} | … {left_out} more bytes were not kept")

    def paths(self, what: str, paths: Iterable[str]) -> None:
        """What happened to some files."""
        names = sorted(paths)
        for name in names[:MAX_PATHS]:
            self.line(f"  {what} {name}")
        if len(names) > MAX_PATHS:
            self.line(f"  {what} {len(names) - MAX_PATHS} more files")

    def content(self) -> bytes:
        """The log so far."""
        return ("\n".join(self._parts) + "\n").encode(errors="backslashreplace")

    def redacted(self, text: str) -> str:
        """A text as the log has it."""
        text = self._redact(text)
        for secret in self._secrets:
            text = text.replace(secret, "[token]")
        return _TOKENS.sub("[token]", text)
