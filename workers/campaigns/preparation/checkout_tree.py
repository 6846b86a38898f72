"""A tree in a folder. Every path is opened part by part, so that no link in it leads anywhere else."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from shared.domain.globs import is_glob, literal_folder, matches_path

from .tree import MAX_FILE_BYTES, Entry, TreeError, bounded, check_inside, is_git_folder

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
MAX_DEPTH = 100
"""Folders deeper than this are not searched."""


class CheckoutTree:
    """The tree in a folder; see `WorkingTree`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.touched: set[str] = set()  # paths that edits wrote, deleted or renamed

    async def find(self, pattern: str) -> list[Entry]:
        """The files (and links) that a path or a glob names, sorted."""
        return await asyncio.to_thread(self._find, pattern)

    async def read(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Contents of files."""
        return await asyncio.to_thread(lambda: {path: self._read(path) for path in paths})

    async def write(self, path: str, content: bytes) -> None:
        """Writes a file, keeping its mode where it exists."""
        await asyncio.to_thread(self._write, path, content)
        self.touched.add(path)

    async def delete(self, path: str) -> None:
        """Deletes a file or a link."""
        await asyncio.to_thread(self._delete, path)
        self.touched.add(path)

    async def rename(self, path: str, to: str) -> None:
        """Renames a file or a link, keeping its mode."""
        await asyncio.to_thread(self._rename, path, to)
        self.touched |= {path, to}

    def make_folders(self, paths: Sequence[str]) -> None:
        """Makes folders where they are missing."""
        for path in paths:
            with self._folder(check_inside(path), create=True):
                pass

    # -- Finding ---------------------------------------------------------------------------------------

    def _find(self, pattern: str) -> list[Entry]:
        if is_glob(pattern):
            return bounded(entry for entry in self._walk(pattern) if matches_path(entry.path, pattern))
        try:
            mode = self._mode(pattern)
        except TreeError:
            check_inside(pattern)
            return []
        return [] if mode is None or stat.S_ISDIR(mode) else [Entry(path=pattern, is_symlink=stat.S_ISLNK(mode))]

    def _walk(self, pattern: str) -> Iterator[Entry]:
        start = literal_folder(pattern)
        try:
            with self._folder(check_inside(start) if start else ()) as descriptor:
                if descriptor is not None:
                    yield from _walk(descriptor, start, 0)
        except TreeError:
            return  # a link or a file where the pattern has a folder: nothing below it

    def _mode(self, path: str) -> int | None:
        parts = check_inside(path)
        with self._folder(parts[:-1]) as folder:
            if folder is None:
                return None
            try:
                return os.stat(parts[-1], dir_fd=folder, follow_symlinks=False).st_mode
            except FileNotFoundError:
                return None

    # -- Reading and writing ---------------------------------------------------------------------------

    def _read(self, path: str) -> bytes:
        with self._parent(path) as (folder, name):
            try:
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            except FileNotFoundError:
                raise TreeError(f"there is no file {path}") from None
            except OSError as error:
                raise TreeError(f"{path} cannot be read: {error.strerror}") from None
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise TreeError(f"{path} is not a file")
                if status.st_size > MAX_FILE_BYTES:
                    raise TreeError(f"{path} is larger than {MAX_FILE_BYTES // 1024**2} MiB")
                return file.read()

    def _write(self, path: str, content: bytes) -> None:
        mode = self._mode(path)
        if mode is not None and not stat.S_ISREG(mode):
            raise TreeError(f"{path} is a {'folder' if stat.S_ISDIR(mode) else 'symbolic link'}")
        permissions = 0o755 if mode is not None and mode & 0o100 else 0o644
        with self._parent(path, create=True) as (folder, name):
            if mode is not None:
                os.unlink(name, dir_fd=folder)  # never write through a hard link that leads elsewhere
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(name, flags, permissions, dir_fd=folder), "wb") as file:
                os.fchmod(file.fileno(), permissions)
                file.write(content)

    def _delete(self, path: str) -> None:
        with self._parent(path) as (folder, name):
            try:
                os.unlink(name, dir_fd=folder)
            except OSError as error:
                raise TreeError(f"{path} cannot be deleted: {error.strerror}") from None

    def _rename(self, path: str, to: str) -> None:
        if self._mode(to) is not None:
            raise TreeError(f"{to} exists already")
        with self._parent(path) as (folder, name), self._parent(to, create=True) as (to_folder, to_name):
            try:
                os.rename(name, to_name, src_dir_fd=folder, dst_dir_fd=to_folder)
            except OSError as error:
                raise TreeError(f"{path} cannot be renamed: {error.strerror}") from None

    # -- Folders ---------------------------------------------------------------------------------------

    @contextmanager
    def _parent(self, path: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
        """The folder of a path, open, and the path's last part."""
        parts = check_inside(path)
        with self._folder(parts[:-1], create=create) as folder:
            if folder is None:
                raise TreeError(f"there is no file {path}")
            yield folder, parts[-1]

    @contextmanager
    def _folder(self, parts: Sequence[str], *, create: bool = False) -> Iterator[int | None]:
        """A folder, open; None where it does not exist. Raises `TreeError` where a part is a link or a file."""
        with ExitStack() as opened:
            descriptor: int | None = os.open(self.root, _FOLDER)
            opened.callback(os.close, descriptor)
            for part in parts:
                descriptor = _open_folder(part, descriptor, create=create)
                if descriptor is None:
                    break
                opened.callback(os.close, descriptor)
            yield descriptor


def _open_folder(name: str, parent: int, *, create: bool) -> int | None:
    if create:
        with suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=parent)
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        return None
    except OSError as error:  # ENOTDIR, or ELOOP for a link
        raise TreeError(f"{name} is not a folder") from error


def _walk(folder: int, path: str, depth: int) -> Iterator[Entry]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            below = f"{path}/{entry.name}" if path else entry.name
            if entry.is_dir(follow_symlinks=False):
                if is_git_folder(entry.name) or depth > MAX_DEPTH:
                    continue
                descriptor = os.open(entry.name, _FOLDER, dir_fd=folder)
                try:
                    yield from _walk(descriptor, below, depth + 1)
                finally:
                    os.close(descriptor)
            elif (entry.is_file(follow_symlinks=False) or entry.is_symlink()) and not is_git_folder(entry.name):
                yield Entry(path=below, is_symlink=entry.is_symlink())
