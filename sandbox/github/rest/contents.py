"""Files through the contents endpoint."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

import pygit2

from ..actions.branches import commit_on_branch
from ..errors import Reason, Refused, not_found, unprocessable
from ..git import FileChange, Person, objects
from ..git.objects import Entry
from ..state import Repository
from ..views.commits import content, content_file, git_commit
from .endpoint import Call, Endpoint, Reply, change, get

_RAW = "application/vnd.github.raw"


def get_content(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/contents/{path}"""
    repository = call.repository("contents", "read")
    if repository.empty:
        raise not_found("This repository is empty.")
    revision = call.query.get("ref") or repository.default_branch
    repo = call.world.git.open(repository)
    commit = objects.commit_at(repo, revision)
    if commit is None:
        raise not_found(f"No commit found for the ref {revision}")
    path = call.path.get("path", "").strip("/")
    found = objects.below(commit.tree, path)
    if isinstance(found, pygit2.Tree):
        prefix = f"{path}/" if path else ""
        listed = objects.entries(repo, found, prefix=prefix)
        return Reply(body=[content(call.world, repository, entry, revision) for entry in listed])
    if not isinstance(found, pygit2.Blob):
        raise not_found()
    if call.accept.startswith(_RAW):
        return Reply(body=found.data, headers={"content-type": "application/vnd.github.raw+json; charset=utf-8"})
    return Reply(body=content_file(call.world, repository, _entry(path, found), found, revision))


def get_readme(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/readme"""
    repository = call.repository("contents", "read")
    repo = call.world.git.open(repository)
    revision = call.query.get("ref") or repository.default_branch
    commit = objects.commit_at(repo, revision)
    for entry in commit.tree if commit else ():
        if isinstance(entry, pygit2.Blob) and (entry.name or "").lower().startswith("readme"):
            shown = _entry(entry.name or "", entry)
            return Reply(body=content_file(call.world, repository, shown, entry, revision))
    raise not_found()


def put_content(call: Call) -> Reply:
    """PUT /repos/{owner}/{repo}/contents/{path}"""
    repository, branch, there = _there(call)
    if there is not None and call.text("sha") is None:
        raise unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.')
    try:
        data = base64.b64decode(call.required_text("content"))
    except (binascii.Error, ValueError) as error:
        raise unprocessable("content is not valid Base64") from error
    _check_sha(call, there)
    oid = _commit(call, repository, branch, FileChange(path=call.path["path"], content=data))
    repo = call.world.git.open(repository)
    blob = objects.at(repo, f"{oid}:{call.path['path']}")
    if not isinstance(blob, pygit2.Blob):
        raise not_found()
    entry = _entry(call.path["path"], blob)
    return Reply(
        status=200 if there else 201,
        body={"content": content(call.world, repository, entry, branch), "commit": _commit_view(call, repository, oid)},
    )


def delete_content(call: Call) -> Reply:
    """DELETE /repos/{owner}/{repo}/contents/{path}"""
    repository, branch, there = _there(call)
    if there is None:
        raise not_found()
    call.required_text("sha")
    _check_sha(call, there)
    oid = _commit(call, repository, branch, FileChange(path=call.path["path"], content=None))
    return Reply(body={"content": None, "commit": _commit_view(call, repository, oid)})


def _there(call: Call) -> tuple[Repository, str, pygit2.Object | pygit2.Commit | None]:
    """Repository, branch, and what is at the path now."""
    repository = call.repository("contents", "write")
    call.viewer.require_workflows([call.path["path"]])
    branch = call.text("branch") or call.query.get("branch") or repository.default_branch
    if call.world.git.branch(repository, branch) is None and not repository.empty:
        raise not_found(f"Branch {branch} not found")
    repo = call.world.git.open(repository)
    return repository, branch, objects.at(repo, f"refs/heads/{branch}:{call.path['path']}")


def _check_sha(call: Call, there: pygit2.Object | pygit2.Commit | None) -> None:
    given = call.text("sha")
    if given is not None and there is not None and str(there.id) != given:
        raise Refused(Reason.CONFLICT, f"{call.path['path']} does not match {given}")


def _commit(call: Call, repository: Repository, branch: str, file: FileChange) -> str:
    author, committer = _person(call, "author"), _person(call, "committer")
    return commit_on_branch(
        call.world,
        call.viewer.account,
        repository,
        branch,
        changes=[file],
        message=call.required_text("message"),
        author=author or committer,
        committer=committer or author,
    )


def _person(call: Call, name: str) -> Person | None:
    facts = call.object(name)
    if facts is None:
        return None
    if not facts.get("name") or not facts.get("email"):
        raise unprocessable(f'Invalid request.\n\n"name" or "email" wasn\'t supplied for {name}.')
    when = datetime.fromisoformat(facts["date"]) if facts.get("date") else None
    if when is not None:
        return Person.at(facts["name"], facts["email"], when)
    return Person(name=facts["name"], email=facts["email"], seconds=int(call.world.clock.now()))


def _commit_view(call: Call, repository: Repository, oid: str) -> dict[str, Any]:
    commit = call.world.git.open(repository)[oid].peel(pygit2.Commit)
    return git_commit(call.world, repository, commit)


def _entry(path: str, blob: pygit2.Blob) -> Entry:
    return Entry(path=path, mode=blob.filemode, type="blob", oid=str(blob.id), size=blob.size)


_CONTENTS = "/repos/{owner}/{repo}/contents"
ENDPOINTS: list[Endpoint] = [
    get(f"{_CONTENTS}/{{path:path}}", get_content),
    get("/repos/{owner}/{repo}/readme", get_readme),
    change("PUT", f"{_CONTENTS}/{{path:path}}", put_content),
    change("DELETE", f"{_CONTENTS}/{{path:path}}", delete_content),
]
