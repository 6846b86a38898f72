"""Objects by git's own expressions, and the entries of trees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pygit2


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry of a tree. `type` is `blob`, `tree` or `commit` (a submodule); `size` in bytes, of blobs only."""

    path: str
    mode: int
    type: str
    oid: str
    size: int | None


def at(repo: pygit2.Repository, expression: str) -> pygit2.Object | pygit2.Commit | None:
    """The object that `HEAD:path`, `branch:path`, `branch` or an oid names, or None."""
    revision, colon, path = expression.partition(":")
    commit = commit_at(repo, revision)
    if not colon:
        return commit if commit is not None else _by_oid(repo, revision)
    root = commit.tree if commit is not None else _by_oid(repo, revision)
    if not isinstance(root, pygit2.Tree):
        return None
    return below(root, path)


def below(tree: pygit2.Tree, path: str) -> pygit2.Object | None:
    """The object at a path in a tree; the tree itself for an empty path. A submodule is not here, so None."""
    wanted = path.strip("/")
    if not wanted:
        return tree
    try:
        return tree[wanted]
    except KeyError:
        return None


def commit_at(repo: pygit2.Repository, revision: str) -> pygit2.Commit | None:
    """The commit of a branch, tag, full ref, `HEAD` or oid (seven digits or more), or None."""
    for name in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}", f"refs/{revision}"):
        if name != "HEAD" and not name.startswith("refs/"):
            continue
        try:
            return repo.references[name].peel(pygit2.Commit)
        except (KeyError, ValueError, pygit2.GitError):
            continue
    found = _by_oid(repo, revision)
    try:
        return found.peel(pygit2.Commit) if found is not None else None
    except (ValueError, pygit2.GitError):
        return None


def blob_at(repo: pygit2.Repository, expression: str) -> bytes | None:
    """The content of the file at `rev:path`, or None where there is no file."""
    found = at(repo, expression)
    return found.data if isinstance(found, pygit2.Blob) else None


def entries(
    repo: pygit2.Repository, tree: pygit2.Tree, *, recursive: bool = False, prefix: str = ""
) -> Iterator[Entry]:
    """The entries of a tree in git's order, folders before what is in them."""
    for item in tree:
        path = f"{prefix}{item.name}"
        # a submodule's commit is not in this repository, so its size must not be asked for
        size = item.size if isinstance(item, pygit2.Blob) else None
        yield Entry(path=path, mode=item.filemode, type=item.type_str, oid=str(item.id), size=size)
        if recursive and isinstance(item, pygit2.Tree):
            yield from entries(repo, item, recursive=True, prefix=f"{path}/")


def _by_oid(repo: pygit2.Repository, text: str) -> pygit2.Object | None:
    if len(text) < 7:
        return None
    try:
        return repo.get(text)
    except ValueError:
        return None
