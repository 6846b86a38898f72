"""What resolvers are handed beside the records of the state: the request, and objects of git.

An object of git is read from its repository only where more than its oid is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import pygit2
from graphql import GraphQLResolveInfo

from ..access import Viewer
from ..git.objects import Entry
from ..state import (
    Account,
    CheckRun,
    CheckSuite,
    Comment,
    Kind,
    Label,
    Pull,
    Repository,
    Review,
    Status,
    Team,
    encode,
)
from ..world import World
from .cost import Cost

Object = TypeVar("Object", bound=pygit2.Object)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a query runs with."""

    world: World
    viewer: Viewer
    cost: Cost


@dataclass(frozen=True)
class GitObject:
    """A commit, tree, blob or tag of a repository; `path` where it lies in a tree, if known."""

    repository: Repository
    oid: str
    path: str | None = None


class Commit(GitObject):
    """A commit."""

    @property
    def node_id(self) -> str:
        """`C_…`."""
        return encode(Kind.COMMIT, self.repository.id, self.oid)


class Tree(GitObject):
    """A folder."""

    @property
    def node_id(self) -> str:
        """`TRE_…`."""
        return encode(Kind.TREE, self.repository.id, self.oid)


class Blob(GitObject):
    """A file."""

    @property
    def node_id(self) -> str:
        """`B_…`."""
        return encode(Kind.BLOB, self.repository.id, self.oid)


class Tag(GitObject):
    """An annotated tag."""

    @property
    def node_id(self) -> str:
        """`TA_…`."""
        return encode(Kind.TAG, self.repository.id, self.oid)


@dataclass(frozen=True)
class Ref:
    """A branch or tag; `name` is the full one, `refs/heads/main`."""

    repository: Repository
    name: str
    oid: str

    @property
    def node_id(self) -> str:
        """`REF_…`."""
        return encode(Kind.REF, self.repository.id, self.name)

    @property
    def short(self) -> tuple[str, str]:
        """Prefix and name: `refs/heads/`, `main`."""
        prefix = "/".join(self.name.split("/", 2)[:2]) + "/"
        return prefix, self.name.removeprefix(prefix)


@dataclass(frozen=True)
class EntryOf:
    """An entry of a tree of a repository."""

    repository: Repository
    entry: Entry


@dataclass(frozen=True)
class Person:
    """An author or committer."""

    signature: pygit2.Signature


@dataclass(frozen=True)
class Signature:
    """The signature of a commit."""

    commit: Commit


@dataclass(frozen=True)
class Comparison:
    """Two commits of a repository."""

    repository: Repository
    base: str
    head: str


def request(info: GraphQLResolveInfo) -> Request:
    """What the query runs with."""
    found: Request = info.context
    return found


def require(info: GraphQLResolveInfo, repository: Repository, resource: str) -> None:
    """Raises `Refused` where the viewer may not read that resource of the repository."""
    request(info).viewer.require(repository, resource, "read")


def read(info: GraphQLResolveInfo, node: GitObject, kind: type[Object]) -> Object:
    """The object itself."""
    found = request(info).world.git.open(node.repository)[node.oid]
    if not isinstance(found, kind):
        raise TypeError(f"{node.oid} is no {kind.__name__}")
    return found


def git_object(repository: Repository, found: pygit2.Object, path: str | None = None) -> GitObject:
    """An object of git as a node."""
    kinds: dict[type[pygit2.Object], type[GitObject]] = {
        pygit2.Commit: Commit,
        pygit2.Tree: Tree,
        pygit2.Blob: Blob,
        pygit2.Tag: Tag,
    }
    return kinds[type(found)](repository, str(found.id), path)


TYPENAMES: dict[type[Any], str] = {
    Blob: "Blob",
    CheckRun: "CheckRun",
    CheckSuite: "CheckSuite",
    Comment: "IssueComment",
    Commit: "Commit",
    Comparison: "Comparison",
    Label: "Label",
    Pull: "PullRequest",
    Ref: "Ref",
    Repository: "Repository",
    Review: "PullRequestReview",
    Signature: "SshSignature",
    Status: "StatusContext",
    Tag: "Tag",
    Team: "Team",
    Tree: "Tree",
}


def typename(value: Any) -> str:
    """The type of a value where the schema leaves several."""
    return value.type if isinstance(value, Account) else TYPENAMES[type(value)]
