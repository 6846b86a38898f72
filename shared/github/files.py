"""Files of many repositories at once, without cloning any: a hundred repositories a request.

Text is GitHub's decoding of a file, and is believed only where it gives back the file's own bytes; of a file that is
binary or long there is only the oid, and `fetch_blob` reads it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import GitHubInvalid
from .client import GitHubClient
from .contents import git_blob_oid
from .graphql import RATE_LIMIT
from .paging import PageSize

LARGEST_BLOB = 5 * 1024 * 1024
"""Bytes; larger files are not read."""


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """A file. `text` is None where it was not asked for, and where GraphQL does not give it whole."""

    oid: str
    text: str | None


async def fetch_files(
    github: GitHubClient,
    node_ids: Sequence[str],
    *,
    revision: str,
    paths: Sequence[str],
    with_text: bool,
    token: str,
    size: PageSize | None = None,
) -> dict[str, dict[str, FoundFile]]:
    """Those of the files that each repository has at `revision` (HEAD, or refs/heads/…), by node id and path.

    A repository that is gone, or may not be seen, is left out.
    """
    document = files_document(len(paths), with_text=with_text)
    expressions = {f"e{number}": f"{revision}:{path}" for number, path in enumerate(paths)}
    found: dict[str, dict[str, FoundFile]] = {}

    async def ask(batch: Sequence[str]) -> None:
        answer = await github.graphql(document, {"ids": list(batch), **expressions}, token=token)
        for node in answer.but_for_missing()["nodes"]:
            if node and "id" in node:
                found[node["id"]] = _files(node, paths)

    await (size or PageSize(smallest=1)).ask_for_all(node_ids, ask)
    return found


def files_document(paths: int, *, with_text: bool) -> str:
    """One document that asks repositories for so many files each."""
    declarations = "".join(f", $e{number}: String!" for number in range(paths))
    blob = "oid isBinary isTruncated text" if with_text else "oid"
    fields = "\n      ".join(
        f"f{number}: object(expression: $e{number}) {{ ... on Blob {{ {blob} }} }}" for number in range(paths)
    )
    return (
        f"query Files($ids: [ID!]!{declarations}) {{\n  {RATE_LIMIT}\n  nodes(ids: $ids) {{\n"
        f"    ... on Repository {{\n      id\n      {fields}\n    }}\n  }}\n}}\n"
    )


async def fetch_blob(github: GitHubClient, name_with_owner: str, oid: str, *, token: str) -> bytes:
    """The bytes of a file; raises `GitHubInvalid` where they are too many."""
    answer = await github.rest("GET", f"/repos/{name_with_owner}/git/blobs/{oid}", token=token)
    if answer["size"] > LARGEST_BLOB:
        raise GitHubInvalid(f"it has {answer['size']} bytes, and at most {LARGEST_BLOB} are read")
    return base64.b64decode(answer["content"])


def _files(node: Mapping[str, Any], paths: Sequence[str]) -> dict[str, FoundFile]:
    blobs = {path: node.get(f"f{number}") for number, path in enumerate(paths)}
    return {path: FoundFile(oid=blob["oid"], text=_text(blob)) for path, blob in blobs.items() if blob}


def _text(blob: Mapping[str, Any]) -> str | None:
    text = blob.get("text")
    if text is None or blob["isTruncated"] or blob["isBinary"]:
        return None
    return text if git_blob_oid(text.encode()) == blob["oid"] else None
