"""Opens bare repositories, and makes one with a first commit when a repository is first touched.

The first commit follows from the repository's name and age alone, so that listings tell its oid without making it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import OrderedDict
from pathlib import Path

import pygit2

from ..clock import seconds
from ..state import Repository
from .commits import FileChange, Person, commit_files

_MOST_OPEN = 512
_NAME, _EMAIL = "GitHub", "noreply@github.com"
_CONFIG = """[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	compression = 1
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[receive]
	denyDeleteCurrent = ignore
	hideRefs = refs/pull
	autogc = false
[gc]
	auto = 0
"""


class GitRepositories:
    """Bare repositories in a folder, each named by its repository's id, so that a rename moves nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: OrderedDict[int, pygit2.Repository] = OrderedDict()

    def path(self, repository: Repository) -> Path:
        """Where the repository is or would be; a thousand to a folder."""
        return self.folder / str(repository.id // 1000) / f"{repository.id}.git"

    def exists(self, repository: Repository) -> bool:
        """Whether the repository has been touched."""
        if repository.id in self._open:
            return True
        return os.path.exists(f"{self.folder}/{repository.id // 1000}/{repository.id}.git")  # noqa: PTH110 - half the time

    def open(self, repository: Repository) -> pygit2.Repository:
        """The repository, made first if it was never touched."""
        repo = self._open.pop(repository.id, None)
        if repo is None:
            path = self.path(repository)
            repo = pygit2.Repository(str(path)) if path.exists() else self._make(repository)
        self._open[repository.id] = repo
        if len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)[1].free()
        return repo

    def branch(self, repository: Repository, name: str) -> str | None:
        """The oid that a branch is at, or None."""
        if not self.exists(repository):
            return first_commit(repository) if name == repository.default_branch and not repository.empty else None
        found = self.open(repository).references.get(f"refs/heads/{name}")
        return str(found.target) if found else None

    def init(self, repository: Repository) -> Path:
        """An empty repository for someone to fill; its path."""
        path = self.path(repository)
        # the least that git takes for a repository; `git init` copies samples and takes ten times as long
        for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
            (path / folder).mkdir(parents=True, exist_ok=True)
        (path / "config").write_text(_CONFIG)
        (path / "HEAD").write_text(f"ref: refs/heads/{repository.default_branch}\n")
        return path

    def delete(self, repository: Repository) -> None:
        """Removes it from the disk."""
        self._open.pop(repository.id, None)
        shutil.rmtree(self.path(repository), ignore_errors=True)

    def close(self) -> None:
        """Closes all that are open."""
        for repo in self._open.values():
            repo.free()
        self._open.clear()

    def _make(self, repository: Repository) -> pygit2.Repository:
        repo = pygit2.Repository(str(self.init(repository)))
        if not repository.empty:
            person = Person(name=_NAME, email=_EMAIL, seconds=int(seconds(repository.created_at)))
            readme = FileChange(path="README.md", content=_readme(repository))
            oid = commit_files(
                repo, parent=None, changes=[readme], message="Initial commit", author=person, committer=person
            )
            repo.references.create(f"refs/heads/{repository.default_branch}", oid)
        return repo


def first_commit(repository: Repository) -> str:
    """The oid of the commit with which the repository begins when it is touched."""
    blob = _hash(b"blob", _readme(repository))
    tree = _hash(b"tree", b"100644 README.md\0" + blob)
    person = f"{_NAME} <{_EMAIL}> {int(seconds(repository.created_at))} +0000"
    commit = f"tree {tree.hex()}\nauthor {person}\ncommitter {person}\n\nInitial commit"
    return _hash(b"commit", commit.encode()).hex()


def _readme(repository: Repository) -> bytes:
    """What the first commit holds. A rename would change it, so a repository is made before it is renamed."""
    return f"# {repository.name}\n".encode()


def _hash(kind: bytes, content: bytes) -> bytes:
    return hashlib.sha1(b"%s %d\0" % (kind, len(content)) + content, usedforsecurity=False).digest()
