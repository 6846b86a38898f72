"""A tree read through GitHub's API: only the files that steps ask for, in as few requests as that takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.domain.change import FileChange
from shared.domain.globs import is_glob, literal_folder, matches_path
from shared.github.contents import Incomplete, TreeEntry, Wanted

from .reading import Reader
from .tree import MAX_FILE_BYTES, Entry, NeedsCheckout, TreeError, bounded, check_inside

MAX_FOLDERS = 1000
"""Folders listed through the API before a checkout is the better way."""


@dataclass(frozen=True, kw_only=True)
class _File:
    content: bytes
    executable: bool = False
    symlink: bool = False


class ApiTree:
    """The tree of one commit; see `WorkingTree`. Raises `NeedsCheckout` where the API does not suffice."""

    def __init__(self, reader: Reader, *, repository_node_id: str, oid: str) -> None:
        self._reader, self._repository_node_id, self._oid = reader, repository_node_id, oid
        self._folders: dict[str, dict[str, TreeEntry]] = {}  # what was listed; a missing folder is empty
        self._contents: dict[str, bytes | Incomplete] = {}
        self._changed: dict[str, _File | None] = {}  # None = deleted

    async def prefetch(self, patterns: Iterable[str]) -> None:
        """Reads, in one go, the files and folders that steps will ask for."""
        wanted = list(dict.fromkeys(patterns))
        files = [pattern for pattern in wanted if not is_glob(pattern)]
        await self._fetch(files, [literal_folder(pattern) for pattern in wanted])

    async def find(self, pattern: str) -> list[Entry]:
        """The files (and links) that a path or a glob names, sorted."""
        if not is_glob(pattern):
            check_inside(pattern)
            if pattern in self._changed:
                file = self._changed[pattern]
                return [Entry(path=pattern, is_symlink=file.symlink)] if file else []
            entry = await self._entry(pattern)
            return [Entry(path=pattern, is_symlink=entry.is_symlink)] if entry and entry.type == "blob" else []
        listed = await self._list_below(literal_folder(pattern), _depth(pattern))
        found = {entry.path: Entry(path=entry.path, is_symlink=entry.is_symlink) for entry in listed}
        for path, file in self._changed.items():
            found.pop(path, None)
            if file:
                found[path] = Entry(path=path, is_symlink=file.symlink)
        return bounded(entry for path, entry in found.items() if matches_path(path, pattern))

    async def read(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Contents of files; raises `TreeError` or `NeedsCheckout`."""
        await self._fetch([path for path in paths if path not in self._changed], [])
        return {path: (await self._file(path)).content for path in paths}

    async def write(self, path: str, content: bytes) -> None:
        """Writes a file, keeping its mode where it exists."""
        await self._check_writable(path)
        existing = await self._find_file(path)
        if existing and existing.symlink:
            raise TreeError(f"{path} is a symbolic link")
        self._changed[path] = _File(content=content, executable=bool(existing and existing.executable))

    async def delete(self, path: str) -> None:
        """Deletes a file or a link."""
        await self._file(path)  # the patch shows what was deleted, so its content must be known
        self._changed[path] = None

    async def rename(self, path: str, to: str) -> None:
        """Renames a file or a link, keeping its mode."""
        file = await self._file(path)
        await self._check_writable(to)
        if await self._find_file(to):
            raise TreeError(f"{to} exists already")
        self._changed[path], self._changed[to] = None, file

    async def before_and_after(self) -> tuple[list[FileChange], list[FileChange]]:
        """Every touched file as the commit has it, and as the steps left it."""
        await self._fetch([path for path in self._changed if await self._entry(path)], [])
        before: list[FileChange] = []
        after: list[FileChange] = []
        for path, file in sorted(self._changed.items()):
            original = await self._original(path)
            if original:
                before.append(_change(path, original))
            if file != original:
                after.append(_change(path, file))
        return before, after

    async def base_content(self, path: str) -> bytes | None:
        """A file as the commit has it; None where it has none. Raises `NeedsCheckout`."""
        entry = await self._entry(path)
        original = await self._original(path) if entry and entry.type == "blob" else None
        return original.content if original else None

    # -- What the commit has ---------------------------------------------------------------------------

    async def _fetch(self, files: Sequence[str], folders: Sequence[str]) -> None:
        parents = [path.rpartition("/")[0] for path in files]
        new_folders = [one for one in dict.fromkeys([*parents, *folders]) if one not in self._folders]
        new_files = [one for one in dict.fromkeys(files) if one not in self._contents]
        if not new_folders and not new_files:
            return
        if len(self._folders) + len(new_folders) > MAX_FOLDERS:
            raise NeedsCheckout(f"more than {MAX_FOLDERS} folders")
        wanted = Wanted(
            repository_node_id=self._repository_node_id, oid=self._oid, files=new_files, folders=new_folders
        )
        contents = await self._reader.contents(wanted)
        self._contents.update(contents.blobs)
        for folder in new_folders:
            self._folders[folder] = {entry.path: entry for entry in contents.folders.get(folder, ())}

    async def _entry(self, path: str) -> TreeEntry | None:
        """The commit's entry at a path."""
        folder = path.rpartition("/")[0]
        await self._fetch([], [folder])
        return self._folders[folder].get(path)

    async def _list_below(self, folder: str, depth: int) -> list[TreeEntry]:
        """The files at most `depth` folders below a folder; one request (or a few) a level."""
        found: list[TreeEntry] = []
        level = [folder]
        while level:
            await self._fetch([], level)
            entries = [entry for one in level for entry in self._folders[one].values()]
            found += [entry for entry in entries if entry.type == "blob"]
            level = [entry.path for entry in entries if entry.type == "tree"] if depth > 0 else []
            depth -= 1
        return found

    async def _original(self, path: str) -> _File | None:
        entry = await self._entry(path)
        if entry is None:
            return None
        if entry.type != "blob":
            raise TreeError(f"{path} is a {'folder' if entry.type == 'tree' else 'submodule'}")
        await self._fetch([path], [])
        content = self._contents.get(path)
        if not isinstance(content, bytes):
            raise NeedsCheckout(f"{path} is not text that GitHub's API gives whole")
        return _File(content=content, executable=entry.is_executable, symlink=entry.is_symlink)

    async def _find_file(self, path: str) -> _File | None:
        check_inside(path)
        return self._changed[path] if path in self._changed else await self._original(path)

    async def _file(self, path: str) -> _File:
        file = await self._find_file(path)
        if file is None:
            raise TreeError(f"there is no file {path}")
        if len(file.content) > MAX_FILE_BYTES:
            raise TreeError(f"{path} is larger than {MAX_FILE_BYTES // 1024**2} MiB")
        return file

    async def _check_writable(self, path: str) -> None:
        """No part of the path before its name may be a file or a link; the path itself no folder with files."""
        parts = check_inside(path)
        for end in range(1, len(parts)):
            folder = "/".join(parts[:end])
            if folder in self._changed:
                in_the_way = self._changed[folder] is not None
            else:
                entry = await self._entry(folder)
                in_the_way = entry is not None and entry.type != "tree"
            if in_the_way:
                raise TreeError(f"{path} cannot be written: {folder} is not a folder")
        if any(file and changed.startswith(f"{path}/") for changed, file in self._changed.items()):
            raise TreeError(f"{path} is a folder")


def _depth(pattern: str) -> int:
    """How many folders below its literal part a glob reaches."""
    if "**" in pattern:
        return MAX_FOLDERS
    folder = literal_folder(pattern)
    return pattern[len(folder) + 1 if folder else 0 :].count("/")


def _change(path: str, file: _File | None) -> FileChange:
    if file is None:
        return FileChange(path=path, content=None)
    return FileChange(path=path, content=file.content, executable=file.executable, symlink=file.symlink)
