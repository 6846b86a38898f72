"""Branches and tags: made, moved, deleted, committed on."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from graphql import GraphQLResolveInfo

from ...actions import branches
from ...actions.branches import RefUpdate
from ...errors import Reason, Refused, not_found, unprocessable
from ...git import FileChange, objects
from ...state import Repository
from ..errors import no_node
from ..listing import repository_named
from ..nodes import Commit, Ref, request
from ..query import node
from ..refs import find_ref
from ..resolvers import Resolvers

NOWHERE = "0" * 40


def writable(info: GraphQLResolveInfo, node_id: str, resource: str = "contents") -> Repository:
    """The repository of that id, if the viewer may change that resource of it; else raises `Refused`."""
    found = node(info, node_id)
    if not isinstance(found, Repository):
        raise no_node(node_id)
    request(info).viewer.require_change(found, resource)
    return found


def create_ref(info: GraphQLResolveInfo, given: dict[str, Any]) -> dict[str, Any]:
    """Makes a ref at a commit."""
    repository = writable(info, given["repository_id"])
    name, oid = given["name"], given["oid"]
    if not name.startswith("refs/"):
        raise unprocessable(f"Ref name must start with 'refs/', got {name!r}")
    if find_ref(info, repository, name):
        raise unprocessable(f'A ref named "{name}" already exists in the repository.')
    world = request(info).world
    if world.git.open(repository).get(oid) is None:
        raise unprocessable(f"Object with oid {oid} does not exist in the repository.")
    branches.create_ref(world, request(info).viewer.account, repository, name, oid)
    return {"ref": find_ref(info, repository, name)}


def update_ref(info: GraphQLResolveInfo, given: dict[str, Any]) -> dict[str, Any]:
    """Moves a ref, forward only unless forced."""
    ref = _ref(info, given["ref_id"])
    update = RefUpdate(ref=ref.name, before=ref.oid, after=given["oid"], force=bool(given.get("force")))
    branches.update_refs(request(info).world, request(info).viewer.account, ref.repository, [update])
    return {"ref": find_ref(info, ref.repository, ref.name)}


def update_refs(info: GraphQLResolveInfo, given: dict[str, Any]) -> dict[str, Any]:
    """Moves several refs or none. An oid of zeros stands for no ref, before or after."""
    repository = writable(info, given["repository_id"])
    updates = [
        RefUpdate(
            ref=update["name"],
            before=_before(update.get("before_oid")),
            after=None if update["after_oid"] == NOWHERE else update["after_oid"],
            force=bool(update.get("force")),
        )
        for update in given["ref_updates"]
    ]
    branches.update_refs(request(info).world, request(info).viewer.account, repository, updates)
    return {}


def delete_ref(info: GraphQLResolveInfo, given: dict[str, Any]) -> dict[str, Any]:
    """Deletes a ref."""
    ref = _ref(info, given["ref_id"])
    branches.delete_ref(request(info).world, request(info).viewer.account, ref.repository, ref.name)
    return {}


def create_commit_on_branch(info: GraphQLResolveInfo, given: dict[str, Any]) -> dict[str, Any]:
    """A commit of the App's own, signed by GitHub, on a branch that must stand at `expectedHeadOid`."""
    this = request(info)
    repository, branch = _branch(info, given["branch"])
    this.viewer.require_change(repository, "contents")
    changes = _changes(given.get("file_changes") or {})
    this.viewer.require_workflows(change.path for change in changes)
    expected = given["expected_head_oid"]
    repo = this.world.git.open(repository)
    if objects.commit_at(repo, expected) is None:
        raise not_found(f"No commit exists with specified expectedHeadOid '{expected}'.")
    if this.world.git.branch(repository, branch) != expected:
        raise Refused(
            Reason.STALE_DATA, f'Expected branch to point to "{expected}" but it did not. Pull and try again.'
        )
    message = given["message"]
    oid = branches.commit_on_branch(
        this.world,
        this.viewer.account,
        repository,
        branch,
        changes=changes,
        message=f"{message['headline']}\n\n{message.get('body') or ''}".rstrip("\n"),
        expected_head=expected,
    )
    return {"commit": Commit(repository, oid), "ref": Ref(repository, f"refs/heads/{branch}", oid)}


def _ref(info: GraphQLResolveInfo, node_id: str) -> Ref:
    found = node(info, node_id)
    if not isinstance(found, Ref):
        raise no_node(node_id)
    request(info).viewer.require_change(found.repository, "contents")
    return found


def _before(oid: str | None) -> str | None:
    return "" if oid == NOWHERE else oid


def _branch(info: GraphQLResolveInfo, given: dict[str, Any]) -> tuple[Repository, str]:
    """A branch by its id, or by the names of repository and branch."""
    if given.get("id"):
        ref = _ref(info, given["id"])
        return ref.repository, ref.short[1]
    full_name, name = given.get("repository_name_with_owner"), given.get("branch_name")
    if not full_name or not name:
        raise unprocessable("A branch must be given by its id, or by repositoryNameWithOwner and branchName.")
    owner, _, short = full_name.partition("/")
    repository = repository_named(info, owner, short)
    name = name.removeprefix("refs/heads/")
    if request(info).world.git.branch(repository, name) is None:
        raise not_found(f"No ref exists with the name '{name}' in the repository '{full_name}'.")
    return repository, name


def _changes(given: dict[str, Any]) -> list[FileChange]:
    additions, deletions = given.get("additions") or [], given.get("deletions") or []
    changes = [FileChange(path=file["path"], content=_content(file)) for file in additions]
    return changes + [FileChange(path=file["path"], content=None) for file in deletions]


def _content(file: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(file["contents"], validate=True)
    except binascii.Error as error:
        raise unprocessable(f"The contents of '{file['path']}' are not valid base64.") from error


REFS: Resolvers = {
    "createCommitOnBranch": create_commit_on_branch,
    "createRef": create_ref,
    "deleteRef": delete_ref,
    "updateRef": update_ref,
    "updateRefs": update_refs,
}
