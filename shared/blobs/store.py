"""The blob store: bytes under a key, in a folder (`file:///folder`) or in S3 (`s3://bucket/prefix`).

    async with open_blob_store(settings) as blobs:
        await blobs.put("runs/…/log", content, media_type="text/plain")
        content = await blobs.get("runs/…/log")

Keys are written by code, as slash-separated words of letters, digits, `.`, `_` and `-`; others are refused with
`InvalidInput`, so that no key leads out of the folder or the prefix.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from ..errors import InvalidInput, InvalidSettings, NotFound, Unavailable
from ..observability.health import Check
from ..settings import Settings
from .folder import FolderStore
from .s3 import S3Location, open_s3_store

PROBE_KEY = "probe"
"""A blob that is there so that it can be read."""

_KEY = re.compile(r"(?!.*(?:^|/)\.{1,2}(?:/|$))[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")


class BlobStore(Protocol):
    """Where artifacts are kept. Writing the same key again replaces what was there, whole or not at all."""

    async def put(self, key: str, content: bytes, *, media_type: str, encoding: str | None = None) -> None:
        """Stores `content`; once it returns, a crash does not lose it. Raises `Unavailable`.

        `encoding` is what HTTP calls Content-Encoding, such as gzip, where the content has one.
        """
        ...

    async def get(self, key: str) -> bytes:
        """What is stored there; raises `NotFound`, `Unavailable`."""
        ...

    def pieces(self, key: str) -> AsyncIterator[bytes]:
        """The same, piece by piece; raises `NotFound` and `Unavailable` before the first."""
        ...

    async def address(self, key: str, *, file_name: str, seconds: int) -> str | None:
        """A URL that gives what is stored there to whoever has it, for so long; None where the store has no URLs."""
        ...

    async def upload_address(self, key: str, *, seconds: int) -> str | None:
        """A URL to which whoever has it may PUT what is to be stored there, for so long; None where there are none."""
        ...

    async def delete(self, key: str) -> None:
        """Removes it; where there is nothing, that is no error. Raises `Unavailable`."""
        ...


class _CheckedStore:
    """Refuses keys that are not of the form above before they reach a store."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    async def put(self, key: str, content: bytes, *, media_type: str, encoding: str | None = None) -> None:
        await self._store.put(checked_key(key), content, media_type=media_type, encoding=encoding)

    async def get(self, key: str) -> bytes:
        return await self._store.get(checked_key(key))

    def pieces(self, key: str) -> AsyncIterator[bytes]:
        return self._store.pieces(checked_key(key))

    async def address(self, key: str, *, file_name: str, seconds: int) -> str | None:
        return await self._store.address(checked_key(key), file_name=file_name, seconds=seconds)

    async def upload_address(self, key: str, *, seconds: int) -> str | None:
        return await self._store.upload_address(checked_key(key), seconds=seconds)

    async def delete(self, key: str) -> None:
        await self._store.delete(checked_key(key))


def checked_key(key: str) -> str:
    """The key, where it is one; raises `InvalidInput` otherwise."""
    if not _KEY.fullmatch(key) or len(key) > 900:
        raise InvalidInput(f"{key!r} is not a key of the blob store")
    return key


@asynccontextmanager
async def open_blob_store(settings: Settings) -> AsyncIterator[BlobStore]:
    """The store that `blobstore_url` names; raises `InvalidSettings` for an address that is neither kind."""
    url = urlsplit(settings.blobstore_url)
    if url.scheme == "file" and url.path and not url.netloc:
        yield _CheckedStore(FolderStore(Path(unquote(url.path))))
    elif url.scheme == "s3" and url.netloc:
        location = S3Location(
            bucket=url.netloc,
            prefix=url.path.strip("/"),
            endpoint=settings.blobstore_endpoint,
            region=settings.blobstore_region,
            access_key_id=settings.blobstore_access_key_id,
            secret_access_key=settings.blobstore_secret_access_key,
        )
        async with open_s3_store(location) as store:
            yield _CheckedStore(store)
    else:
        raise InvalidSettings(
            f"OCTOBATCH_BLOBSTORE_URL: {settings.blobstore_url} is neither file:///folder nor s3://bucket[/prefix]"
        )


def blobs_check(blobs: BlobStore) -> Check:
    """Whether the store gives a blob of a few bytes, or takes it where there is none yet."""

    async def ask() -> str:
        try:
            await blobs.get(PROBE_KEY)
        except (NotFound, Unavailable):  # S3 refuses to say that nothing is there to those who may not list
            await blobs.put(PROBE_KEY, b"Written to see whether it can be.\n", media_type="text/plain")
        return ""

    return Check("blobstore", ask)
