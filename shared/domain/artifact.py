"""What a target leaves behind: its log, its patch, its diff, and the change itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .ids import ArtifactId, RunId, TargetId


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
    """A stored artifact. `key` is its address in the blob store, `sha256` the hex digest of its bytes."""

    id: ArtifactId
    run_id: RunId
    target_id: TargetId
    kind: ArtifactKind
    key: str
    size_bytes: int
    sha256: str
    created_at: datetime


def artifact_key(run_id: RunId, target_id: TargetId, kind: ArtifactKind, sha256: str) -> str:
    """The address of an artifact: named by content, so that writing it again changes nothing."""
    return f"runs/{run_id}/{target_id}/{sha256[:16]}.{kind}"
