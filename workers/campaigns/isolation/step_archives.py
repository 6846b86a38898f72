"""A tree as an archive, to a container and back. What comes back is hostile: nothing of it is written elsewhere."""

from __future__ import annotations

import io
import os
import shutil
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path

from ..preparation.tree import TreeError, check_inside, is_git_folder
from ..steps.commands import MAX_OUTPUT_BYTES
from .sandboxes import Limits

TREE, SCRIPT = "workspace", "step"
STATUS, STDOUT, STDERR = "status", "out", "err"


@dataclass(frozen=True, kw_only=True)
class Returned:
    """What a container has left besides the tree: its status, and the beginning and length of its outputs."""

    status: int
    stdout: tuple[bytes, int]
    stderr: tuple[bytes, int]


def pack(tree: Path, script: str, into: Path) -> None:
    """Writes an archive of a tree, without git's folder, and of the script."""
    with tarfile.open(into, "w:gz", compresslevel=1) as archive:
        archive.add(
            tree, TREE, filter=lambda member: None if member.name == f"{TREE}/.git" else _owned_by_nobody(member)
        )
        content = script.encode()
        member = tarfile.TarInfo(SCRIPT)
        member.size, member.mode = len(content), 0o755
        archive.addfile(member, io.BytesIO(content))


def _owned_by_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def unpack(archive: Path, tree: Path, limits: Limits) -> Returned:
    """Puts the tree of an archive in the place of the one that is there.

    Raises `TreeError` for paths that lead out of it, for more than the limits, and for what is no such archive.
    """
    for entry in tree.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    try:
        with tarfile.open(archive, "r:gz") as opened:
            return _unpacked(opened, tree, limits)
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError) as error:
        raise TreeError(f"what the container left cannot be read: {error}") from None


def _unpacked(archive: tarfile.TarFile, tree: Path, limits: Limits) -> Returned:
    said: dict[str, tuple[bytes, int]] = {}
    links: list[tuple[Path, str]] = []
    files = size = 0
    for member in archive:
        files, size = files + 1, size + max(0, member.size)
        if files > limits.files or size > limits.written_bytes:
            raise TreeError(f"the container left more than {limits.files} files or {limits.written_bytes} bytes")
        name = member.name.removeprefix("./").rstrip("/")
        if name in (STATUS, STDOUT, STDERR) and member.isreg():
            said[name] = (_content(archive, member).read(MAX_OUTPUT_BYTES), member.size)
        elif name.startswith(f"{TREE}/") and not any(map(is_git_folder, name.split("/"))):
            path = tree.joinpath(*check_inside(name.removeprefix(f"{TREE}/")))
            if member.issym():
                links.append((path, member.linkname))
            else:
                _write(archive, member, path)
    for path, target in links:  # last, so that none is followed
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    return Returned(status=int(said[STATUS][0]), stdout=said[STDOUT], stderr=said[STDERR])


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    """A file or a folder. Hard links become files; devices and pipes are left out."""
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
    elif member.isreg() or member.islnk():
        path.parent.mkdir(parents=True, exist_ok=True)
        permissions = 0o755 if member.mode & stat.S_IXUSR else 0o644
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, permissions), "wb") as file:
            shutil.copyfileobj(_content(archive, member), file)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> io.BufferedIOBase:
    content = archive.extractfile(member)
    if content is None:
        raise KeyError(member.name)
    return content  # pyright: ignore[reportReturnType]  # a buffered reader
