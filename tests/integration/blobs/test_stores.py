"""Both blob stores keep the same promises: the folder, and S3 spoken to a real HTTP server."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aioboto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from sandbox.embedded.servers import free_port
from shared.blobs.store import BlobStore, blobs_check, open_blob_store
from shared.errors import InvalidInput, InvalidSettings, NotFound, Unavailable
from shared.settings import Settings


def _settings(url: str, **values: object) -> Settings:
    return Settings(
        postgres_dsn="postgresql://nowhere/none",  # type: ignore[arg-type]
        redis_url="redis://nowhere/0",  # type: ignore[arg-type]
        blobstore_url=url,
        **values,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def _s3_settings(endpoint: str, bucket: str) -> Settings:
    return _settings(
        f"s3://{bucket}/octobatch",
        blobstore_endpoint=endpoint,
        blobstore_access_key_id="test",
        blobstore_secret_access_key="test",
    )


@pytest.fixture(params=["folder", "s3"])
async def store(request: pytest.FixtureRequest, blobs_folder: Path) -> AsyncIterator[BlobStore]:
    if request.param == "folder":
        settings = _settings(blobs_folder.as_uri())
    else:
        endpoint = request.getfixturevalue("s3_endpoint")
        session = aioboto3.Session()
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        async with session.client("s3", endpoint_url=endpoint, **keys) as client:
            await client.create_bucket(Bucket="artifacts")
        settings = _s3_settings(endpoint, "artifacts")
    async with open_blob_store(settings) as store:
        yield store


async def test_what_is_put_is_got_byte_for_byte(store: BlobStore) -> None:
    content = os.urandom(200_000) + "ünïcode\r\n\0".encode()
    await store.put("runs/1/2/ab.log", content, media_type="text/plain; charset=utf-8")
    assert await store.get("runs/1/2/ab.log") == content


async def test_putting_again_replaces_the_whole(store: BlobStore) -> None:
    await store.put("k", b"a long first version", media_type="text/plain")
    await store.put("k", b"short", media_type="text/plain")
    assert await store.get("k") == b"short"


async def test_nothing_is_kept_as_nothing(store: BlobStore) -> None:
    await store.put("empty", b"", media_type="text/plain")
    assert await store.get("empty") == b""


async def test_what_is_not_there_is_not_found(store: BlobStore) -> None:
    with pytest.raises(NotFound, match="there is no blob runs/none"):
        await store.get("runs/none")


async def test_deleting_twice_is_deleting_once(store: BlobStore) -> None:
    await store.put("k/a", b"x", media_type="text/plain")
    await store.delete("k/a")
    await store.delete("k/a")
    with pytest.raises(NotFound):
        await store.get("k/a")


@pytest.mark.parametrize(
    "key", ["../x", "a/../x", "/etc/passwd", "a//b", "", "a/", ".", "..", "a\\..\\b", "a\nb", "a/..", "ä", "x" * 901]
)
async def test_a_key_that_could_lead_elsewhere_is_refused(store: BlobStore, key: str) -> None:
    with pytest.raises(InvalidInput):
        await store.get(key)
    with pytest.raises(InvalidInput):
        await store.put(key, b"x", media_type="text/plain")
    with pytest.raises(InvalidInput):
        await store.delete(key)


async def test_a_file_is_seen_whole_or_not_at_all_while_it_is_replaced(blobs_folder: Path) -> None:
    versions = {bytes([letter]) * 400_000 for letter in b"ab"}
    async with open_blob_store(_settings(blobs_folder.as_uri())) as store:
        await store.put("k", min(versions), media_type="text/plain")

        async def write() -> None:
            for version in [*versions] * 10:
                await store.put("k", version, media_type="text/plain")

        writing = asyncio.create_task(write())
        while not writing.done():
            assert await store.get("k") in versions
        await writing
    assert [path.name for path in blobs_folder.iterdir()] == ["k"], "no temporary file is left"


async def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    async with open_blob_store(_settings((tmp_path / "file").as_uri())) as store:
        with pytest.raises(Unavailable, match="the artifact folder is not available"):
            await store.put("k", b"x", media_type="text/plain")
        with pytest.raises(NotFound):
            await store.get("k")


async def test_a_missing_bucket_and_a_dead_endpoint_are_unavailable(s3_endpoint: str) -> None:
    async with open_blob_store(_s3_settings(s3_endpoint, "no-such-bucket")) as store:
        with pytest.raises(Unavailable, match="bucket no-such-bucket: NoSuchBucket"):
            await store.put("k", b"x", media_type="text/plain")
    async with open_blob_store(_s3_settings(f"http://127.0.0.1:{free_port()}", "artifacts")) as store:
        with pytest.raises(Unavailable, match="S3 is not available"):
            await store.get("k")


@pytest.mark.parametrize("url", ["/var/lib/artifacts", "http://host/x", "file://relative", "s3:///prefix", ""])
async def test_an_address_of_another_kind_stops_the_start(url: str) -> None:
    with pytest.raises(InvalidSettings, match="OCTOBATCH_BLOBSTORE_URL"):
        async with open_blob_store(_settings(url)):
            pass


async def test_pieces_are_the_whole_and_what_is_not_there_is_said_before_the_first(store: BlobStore) -> None:
    content = os.urandom(700_000)
    await store.put("big", content, media_type="text/plain", encoding="gzip")
    assert b"".join([piece async for piece in store.pieces("big")]) == content
    with pytest.raises(NotFound):
        await anext(store.pieces("none"))


async def test_an_address_of_s3_gives_the_content_without_a_key(store: BlobStore) -> None:
    content = gzip.compress(b"+x" * 1000)
    await store.put("runs/a.diff.gz", content, media_type="text/x-diff", encoding="gzip")
    address = await store.address("runs/a.diff.gz", file_name="a.diff", seconds=60)
    if address is None:
        return  # a folder has none
    async with httpx.AsyncClient() as http:
        answer = await http.get(address)
    assert answer.content == b"+x" * 1000
    assert answer.headers["content-disposition"] == 'attachment; filename="a.diff"'


async def test_a_store_that_takes_blobs_is_healthy_again_and_again(store: BlobStore) -> None:
    for _ in range(2):
        assert (await blobs_check(store).answer()).is_healthy


async def test_a_bucket_that_is_not_there_is_told(s3_endpoint: str) -> None:
    async with open_blob_store(_s3_settings(s3_endpoint, "no-such-bucket")) as store:
        health = await blobs_check(store).answer()
    assert (health.name, health.is_healthy) == ("blobstore", False)
    assert "bucket no-such-bucket: NoSuchBucket" in health.detail
