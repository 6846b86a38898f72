"""Files, folders and tags of git."""

from __future__ import annotations

from typing import Any

import pygit2
from graphql import GraphQLResolveInfo

from ..git import objects
from .commits import person, tree_of
from .nodes import Blob, Commit, EntryOf, GitObject, Person, Tag, Tree, git_object, read, request
from .resolvers import Resolvers

LONGEST_TEXT = 512_000
"""Bytes after which GitHub cuts the text of a file."""

_BINARY_SNIFF = 8000
"""Bytes in which a NUL makes a file binary, for git and GitHub alike."""


def _abbreviated(node: GitObject, _: GraphQLResolveInfo) -> str:
    return node.oid[:7]


def _commit_path(node: GitObject, _: GraphQLResolveInfo) -> str:
    return f"/{node.repository.full_name}/commit/{node.oid}"


def _commit_url(node: GitObject, info: GraphQLResolveInfo) -> str:
    return f"{request(info).world.base_url}{_commit_path(node, info)}"


GIT_OBJECT: Resolvers = {
    "abbreviatedOid": _abbreviated,
    "commitResourcePath": _commit_path,
    "commitUrl": _commit_url,
    "id": lambda node, _: node.node_id,
    "oid": lambda node, _: node.oid,
    "repository": lambda node, _: node.repository,
}


def _is_binary(content: bytes) -> bool:
    return b"\0" in content[:_BINARY_SNIFF]


def _text(blob: Blob, info: GraphQLResolveInfo) -> str | None:
    """The text, cut where it is long; what is not UTF-8 is taken as Latin-1, as GitHub guesses an encoding too."""
    content = read(info, blob, pygit2.Blob).data
    if _is_binary(content):
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return text if len(content) <= LONGEST_TEXT else text.encode()[:LONGEST_TEXT].decode(errors="ignore")


BLOB: Resolvers = GIT_OBJECT | {
    "byteSize": lambda blob, info: read(info, blob, pygit2.Blob).size,
    "isBinary": lambda blob, info: _is_binary(read(info, blob, pygit2.Blob).data),
    "isTruncated": lambda blob, info: read(info, blob, pygit2.Blob).size > LONGEST_TEXT,
    "text": _text,
}


def _entry_at(info: GraphQLResolveInfo, tree: Tree, path: str) -> EntryOf | None:
    """The entry of that path below a tree."""
    item = objects.below(read(info, tree, pygit2.Tree), path)
    if item is None or not path.strip("/"):
        return None
    size = item.size if isinstance(item, pygit2.Blob) else None
    mode = int(item.filemode or 0)
    entry = objects.Entry(path=path.strip("/"), mode=mode, type=item.type_str, oid=str(item.id), size=size)
    return EntryOf(tree.repository, entry)


def _entries(tree: Tree, info: GraphQLResolveInfo) -> list[EntryOf]:
    repo = request(info).world.git.open(tree.repository)
    prefix = f"{tree.path}/" if tree.path else ""
    found = objects.entries(repo, read(info, tree, pygit2.Tree), prefix=prefix)
    return [EntryOf(tree.repository, entry) for entry in found]


def _object(entry: EntryOf, info: GraphQLResolveInfo) -> GitObject | None:
    if entry.entry.type == "commit":  # a submodule's commit is in another repository
        return None
    found = request(info).world.git.open(entry.repository)[entry.entry.oid]
    return git_object(entry.repository, found, entry.entry.path)


def _name(entry: EntryOf) -> str:
    return entry.entry.path.rpartition("/")[2]


def _extension(entry: EntryOf, _: GraphQLResolveInfo) -> str:
    _, dot, extension = _name(entry).rpartition(".")
    return f".{extension}" if dot and entry.entry.type == "blob" else ""


def _file(commit: Commit, info: GraphQLResolveInfo, *, path: str) -> EntryOf | None:
    return _entry_at(info, tree_of(commit, info), path)


FILES_OF_COMMIT: Resolvers = {"file": _file}
TREE: Resolvers = GIT_OBJECT | {"entries": _entries}
TREE_ENTRY: Resolvers = {
    "extension": _extension,
    "mode": lambda entry, _: entry.entry.mode,
    "name": lambda entry, _: _name(entry),
    "object": _object,
    "oid": lambda entry, _: entry.entry.oid,
    "path": lambda entry, _: entry.entry.path,
    "repository": lambda entry, _: entry.repository,
    "size": lambda entry, _: entry.entry.size or 0,
    "type": lambda entry, _: entry.entry.type,
}


def _target(tag: Tag, info: GraphQLResolveInfo) -> GitObject:
    found: Any = read(info, tag, pygit2.Tag).get_object()
    return git_object(tag.repository, found)


def _tagger(tag: Tag, info: GraphQLResolveInfo) -> Person | None:
    return person(read(info, tag, pygit2.Tag).tagger)


TAG: Resolvers = GIT_OBJECT | {
    "message": lambda tag, info: read(info, tag, pygit2.Tag).message,
    "name": lambda tag, info: read(info, tag, pygit2.Tag).name,
    "tagger": _tagger,
    "target": _target,
}
