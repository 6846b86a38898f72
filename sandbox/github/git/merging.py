"""Whether two branches merge, and merging them in GitHub's three ways. No work tree is needed; no branch moves."""

from __future__ import annotations

import pygit2

from .commits import Person, write_commit
from .comparing import commits_between, merge_base
from .signing import Signer


def merged_tree(repo: pygit2.Repository, base: str, head: str) -> str | None:
    """The tree of `head` merged into `base`, or None where they conflict or have no common history."""
    if merge_base(repo, base, head) is None:
        return None
    index = repo.merge_commits(base, head)
    return None if index.conflicts else str(index.write_tree(repo))


def merge(
    repo: pygit2.Repository, base: str, head: str, *, message: str, author: Person, committer: Person, signer: Signer
) -> str | None:
    """A merge commit of `head` into `base`, or None where they conflict."""
    tree = merged_tree(repo, base, head)
    if tree is None:
        return None
    return write_commit(
        repo, tree=tree, parents=[base, head], message=message, author=author, committer=committer, signer=signer
    )


def squash(
    repo: pygit2.Repository, base: str, head: str, *, message: str, author: Person, committer: Person, signer: Signer
) -> str | None:
    """One commit on `base` with all that `head` changes, or None where they conflict."""
    tree = merged_tree(repo, base, head)
    if tree is None:
        return None
    return write_commit(
        repo, tree=tree, parents=[base], message=message, author=author, committer=committer, signer=signer
    )


def rebase(repo: pygit2.Repository, base: str, head: str, *, committer: Person) -> str | None:
    """The commits of `head` made again on `base` (merges left out), or None where one conflicts."""
    tip = base
    for commit in commits_between(repo, base, head):
        if len(commit.parents) != 1:
            continue
        index = repo.merge_trees(commit.parents[0].tree, repo[tip].peel(pygit2.Tree), commit.tree)
        if index.conflicts:
            return None
        author = commit.author
        tip = write_commit(
            repo,
            tree=str(index.write_tree(repo)),
            parents=[tip],
            message=commit.message,
            author=Person(name=author.name, email=author.email, seconds=author.time, offset=author.offset),
            committer=committer,
        )
    return tip
