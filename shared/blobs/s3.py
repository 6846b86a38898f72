"""Blobs in S3, or in any store that speaks its protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import aioboto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from pydantic import SecretStr

from ..errors import NotFound, Unavailable

PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class S3Location:
    """A bucket and how to reach it. Without keys, the AWS default chain finds credentials."""

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str = "us-east-1"
    access_key_id: SecretStr | None = field(default=None, repr=False)
    secret_access_key: SecretStr | None = field(default=None, repr=False)


class S3Store:
    """Keeps each blob as an object of the bucket, below the prefix."""

    def __init__(self, client: Any, location: S3Location) -> None:
        self._client = client
        self._location = location

    async def put(self, key: str, content: bytes, *, media_type: str, encoding: str | None = None) -> None:
        """Stores `content` with its media type and encoding; raises `Unavailable`."""
        encoded = {"ContentEncoding": encoding} if encoding else {}
        with self._translated(key):
            await self._client.put_object(**self._object(key), Body=content, ContentType=media_type, **encoded)

    async def get(self, key: str) -> bytes:
        """What is stored there; raises `NotFound`, `Unavailable`."""
        with self._translated(key):
            answer = await self._client.get_object(**self._object(key))
            async with answer["Body"] as body:
                return await body.read()

    async def pieces(self, key: str) -> AsyncIterator[bytes]:
        """The same, piece by piece; raises `NotFound` and `Unavailable` before the first."""
        with self._translated(key):
            answer = await self._client.get_object(**self._object(key))
            async with answer["Body"] as body:
                async for piece in body.content.iter_chunked(PIECE_BYTES):
                    yield piece

    async def address(self, key: str, *, file_name: str, seconds: int) -> str | None:
        """A presigned URL; browsers save what it gives under `file_name`."""
        disposition = f'attachment; filename="{file_name}"'
        with self._translated(key):
            return await self._client.generate_presigned_url(
                "get_object",
                Params={**self._object(key), "ResponseContentDisposition": disposition},
                ExpiresIn=seconds,
            )

    async def upload_address(self, key: str, *, seconds: int) -> str | None:
        """A presigned URL for one PUT."""
        with self._translated(key):
            return await self._client.generate_presigned_url("put_object", Params=self._object(key), ExpiresIn=seconds)

    async def delete(self, key: str) -> None:
        """Removes it; where there is nothing, that is no error. Raises `Unavailable`."""
        with self._translated(key):
            await self._client.delete_object(**self._object(key))

    def _object(self, key: str) -> dict[str, str]:
        prefix = self._location.prefix
        return {"Bucket": self._location.bucket, "Key": f"{prefix}/{key}" if prefix else key}

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            response: Any = error.response
            code = str(response["Error"].get("Code", "unknown"))
            if code in {"NoSuchKey", "404"}:
                raise NotFound("blob", key) from None
            raise Unavailable("S3", f"bucket {self._location.bucket}: {code}") from error
        except (BotoCoreError, HTTPClientError, OSError) as error:
            raise Unavailable("S3", f"bucket {self._location.bucket}: {type(error).__name__}") from error


@asynccontextmanager
async def open_s3_store(location: S3Location) -> AsyncIterator[S3Store]:
    """A store on that bucket; its connections are closed at the end."""
    session: Any = aioboto3.Session()
    client = session.client(
        "s3",
        endpoint_url=location.endpoint,
        region_name=location.region,
        aws_access_key_id=location.access_key_id and location.access_key_id.get_secret_value(),
        aws_secret_access_key=location.secret_access_key and location.secret_access_key.get_secret_value(),
        config=Config(
            connect_timeout=5,
            read_timeout=30,
            retries={"max_attempts": 3, "mode": "standard"},
            # stores other than AWS are reached by address, where bucket names are no host names
            s3={"addressing_style": "path" if location.endpoint else "auto"},
        ),
    )
    async with client as opened:
        yield S3Store(opened, location)
