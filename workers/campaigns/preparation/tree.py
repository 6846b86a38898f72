"""The tree that steps work on: files of the base commit, with what earlier steps changed.

Two implementations: `ApiTree` reads from GitHub what is asked for and keeps changes in memory; `CheckoutTree` is a
folder. In both, paths stay inside the tree, symbolic links are never followed, and `.git` does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.errors import OctobatchError

MAX_FILES = 20_000
"""Most files that one pattern may find."""

MAX_FILE_BYTES = 8 * 1024 * 1024
"""Larger files are not edited."""


class TreeError(OctobatchError):
    """A step asks for something that the tree does not allow; the message says what."""


class NeedsCheckout(OctobatchError):
    """GitHub's API does not give the content of a file whole (binary, very large, or not UTF-8): git must."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file that a pattern found."""

    path: str
    is_symlink: bool = False


class WorkingTree(Protocol):
    """What edits need of a tree. All paths are relative, with `/`."""

    async def find(self, pattern: str) -> list[Entry]:
        """The files (and links) that a path or a glob names, sorted."""
        ...

    async def read(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Contents of files. Raises `TreeError` for what is no regular file or larger than `MAX_FILE_BYTES`."""
        ...

    async def write(self, path: str, content: bytes) -> None:
        """Writes a file, keeping its mode where it exists. Raises `TreeError` where a folder or link is in the way."""
        ...

    async def delete(self, path: str) -> None:
        """Deletes a file or a link."""
        ...

    async def rename(self, path: str, to: str) -> None:
        """Renames a file or a link, keeping its mode. Raises `TreeError` where `to` exists."""
        ...


def check_inside(path: str) -> tuple[str, ...]:
    """The parts of a path; raises `TreeError` for one that could lead out of the tree or into `.git`."""
    parts = tuple(path.split("/"))
    if not path or path.startswith("/") or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise TreeError(f"{path!r} is not a path inside the repository")
    if any(is_git_folder(part) for part in parts):
        raise TreeError(f"{path!r} is in .git")
    return parts


def is_git_folder(name: str) -> bool:
    """Whether git (on any system) takes a name for its own folder."""
    plain = "".join(character for character in name if character not in _IGNORED_ON_MACOS)
    return plain.lower().rstrip(" .") == ".git" or plain.lower() == "git~1"


_IGNORED_ON_MACOS = frozenset(
    map(chr, [*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF])
)
"""Characters that HFS+ drops from names, as git's own check has them."""


def bounded(entries: Iterable[Entry]) -> list[Entry]:
    """The entries, sorted; raises `TreeError` past `MAX_FILES`."""
    found: list[Entry] = []
    for entry in entries:
        found.append(entry)
        if len(found) > MAX_FILES:
            raise TreeError(f"the pattern finds more than {MAX_FILES} files")
    return sorted(found, key=lambda entry: entry.path)
