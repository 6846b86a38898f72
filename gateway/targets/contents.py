"""The bytes of artifacts, as HTTP has them: packed for whoever takes gzip, with a digest, in pieces."""

from __future__ import annotations

import base64
import zlib
from collections.abc import AsyncIterator

from fastapi import Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from shared.blobs.store import BlobStore
from shared.domain.artifact import Artifact

from ..resources import Resources

ADDRESS_SECONDS = 300
"""How long a presigned URL is good for."""


async def content_of(artifact: Artifact, request: Request, blobs: BlobStore, *, disposition: str) -> Response:
    """The artifact's content; 304 where the client has it. Raises `NotFound`, `Unavailable`."""
    etag = f'"{artifact.sha256}"'
    name = file_name(artifact)
    headers = {
        "ETag": etag,
        "Vary": "Accept-Encoding",
        "Content-Disposition": f'{disposition}; filename="{name}"',
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(artifact.sha256)).decode()}:",
    }
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    pieces = blobs.pieces(artifact.key)
    if artifact.is_packed and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    elif artifact.is_packed:
        pieces = _unpacked(pieces)
    first = await anext(pieces, b"")  # what is not there is said before the answer begins
    return StreamingResponse(_all(first, pieces), media_type=artifact.media_type, headers=headers)


async def download_of(artifact: Artifact, request: Request, resources: Resources) -> Response:
    """The content to save: from the store itself where clients reach it, else through this process."""
    settings = resources.settings
    own_store = settings.blobstore_endpoint is not None
    if settings.artifact_downloads == "redirect" or (settings.artifact_downloads == "auto" and not own_store):
        address = await resources.blobs.address(artifact.key, file_name=file_name(artifact), seconds=ADDRESS_SECONDS)
        if address:
            return RedirectResponse(address, status_code=307, headers={"Cache-Control": "no-store"})
    return await content_of(artifact, request, resources.blobs, disposition="attachment")


def file_name(artifact: Artifact) -> str:
    """What a saved artifact is called."""
    return f"{artifact.target_id}.{'json' if artifact.kind == 'change' else artifact.kind}"


async def _unpacked(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    unpacking = zlib.decompressobj(wbits=31)
    async for piece in pieces:
        yield unpacking.decompress(piece)
    yield unpacking.flush()


async def _all(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece
