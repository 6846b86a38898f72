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
from .paging import PageSize

MAX_OBJECTS_PER_REQUEST = 200
"""Blobs and trees asked for at once; GitHub ends a query after 10 s, and then less is asked for."""


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


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Files, and folders (empty = the root), of a repository at one commit."""

    repository_node_id: str
    oid: str
    files: Sequence[str] = ()
    folders: Sequence[str] = ()


async def fetch_contents(
    github: GitHubClient, wanted: Sequence[Wanted], *, token: str, size: PageSize | None = None
) -> list[Contents | GitHubNotFound]:
    """What is wanted of each repository, in the same order; the error stands for one that is not there.

    As many requests as it takes to ask for at most `MAX_OBJECTS_PER_REQUEST` at once. Raises the client's errors.
    """
    pieces = [
        (place, kind, path)
        for place, each in enumerate(wanted)
        for kind, paths in (("file", each.files), ("folder", each.folders))
        for path in paths
    ]
    blobs: list[dict[str, bytes | Incomplete]] = [{} for _ in wanted]
    trees: list[dict[str, tuple[TreeEntry, ...]]] = [{} for _ in wanted]
    missing: dict[int, GitHubNotFound] = {}

    async def ask(batch: Sequence[tuple[int, str, str]]) -> None:
        document, variables = contents_query(wanted, batch)
        data = (await github.graphql(document, variables, token=token)).but_for_missing_fields()
        for number, (place, kind, path) in enumerate(batch):
            node = cast("dict[str, Any] | None", data.get(f"r{place}"))
            if error := _why_missing(node, wanted[place]):
                missing[place] = error
                continue
            found: Mapping[str, Any] | None = (node or {}).get(f"o{number}")
            if found and kind == "file" and found["__typename"] == "Blob":
                blobs[place][path] = _content(found)
            elif found and kind == "folder" and found["__typename"] == "Tree":
                trees[place][path] = tuple(_entry(path, entry) for entry in found["entries"] or ())

    await (size or PageSize(largest=MAX_OBJECTS_PER_REQUEST)).ask_for_all(pieces, ask)
    return [missing.get(place) or Contents(blobs=blobs[place], folders=trees[place]) for place in range(len(wanted))]


_BLOB = "... on Blob { oid isBinary isTruncated text }"
_TREE = "... on Tree { entries { name type mode } }"


def _why_missing(node: Mapping[str, Any] | None, wanted: Wanted) -> GitHubNotFound | None:
    if not node:
        return GitHubNotFound("there is no such repository any more, or the App may not see it")
    if node["commit"] is None:
        return GitHubNotFound(f"the repository has no commit {wanted.oid} any more")
    return None


def contents_query(wanted: Sequence[Wanted], batch: Sequence[tuple[int, str, str]]) -> tuple[str, dict[str, Any]]:
    """The document that asks for files and folders, and its variables.

    Of each piece of the batch: which of the wanted repositories, whether "file" or "folder", and the path.
    """
    variables: dict[str, Any] = {}
    declared: list[str] = []
    fields: dict[int, list[str]] = {}
    for number, (place, kind, path) in enumerate(batch):
        if place not in fields:
            variables |= {f"r{place}": wanted[place].repository_node_id, f"c{place}": wanted[place].oid}
            declared += [f"$r{place}: ID!", f"$c{place}: GitObjectID!"]
            fields[place] = [f"commit: object(oid: $c{place}) {{ oid }}"]
        variables[f"e{number}"] = f"{wanted[place].oid}:{path}"
        declared.append(f"$e{number}: String!")
        body = _BLOB if kind == "file" else _TREE
        fields[place].append(f"o{number}: object(expression: $e{number}) {{ __typename {body} }}")
    repositories = " ".join(
        f"r{place}: node(id: $r{place}) {{ ... on Repository {{ {' '.join(parts)} }} }}"
        for place, parts in fields.items()
    )
    return f"query Contents({', '.join(declared)}) {{ {RATE_LIMIT} {repositories} }}", variables


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
