"""Blobs as files in a folder. A file appears whole or not at all: it is written beside its place, then renamed."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from ..errors import NotFound, Unavailable

PIECE_BYTES = 256 * 1024


class FolderStore:
    """Keeps each blob as a file below `folder`, which is made on the first write. Media types are not kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(
        self,
        key: str,
        content: bytes,
        *,
        media_type: str,  # noqa: ARG002
        encoding: str | None = None,  # noqa: ARG002
    ) -> None:
        """Stores `content`, synced to disk; raises `Unavailable` where the disk is full or not writable."""
        try:
            await asyncio.to_thread(_write, self._folder / key, content)
        except OSError as error:
            raise Unavailable("the artifact folder", f"{self._folder}: {error.strerror}") from error

    async def get(self, key: str) -> bytes:
        """What is stored there; raises `NotFound`, `Unavailable`."""
        try:
            return await asyncio.to_thread((self._folder / key).read_bytes)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotFound("blob", key) from None
        except OSError as error:
            raise Unavailable("the artifact folder", f"{self._folder}: {error.strerror}") from error

    async def pieces(self, key: str) -> AsyncIterator[bytes]:
        """The same, piece by piece; raises `NotFound` and `Unavailable` before the first."""
        try:
            file = await asyncio.to_thread((self._folder / key).open, "rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotFound("blob", key) from None
        except OSError as error:
            raise Unavailable("the artifact folder", f"{self._folder}: {error.strerror}") from error
        with file:
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                yield piece

    async def address(self, key: str, *, file_name: str, seconds: int) -> str | None:  # noqa: ARG002
        """None: files have no URLs."""
        return None

    async def upload_address(self, key: str, *, seconds: int) -> str | None:  # noqa: ARG002
        """None: files have no URLs."""
        return None

    async def delete(self, key: str) -> None:
        """Removes it; where there is nothing, that is no error. Raises `Unavailable`."""
        try:
            await asyncio.to_thread((self._folder / key).unlink, missing_ok=True)
        except OSError as error:
            raise Unavailable("the artifact folder", f"{self._folder}: {error.strerror}") from error


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # the new name is in the folder's own data, which is synced apart from the file's
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
