"""What a target leaves behind: its log, its patch, its diff, and the change itself."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .ids import ArtifactId, RunId, TargetId

PACKED = ".gz"
"""How the key of a packed artifact ends."""

SMALLEST_PACKED = 1024
"""Bytes. Less is stored as it is."""


class ArtifactKind(StrEnum):
    """`log` is what the steps said, `patch` applies with `git am`, `diff` is for reading.

    `change` is the whole new content of each changed file, as JSON: what is published, byte for byte.
    """

    LOG = "log"
    PATCH = "patch"
    DIFF = "diff"
    CHANGE = "change"

    @property
    def media_type(self) -> str:
        """The media type it is stored and served with."""
        if self is ArtifactKind.LOG:
            return "text/plain; charset=utf-8"
        return "application/json" if self is ArtifactKind.CHANGE else "text/x-diff; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A stored artifact. `key` is its address in the blob store, `sha256` the hex digest of its bytes, `size_bytes`
    how many they are; both before they were packed.
    """

    id: ArtifactId
    run_id: RunId
    target_id: TargetId
    kind: ArtifactKind
    key: str
    size_bytes: int
    sha256: str
    created_at: datetime

    @property
    def media_type(self) -> str:
        """The media type of its bytes."""
        return self.kind.media_type

    @property
    def is_packed(self) -> bool:
        """Whether the blob store has it as gzip."""
        return self.key.endswith(PACKED)

    def unpacked(self, stored: bytes) -> bytes:
        """Its bytes, from those in the blob store; raises `ValueError` where they are not what was stored."""
        content = gzip.decompress(stored) if self.is_packed else stored
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise ValueError(f"the {self.kind} of target {self.target_id} is not what was stored: its SHA-256 differs")
        return content


@dataclass(frozen=True, kw_only=True)
class NewArtifact:
    """An artifact to store: `stored` are the bytes for the blob store, the other fields those of `Artifact`."""

    run_id: RunId
    target_id: TargetId
    kind: ArtifactKind
    key: str
    size_bytes: int
    sha256: str
    stored: bytes

    @property
    def encoding(self) -> str | None:
        """The Content-Encoding of what is stored."""
        return "gzip" if self.key.endswith(PACKED) else None


def new_artifact(run_id: RunId, target_id: TargetId, kind: ArtifactKind, content: bytes) -> NewArtifact:
    """An artifact of that content, packed unless it is small.

    It is named by content, so that writing it again changes nothing.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    stored = gzip.compress(content, 6, mtime=0) if len(content) >= SMALLEST_PACKED else content
    ending = PACKED if len(content) >= SMALLEST_PACKED else ""
    return NewArtifact(
        run_id=run_id,
        target_id=target_id,
        kind=kind,
        key=f"runs/{run_id}/{target_id}/{sha256[:16]}.{kind}{ending}",
        size_bytes=len(content),
        sha256=sha256,
        stored=stored,
    )
