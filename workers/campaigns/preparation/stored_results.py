"""Results of steps: the bytes in the blob store, and in Postgres when each was used last."""

from __future__ import annotations

from shared.blobs.store import BlobStore
from shared.errors import NotFound
from shared.postgres import step_results
from shared.postgres.pool import Pool


class StoredResults:
    """See `KnownResults`."""

    def __init__(self, pool: Pool, blobs: BlobStore) -> None:
        self._pool, self._blobs = pool, blobs

    async def fetch(self, key: str) -> bytes | None:
        """What is kept under a key."""
        async with self._pool.acquire() as conn:
            is_known = await step_results.use_step_result(conn, key)
        if not is_known:
            return None
        try:
            return await self._blobs.get(blob_key(key))
        except NotFound:  # forgotten between the two
            return None

    async def keep(self, key: str, content: bytes) -> None:
        """Keeps a result."""
        await self._blobs.put(blob_key(key), content, media_type="application/gzip")
        async with self._pool.acquire() as conn:
            await step_results.upsert_step_result(conn, key, size_bytes=len(content))


def blob_key(key: str) -> str:
    """Where a result is in the blob store."""
    return f"cache/steps/{key}"
