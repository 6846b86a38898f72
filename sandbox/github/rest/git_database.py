"""Refs, trees, blobs and commits as git keeps them."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

import pygit2

from ..actions import branches
from ..actions.branches import GITHUB, RefUpdate
from ..errors import Reason, Refused, not_found, unprocessable
from ..git import Person, objects, refs
from ..git.commits import write_commit
from ..state import Repository
from ..views.commits import git_blob, git_commit, git_ref, git_tree
from ..views.repositories import repository_url
from .endpoint import Call, Endpoint, Reply, change, get

_MOST_ENTRIES = 100_000


def get_ref(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/git/ref/{ref}"""
    repository = _readable(call)
    ref = f"refs/{call.path['ref']}"
    oid = refs.read(call.world.git.open(repository), ref)
    if oid is None:
        raise not_found()
    return Reply(body=_ref(call, repository, ref, oid))


def list_matching_refs(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/git/matching-refs/{ref}"""
    repository = _readable(call)
    found = refs.matching(call.world.git.open(repository), f"refs/{call.path['ref']}")
    return Reply(body=[_ref(call, repository, ref, oid) for ref, oid in call.page(list(found.items()))])


def create_ref(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/git/refs"""
    repository = call.repository("contents", "write")
    ref, sha = call.required_text("ref"), call.required_text("sha")
    branches.create_ref(call.world, call.viewer.account, repository, ref, sha)
    reply = _ref(call, repository, ref, sha)
    return Reply(status=201, body=reply, headers={"location": reply["url"]})


def update_ref(call: Call) -> Reply:
    """PATCH /repos/{owner}/{repo}/git/refs/{ref}"""
    repository = call.repository("contents", "write")
    ref, sha = f"refs/{call.path['ref']}", call.required_text("sha")
    if refs.read(call.world.git.open(repository), ref) is None:
        raise unprocessable("Reference does not exist")
    update = RefUpdate(ref=ref, before=None, after=sha, force=bool(call.flag("force")))
    branches.update_refs(call.world, call.viewer.account, repository, [update])
    return Reply(body=_ref(call, repository, ref, sha))


def delete_ref(call: Call) -> Reply:
    """DELETE /repos/{owner}/{repo}/git/refs/{ref}"""
    repository = call.repository("contents", "write")
    branches.delete_ref(call.world, call.viewer.account, repository, f"refs/{call.path['ref']}")
    return Reply(status=204)


def get_tree(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/git/trees/{tree_sha}"""
    repository = _readable(call)
    repo = call.world.git.open(repository)
    found = objects.at(repo, call.path["sha"])
    if isinstance(found, pygit2.Commit):
        found = found.tree
    if not isinstance(found, pygit2.Tree):
        raise not_found()
    recursive = "recursive" in call.query
    listed = list(objects.entries(repo, found, recursive=recursive))
    truncated = len(listed) > _MOST_ENTRIES
    return Reply(body=git_tree(call.world, repository, str(found.id), listed[:_MOST_ENTRIES], truncated=truncated))


def create_tree(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/git/trees"""
    repository = call.repository("contents", "write")
    repo = call.world.git.open(repository)
    index = pygit2.Index()
    base = call.text("base_tree")
    if base is not None:
        found = objects.at(repo, base)
        if not isinstance(found, pygit2.Tree | pygit2.Commit):
            raise unprocessable("base_tree is not a valid tree oid")
        index.read_tree(found.peel(pygit2.Tree))
    entries = call.list("tree")
    if not entries:
        raise unprocessable('Invalid request.\n\n"tree" wasn\'t supplied.')
    call.viewer.require_workflows([str(entry.get("path")) for entry in entries])
    for entry in entries:
        _stage(repo, index, entry)
    tree = repo[index.write_tree(repo)].peel(pygit2.Tree)
    listed = list(objects.entries(repo, tree))
    return Reply(status=201, body=git_tree(call.world, repository, str(tree.id), listed, truncated=False))


def get_blob(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/git/blobs/{file_sha}"""
    repository = _readable(call)
    found = objects.at(call.world.git.open(repository), call.path["sha"])
    if not isinstance(found, pygit2.Blob):
        raise not_found()
    return Reply(body=git_blob(call.world, repository, found))


def create_blob(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/git/blobs"""
    repository = call.repository("contents", "write")
    text = call.required_text("content")
    try:
        data = base64.b64decode(text) if call.text("encoding") == "base64" else text.encode()
    except binascii.Error as error:
        raise unprocessable("content is not valid Base64") from error
    oid = call.world.git.open(repository).create_blob(data)
    url = f"{repository_url(call.world, repository)}/git/blobs/{oid}"
    return Reply(status=201, body={"sha": str(oid), "url": url}, headers={"location": url})


def get_commit(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/git/commits/{commit_sha}"""
    repository = _readable(call)
    found = objects.at(call.world.git.open(repository), call.path["sha"])
    if not isinstance(found, pygit2.Commit):
        raise not_found()
    return Reply(body=git_commit(call.world, repository, found))


def create_commit(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/git/commits; signed by GitHub unless an author is given."""
    repository = call.repository("contents", "write")
    repo = call.world.git.open(repository)
    message, tree = call.required_text("message"), call.required_text("tree")
    parents = list(call.texts("parents") or ())
    if not isinstance(objects.at(repo, tree), pygit2.Tree):
        raise unprocessable("Tree SHA does not exist")
    if not all(isinstance(objects.at(repo, parent), pygit2.Commit) for parent in parents):
        raise unprocessable("Parent SHA does not exist or is not a commit object")
    now, bot = int(call.world.clock.now()), call.viewer.account
    given = _person(call, "author")
    author = given or Person(name=bot.login, email=bot.noreply_email, seconds=now)
    committer = _person(call, "committer") or given or Person(name=GITHUB[0], email=GITHUB[1], seconds=now)
    oid = write_commit(
        repo,
        tree=tree,
        parents=parents,
        message=message,
        author=author,
        committer=committer,
        signer=None if given else call.world.signer,
    )
    commit = repo[oid].peel(pygit2.Commit)
    return Reply(status=201, body=git_commit(call.world, repository, commit))


def _readable(call: Call) -> Repository:
    repository = call.repository("contents", "read")
    if repository.empty:
        raise Refused(Reason.CONFLICT, "Git Repository is empty.")
    return repository


def _ref(call: Call, repository: Repository, ref: str, oid: str) -> dict[str, Any]:
    kind = call.world.git.open(repository)[oid].type_str
    return git_ref(call.world, repository, ref, oid, kind)


def _stage(repo: pygit2.Repository, index: pygit2.Index, entry: dict[str, Any]) -> None:
    path, sha = entry.get("path"), entry.get("sha")
    if not isinstance(path, str):
        raise unprocessable("tree.path wasn't supplied")
    if "content" in entry:
        sha = str(repo.create_blob(str(entry["content"]).encode()))
    if sha is None:
        if path not in index:
            raise Refused(Reason.UNPROCESSABLE, "GitRPC::BadObjectState")
        index.remove(path)
        return
    mode = int(entry.get("mode", "100644"), 8)
    if mode == 0o040000:
        raise unprocessable("tree entries of mode 040000 are not supported by this sandbox: give the files")
    if mode != 0o160000 and repo.get(sha) is None:
        raise unprocessable(f"tree.sha {sha} is not a valid {entry.get('type', 'blob')}")
    index.add(pygit2.IndexEntry(path, pygit2.Oid(hex=sha), mode))  # pyright: ignore[reportArgumentType]


def _person(call: Call, name: str) -> Person | None:
    facts = call.object(name)
    if facts is None:
        return None
    if facts.get("date"):
        return Person.at(facts["name"], facts["email"], datetime.fromisoformat(facts["date"]))
    return Person(name=facts["name"], email=facts["email"], seconds=int(call.world.clock.now()))


_GIT = "/repos/{owner}/{repo}/git"
ENDPOINTS: list[Endpoint] = [
    get(f"{_GIT}/ref/{{ref:path}}", get_ref),
    get(f"{_GIT}/matching-refs/{{ref:path}}", list_matching_refs),
    change("POST", f"{_GIT}/refs", create_ref),
    change("PATCH", f"{_GIT}/refs/{{ref:path}}", update_ref),
    change("DELETE", f"{_GIT}/refs/{{ref:path}}", delete_ref),
    get(f"{_GIT}/trees/{{sha:path}}", get_tree),
    change("POST", f"{_GIT}/trees", create_tree),
    get(f"{_GIT}/blobs/{{sha}}", get_blob),
    change("POST", f"{_GIT}/blobs", create_blob),
    get(f"{_GIT}/commits/{{sha}}", get_commit),
    change("POST", f"{_GIT}/commits", create_commit),
]
