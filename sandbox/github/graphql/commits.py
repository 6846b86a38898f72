"""Commits, who made them, and their signatures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pygit2
from graphql import GraphQLResolveInfo
from pygit2.enums import SortMode

from ..clock import stamp
from ..git import comparing, objects
from ..state import Account, Pull
from ..views.commits import account_of_email, verification
from . import pull_listing
from .nodes import Commit, Person, Signature, Tree, read, request
from .pages import Page, list_page
from .resolvers import Resolvers


def person(signature: pygit2.Signature | None) -> Person | None:
    """Who made a commit or tag."""
    return Person(signature) if signature is not None else None


def _read(commit: Commit, info: GraphQLResolveInfo) -> pygit2.Commit:
    return read(info, commit, pygit2.Commit)


def _message(commit: Commit, info: GraphQLResolveInfo) -> str:
    return _read(commit, info).message.rstrip("\n")


def _headline_and_body(commit: Commit, info: GraphQLResolveInfo) -> tuple[str, str]:
    headline, _, body = _message(commit, info).partition("\n")
    return headline, body.strip("\n")


def _parents(commit: Commit, info: GraphQLResolveInfo, **arguments: Any) -> Page[Commit]:
    parents = [Commit(commit.repository, str(oid)) for oid in _read(commit, info).parent_ids]
    return list_page(info, arguments, parents)


def _history(commit: Commit, info: GraphQLResolveInfo, *, path: str | None = None, **arguments: Any) -> Page[Commit]:
    """The commit and those before it, newest first; with a path, those that changed what is there."""
    repo = request(info).world.git.open(commit.repository)
    walked = list(repo.walk(commit.oid, SortMode.TOPOLOGICAL | SortMode.TIME))
    if path is not None:
        walked = [each for each in walked if _changes(each, path)]
    return list_page(info, arguments, [Commit(commit.repository, str(each.id)) for each in walked])


def _changes(commit: pygit2.Commit, path: str) -> bool:
    there = [objects.below(each.tree, path) for each in (commit, *commit.parents)]
    oids = [found.id if found is not None else None for found in there]
    return oids[0] is not None if len(oids) == 1 else all(oids[0] != before for before in oids[1:])


def _stats(commit: Commit, info: GraphQLResolveInfo) -> Any:
    found = _read(commit, info)
    repo = request(info).world.git.open(commit.repository)
    if not found.parent_ids:
        return comparing.diff_to_nothing(repo, commit.oid).stats
    return comparing.diff(repo, str(found.parent_ids[0]), commit.oid, direct=True).stats


def tree_of(commit: Commit, info: GraphQLResolveInfo) -> Tree:
    """The root folder of a commit."""
    return Tree(commit.repository, str(_read(commit, info).tree_id), "")


def _signature(commit: Commit, info: GraphQLResolveInfo) -> Signature | None:
    signature, _ = _read(commit, info).gpg_signature
    return Signature(commit) if signature is not None else None


def _pulls(commit: Commit, info: GraphQLResolveInfo, **arguments: Any) -> Page[Pull]:
    repository, oid = commit.repository, commit.oid
    where = "(head_sha = ? OR merge_commit_sha = ?)"
    return pull_listing.page(info, repository, arguments, where, oid, oid)


def _path(commit: Commit) -> str:
    return f"/{commit.repository.full_name}/commit/{commit.oid}"


COMMIT: Resolvers = {
    "additions": lambda commit, info: _stats(commit, info).insertions,
    "associatedPullRequests": _pulls,
    "author": lambda commit, info: person(_read(commit, info).author),
    "authoredDate": lambda commit, info: stamp(_read(commit, info).author.time),
    "changedFilesIfAvailable": lambda commit, info: _stats(commit, info).files_changed,
    "committedDate": lambda commit, info: stamp(_read(commit, info).committer.time),
    "committer": lambda commit, info: person(_read(commit, info).committer),
    "deletions": lambda commit, info: _stats(commit, info).deletions,
    "history": _history,
    "message": _message,
    "messageBody": lambda commit, info: _headline_and_body(commit, info)[1],
    "messageHeadline": lambda commit, info: _headline_and_body(commit, info)[0],
    "parents": _parents,
    "resourcePath": lambda commit, _: _path(commit),
    "signature": _signature,
    "tree": tree_of,
    "url": lambda commit, info: f"{request(info).world.base_url}{_path(commit)}",
}


def _account(actor: Person, info: GraphQLResolveInfo) -> Account | None:
    return account_of_email(request(info).world, actor.signature.email)


def _avatar(actor: Person, info: GraphQLResolveInfo) -> str:
    account = _account(actor, info)
    return f"{request(info).world.base_url}/avatars/u/{account.id if account else 'e'}"


def _date(actor: Person, _: GraphQLResolveInfo) -> str:
    zone = timezone(timedelta(minutes=actor.signature.offset)) if actor.signature.offset else UTC
    return datetime.fromtimestamp(actor.signature.time, zone).isoformat().replace("+00:00", "Z")


GIT_ACTOR: Resolvers = {
    "avatarUrl": _avatar,
    "date": _date,
    "email": lambda actor, _: actor.signature.email,
    "name": lambda actor, _: actor.signature.name,
    "user": _account,
}


def _verification(signature: Signature, info: GraphQLResolveInfo) -> dict[str, Any]:
    return verification(request(info).world.signer, _read(signature.commit, info))


def _verified(signature: Signature, info: GraphQLResolveInfo) -> bool:
    return _verification(signature, info)["verified"]


SIGNATURE: Resolvers = {
    "email": lambda signature, info: _read(signature.commit, info).committer.email,
    "isValid": _verified,
    "keyFingerprint": lambda _, __: None,
    "payload": lambda signature, info: _verification(signature, info)["payload"],
    "signature": lambda signature, info: _verification(signature, info)["signature"],
    "signer": lambda _, __: None,
    "state": lambda signature, info: "VALID" if _verified(signature, info) else "UNKNOWN_KEY",
    "verifiedAt": lambda signature, info: _verification(signature, info)["verified_at"],
    "wasSignedByGitHub": _verified,
}
