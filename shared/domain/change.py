"""A prepared change: what one target's pull request will hold, byte for byte."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .target import DiffStat

CHANGE_VERSION = 1
"""Version of the JSON form of a change."""


@dataclass(frozen=True, kw_only=True)
class FileChange:
    """The whole new content of one file; None means that the file is deleted.

    For a symbolic link, `content` is the path that it points to. GitHub's `createCommitOnBranch` has no modes:
    a change with an executable file or a link goes through git (see `PreparedChange.needs_git`).
    """

    path: str
    content: bytes | None
    executable: bool = False
    symlink: bool = False

    @property
    def git_mode(self) -> str:
        """The mode as git writes it in a tree."""
        if self.symlink:
            return "120000"
        return "100755" if self.executable else "100644"


@dataclass(frozen=True, kw_only=True)
class PreparedChange:
    """What the steps of a spec made of one repository at `base_oid`.

    `patch` applies with `git am`; `diff` is for reading; `log` is what the steps said. `title`, `body` and
    `commit_message` are the changeset template rendered with the outputs of the steps. `prepared_at` is the date
    of the commit, so that committing the same change again gives the same commit. `why_empty` says why there is
    nothing to publish, where that is so. `parts` are what the spec's `transformChanges` took out of it.
    """

    base_oid: str
    prepared_at: datetime
    files: tuple[FileChange, ...]
    stat: DiffStat
    title: str
    body: str
    commit_message: str
    patch: bytes = b""
    diff: bytes = b""
    log: bytes = b""
    why_empty: str = ""
    parts: tuple[ChangePart, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the steps changed nothing."""
        return not self.files

    @property
    def size_bytes(self) -> int:
        """The bytes of all new content together."""
        return sum(len(file.content or b"") for file in self.files)

    @property
    def needs_git(self) -> bool:
        """Whether only git can publish it, because a file has a mode that the API cannot set."""
        return any(file.executable or file.symlink for file in self.files)

    def to_json(self) -> bytes:
        """The `change` artifact: everything but patch, diff, log and parts, which are artifacts of their own."""
        return json.dumps(
            {
                "version": CHANGE_VERSION,
                "base_oid": self.base_oid,
                "prepared_at": self.prepared_at.isoformat(),
                "title": self.title,
                "body": self.body,
                "commit_message": self.commit_message,
                "stat": {"files": self.stat.files, "additions": self.stat.additions, "deletions": self.stat.deletions},
                "files": [file_to_json(file) for file in self.files],
            }
        ).encode()

    @classmethod
    def from_json(cls, content: bytes) -> PreparedChange:
        """A change as `to_json` wrote it; `patch`, `diff` and `log` are empty."""
        raw = json.loads(content)
        if raw["version"] != CHANGE_VERSION:
            raise ValueError(f"a change of version {raw['version']} cannot be read")
        return cls(
            base_oid=raw["base_oid"],
            prepared_at=datetime.fromisoformat(raw["prepared_at"]),
            title=raw["title"],
            body=raw["body"],
            commit_message=raw["commit_message"],
            stat=DiffStat(**raw["stat"]),
            files=tuple(file_from_json(file) for file in raw["files"]),
        )


@dataclass(frozen=True, kw_only=True)
class ChangePart:
    """A part of a change that has a pull request of its own.

    `branch` is its head branch, or, where it begins with `-`, what follows the name of the rest's.
    """

    group: str
    branch: str
    change: PreparedChange


def file_to_json(file: FileChange) -> dict[str, Any]:
    """A file as JSON has it."""
    content = None if file.content is None else base64.b64encode(file.content).decode()
    return {"path": file.path, "content": content, "executable": file.executable, "symlink": file.symlink}


def file_from_json(raw: dict[str, Any]) -> FileChange:
    """A file as `file_to_json` wrote it."""
    content = None if raw["content"] is None else base64.b64decode(raw["content"])
    return FileChange(path=raw["path"], content=content, executable=raw["executable"], symlink=raw["symlink"])
