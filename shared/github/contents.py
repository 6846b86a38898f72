"""Files and folders of a commit, read through GraphQL: many a request, no clone.

`Blob.text` is text as GitHub decoded it, cut where it is long. A blob's oid tells whether the text is the file's own
bytes; where it is not, the content is `INCOMPLETE`, and only git has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, cast

from ..errors import GitHubNotFound
from .client import GitHubClient
from .graphql import RATE_LIMIT

MAX_OBJECTS_PER_REQUEST = 50
"""Blobs and trees asked for at once; GitHub ends a query after 10 s."""


class Incomplete(Enum):
    """What stands for content that GraphQL does not give whole."""

    INCOMPLETE = "incomplete"


INCOMPLETE = Incomplete.INCOMPLETE


@dataclass(frozen=True, kw_only=True)
class TreeEntry:
    """An entry of a folder. `type` is blob, tree or commit (a submodule); `mode` as git has it, such as 0o100755."""

    path: str
    type: str
    mode: int

    @property
    def is_symlink(self) -> bool:
        """Whether it is a symbolic link."""
        return self.mode == 0o120000

    @property
    def is_executable(self) -> bool:
        """Whether it is an executable file."""
        return self.mode == 0o100755


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What was asked for: a path is missing from `blobs` or `folders` where the commit has no such file or folder."""

    blobs: Mapping[str, bytes | Incomplete] = field(default_factory=dict[str, bytes | Incomplete])
    folders: Mapping[str, tuple[TreeEntry, ...]] = field(default_factory=dict[str, tuple[TreeEntry, ...]])


async def fetch_contents(
    github: GitHubClient,
    *,
    token: str,
    repository: str,
    oid: str,
    files: Sequence[str] = (),
    folders: Sequence[str] = (),
) -> Contents:
    """Contents of files, and entries of folders (empty = the root), at one commit.

    Raises `GitHubNotFound` where the repository or the commit is not there, and the client's errors.
    """
    blobs: dict[str, bytes | Incomplete] = {}
    trees: dict[str, tuple[TreeEntry, ...]] = {}
    wanted = [("file", path) for path in files] + [("folder", path) for path in folders]
    for start in range(0, len(wanted), MAX_OBJECTS_PER_REQUEST):
        batch = wanted[start : start + MAX_OBJECTS_PER_REQUEST]
        objects = await _fetch_batch(github, token=token, repository=repository, oid=oid, batch=batch)
        for (kind, path), found in zip(batch, objects, strict=True):
            if found is None:
                continue
            if kind == "file" and found["__typename"] == "Blob":
                blobs[path] = _content(found)
            elif kind == "folder" and found["__typename"] == "Tree":
                trees[path] = tuple(_entry(path, entry) for entry in found["entries"] or ())
    return Contents(blobs=blobs, folders=trees)


_BLOB = "... on Blob { oid isBinary isTruncated text }"
_TREE = "... on Tree { entries { name type mode } }"


async def _fetch_batch(
    github: GitHubClient, *, token: str, repository: str, oid: str, batch: Sequence[tuple[str, str]]
) -> list[dict[str, Any] | None]:
    document, variables = contents_query(repository=repository, oid=oid, batch=batch)
    data = (await github.graphql(document, variables, token=token)).complete()
    found = cast("dict[str, Any] | None", data.get("repository"))
    if found is None:
        raise GitHubNotFound(f"there is no repository {repository}, or the App may not see it")
    if found["commit"] is None:
        raise GitHubNotFound(f"{repository} has no commit {oid} any more")
    return [found[f"o{position}"] for position in range(len(batch))]


def contents_query(*, repository: str, oid: str, batch: Sequence[tuple[str, str]]) -> tuple[str, dict[str, Any]]:
    """The document that asks for files and folders, each ("file" or "folder", path), and its variables."""
    owner, _, name = repository.partition("/")
    variables: dict[str, Any] = {"owner": owner, "name": name, "oid": oid}
    declared = ["$owner: String!", "$name: String!", "$oid: GitObjectID!"]
    fields = ["commit: object(oid: $oid) { oid }"]
    for position, (kind, path) in enumerate(batch):
        variables[f"e{position}"] = f"{oid}:{path}"
        declared.append(f"$e{position}: String!")
        body = _BLOB if kind == "file" else _TREE
        fields.append(f"o{position}: object(expression: $e{position}) {{ __typename {body} }}")
    document = (
        f"query Contents({', '.join(declared)}) {{ {RATE_LIMIT} "
        f"repository(owner: $owner, name: $name) {{ {' '.join(fields)} }} }}"
    )
    return document, variables


def _content(blob: Mapping[str, Any]) -> bytes | Incomplete:
    text = blob["text"]
    if text is None or blob["isTruncated"] or blob["isBinary"]:
        return INCOMPLETE
    content = text.encode()
    return content if git_blob_oid(content) == blob["oid"] else INCOMPLETE


def git_blob_oid(content: bytes) -> str:
    """The oid that git gives to a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _entry(folder: str, raw: Mapping[str, Any]) -> TreeEntry:
    path = f"{folder}/{raw['name']}" if folder else raw["name"]
    return TreeEntry(path=path, type=raw["type"], mode=raw["mode"])
