"""Trees with files changed, and commits of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, cast

import pygit2
from pygit2.enums import FileMode

from ..errors import unprocessable
from .signing import Signer

Changes = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class FileChange:
    """A file's new content, or None to delete it. `mode` None keeps that of the file there was, or is 100644."""

    path: str
    content: bytes | None
    mode: int | None = None


@dataclass(frozen=True, kw_only=True)
class Person:
    """An author or committer, at a time in seconds since 1970 and minutes east of UTC."""

    name: str
    email: str
    seconds: int
    offset: int = 0

    @classmethod
    def at(cls, name: str, email: str, when: datetime) -> Person:
        """A person at that time."""
        offset = when.utcoffset()
        minutes = int(offset.total_seconds() // 60) if offset else 0
        return cls(name=name, email=email, seconds=int(when.timestamp()), offset=minutes)

    def signature(self) -> pygit2.Signature:
        """As libgit2 wants it."""
        return pygit2.Signature(self.name, self.email, self.seconds, self.offset)


def commit_files(
    repo: pygit2.Repository,
    *,
    parent: str | None,
    changes: Sequence[FileChange],
    message: str,
    author: Person,
    committer: Person,
    signer: Signer | None = None,
) -> str:
    """Writes a commit on top of `parent` (no branch moves); its oid. Raises `Refused` for an impossible path."""
    base = repo[parent].peel(pygit2.Tree) if parent else None
    tree = change_tree(repo, base, changes)
    return write_commit(
        repo,
        tree=tree,
        parents=[parent] if parent else [],
        message=message,
        author=author,
        committer=committer,
        signer=signer,
    )


def write_commit(
    repo: pygit2.Repository,
    *,
    tree: str,
    parents: Sequence[str],
    message: str,
    author: Person,
    committer: Person,
    signer: Signer | None = None,
) -> str:
    """Writes a commit of a tree, signed where there is a signer; its oid."""
    arguments = (author.signature(), committer.signature(), message, pygit2.Oid(hex=tree))
    if signer is None:
        return str(repo.create_commit(None, *arguments, list(parents)))
    content = str(repo.create_commit_string(*arguments, list(parents)))
    return str(repo.create_commit_with_signature(content, signer.sign(content.encode()), "gpgsig"))


def change_tree(repo: pygit2.Repository, base: pygit2.Tree | None, changes: Sequence[FileChange]) -> str:
    """The oid of `base` with these files changed; only the folders on their paths are read and written."""
    nested: Changes = {}
    for change in changes:
        _place(nested, change)
    written = _write_tree(repo, base, nested)
    return written or str(repo.TreeBuilder().write())


def _place(nested: Changes, change: FileChange) -> None:
    parts = PurePosixPath(change.path).parts
    if not parts or change.path.startswith("/") or any(part in {"..", ".", ".git"} for part in change.path.split("/")):
        raise unprocessable(f"path {change.path!r} is malformed")
    at = nested
    for part in parts[:-1]:
        below = at.setdefault(part, {})
        if not isinstance(below, dict):
            raise unprocessable(f"path {change.path!r} runs through a file")
        at = cast("Changes", below)
    if isinstance(at.get(parts[-1]), dict):
        raise unprocessable(f"path {change.path!r} is a folder")
    at[parts[-1]] = change


def _write_tree(repo: pygit2.Repository, base: pygit2.Tree | None, nested: Mapping[str, Any]) -> str | None:
    """The oid of the changed tree; None where nothing is left in it."""
    builder = repo.TreeBuilder(base) if base is not None else repo.TreeBuilder()
    for name, change in nested.items():
        there = base[name] if base is not None and name in base else None
        if isinstance(change, dict):
            inside = there if isinstance(there, pygit2.Tree) else None
            below = _write_tree(repo, inside, cast("Changes", change))
            _put(builder, name, below, FileMode.TREE)
        elif change.content is None:
            if there is None:
                raise unprocessable(f"A path was requested for deletion which does not exist: {change.path!r}")
            builder.remove(name)
        else:
            kept = there.filemode if isinstance(there, pygit2.Blob) else FileMode.BLOB
            _put(builder, name, str(repo.create_blob(change.content)), change.mode or kept)
    return str(builder.write()) if len(builder) else None


def _put(builder: Any, name: str, oid: str | None, mode: int) -> None:
    if oid is not None:
        builder.insert(name, oid, mode)
    elif builder.get(name) is not None:
        builder.remove(name)
