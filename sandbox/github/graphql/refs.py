"""Refs and comparisons of commits."""

from __future__ import annotations

from typing import Any

import pygit2
from graphql import GraphQLResolveInfo

from ..git import comparing, objects
from ..git import refs as git_refs
from ..state import Kind, Pull, Repository, encode
from . import pull_listing
from .nodes import Commit, Comparison, GitObject, Ref, git_object, request, require
from .pages import Page, list_page
from .resolvers import Resolvers
from .rules import rule_of


def ref_of(repository: Repository, info: GraphQLResolveInfo, *, qualified_name: str) -> Ref | None:
    """The ref of that full name, or of that short one: a branch before a tag."""
    require(info, repository, "contents")
    return find_ref(info, repository, qualified_name)


def find_ref(info: GraphQLResolveInfo, repository: Repository, qualified_name: str) -> Ref | None:
    """The ref of that name, if there is one; `main` and `heads/main` stand for `refs/heads/main`."""
    names = [f"refs/heads/{qualified_name}", f"refs/tags/{qualified_name}", f"refs/{qualified_name}"]
    for name in [qualified_name, *names]:
        if name.startswith("refs/") and (oid := _oid(info, repository, name)):
            return Ref(repository, name, oid)
    return None


def refs_of(
    repository: Repository,
    info: GraphQLResolveInfo,
    *,
    ref_prefix: str,
    query: str | None = None,
    direction: str | None = None,
    order_by: dict[str, str] | None = None,
    **arguments: Any,
) -> Page[Ref]:
    """The refs that begin with `refPrefix`, by name or by the time of their commits."""
    require(info, repository, "contents")
    repo = request(info).world.git.open(repository)
    found = [Ref(repository, name, oid) for name, oid in git_refs.matching(repo, ref_prefix).items()]
    if query:
        found = [ref for ref in found if query.lower() in ref.name.removeprefix(ref_prefix).lower()]
    if order_by and order_by["field"] == "TAG_COMMIT_DATE":
        found.sort(key=lambda ref: repo[ref.oid].peel(pygit2.Commit).commit_time)
    if (order_by or {"direction": direction})["direction"] == "DESC":
        found.reverse()
    return list_page(info, arguments, found)


def target(ref: Ref, info: GraphQLResolveInfo) -> GitObject:
    """What a ref is at; a branch is at a commit, which need not be read to be known."""
    if ref.name.startswith("refs/heads/"):
        return Commit(ref.repository, ref.oid)
    return git_object(ref.repository, request(info).world.git.open(ref.repository)[ref.oid])


def _oid(info: GraphQLResolveInfo, repository: Repository, name: str) -> str | None:
    git = request(info).world.git
    if name.startswith("refs/heads/"):
        return git.branch(repository, name.removeprefix("refs/heads/"))
    return git_refs.read(git.open(repository), name) if git.exists(repository) else None


def _compare(ref: Ref, info: GraphQLResolveInfo, *, head_ref: str) -> Comparison | None:
    head = objects.commit_at(request(info).world.git.open(ref.repository), head_ref)
    return Comparison(ref.repository, ref.oid, str(head.id)) if head else None


def _pulls(ref: Ref, info: GraphQLResolveInfo, **arguments: Any) -> Page[Pull]:
    _, name = ref.short
    return pull_listing.page(info, ref.repository, arguments, "head_ref = ?", name)


def _ahead_behind(comparison: Comparison, info: GraphQLResolveInfo) -> tuple[int, int]:
    repo = request(info).world.git.open(comparison.repository)
    return comparing.ahead_behind(repo, comparison.head, comparison.base)


def _commits(comparison: Comparison, info: GraphQLResolveInfo, **arguments: Any) -> Page[Commit]:
    repo = request(info).world.git.open(comparison.repository)
    found = comparing.commits_between(repo, comparison.base, comparison.head)
    commits = [Commit(comparison.repository, str(commit.id)) for commit in found]
    return list_page(info, arguments, commits, authorCount=len({commit.author.email for commit in found}))


def _status(comparison: Comparison, info: GraphQLResolveInfo) -> str:
    match _ahead_behind(comparison, info):
        case (0, 0):
            return "IDENTICAL"
        case (0, _):
            return "BEHIND"
        case (_, 0):
            return "AHEAD"
        case _:
            return "DIVERGED"


REF: Resolvers = {
    "associatedPullRequests": _pulls,
    "compare": _compare,
    "id": lambda ref, _: ref.node_id,
    "name": lambda ref, _: ref.short[1],
    "prefix": lambda ref, _: ref.short[0],
    "refUpdateRule": rule_of,
    "repository": lambda ref, _: ref.repository,
    "target": target,
}
COMPARISON: Resolvers = {
    "aheadBy": lambda comparison, info: _ahead_behind(comparison, info)[0],
    "baseTarget": lambda comparison, _: Commit(comparison.repository, comparison.base),
    "behindBy": lambda comparison, info: _ahead_behind(comparison, info)[1],
    "commits": _commits,
    "headTarget": lambda comparison, _: Commit(comparison.repository, comparison.head),
    "id": lambda it, _: encode(Kind.COMPARISON, it.repository.id, it.base, it.head),
    "status": _status,
}
