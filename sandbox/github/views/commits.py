"""Commits, trees, blobs, refs, branches, files and comparisons."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone
from typing import Any, cast
from urllib.parse import quote

import pygit2

from ..clock import stamp
from ..git.comparing import ChangedFile
from ..git.objects import Entry
from ..git.signing import Signer
from ..state import Account, Kind, Repository, encode
from ..world import World
from .accounts import simple_user
from .repositories import repository_url

Json = dict[str, Any]


def git_commit(world: World, repository: Repository, commit: pygit2.Commit) -> Json:
    """A commit as the git database endpoints show it."""
    url, html = repository_url(world, repository), f"{world.base_url}/{repository.full_name}"
    return {
        "sha": str(commit.id),
        "node_id": encode(Kind.COMMIT, repository.id, str(commit.id)),
        "url": f"{url}/git/commits/{commit.id}",
        "html_url": f"{html}/commit/{commit.id}",
        "author": _person(commit.author),
        "committer": _person(commit.committer),
        "tree": {"sha": str(commit.tree_id), "url": f"{url}/git/trees/{commit.tree_id}"},
        "message": commit.message,
        "parents": [
            {"sha": str(oid), "url": f"{url}/git/commits/{oid}", "html_url": f"{html}/commit/{oid}"}
            for oid in commit.parent_ids
        ],
        "verification": verification(world.signer, commit),
    }


def commit_item(world: World, repository: Repository, commit: pygit2.Commit) -> Json:
    """A commit as listings of commits show it."""
    url, html = repository_url(world, repository), f"{world.base_url}/{repository.full_name}"
    inner = git_commit(world, repository, commit)
    kept = {key: inner[key] for key in ("author", "committer", "message", "tree", "url", "verification")}
    return {
        "sha": inner["sha"],
        "node_id": inner["node_id"],
        "commit": kept | {"comment_count": 0},
        "url": f"{url}/commits/{commit.id}",
        "html_url": inner["html_url"],
        "comments_url": f"{url}/commits/{commit.id}/comments",
        "author": _account(world, commit.author.email),
        "committer": _account(world, commit.committer.email),
        "parents": [
            {"sha": str(oid), "url": f"{url}/commits/{oid}", "html_url": f"{html}/commit/{oid}"}
            for oid in commit.parent_ids
        ],
    }


def commit_in_event(world: World, repository: Repository, commit: pygit2.Commit, files: list[ChangedFile]) -> Json:
    """A commit in a push event, with the names of the files it changes."""
    zone = timezone(timedelta(minutes=commit.committer.offset))
    return {
        "id": str(commit.id),
        "tree_id": str(commit.tree_id),
        "distinct": True,
        "message": commit.message,
        "timestamp": datetime.fromtimestamp(commit.committer.time, zone).isoformat(),
        "url": f"{world.base_url}/{repository.full_name}/commit/{commit.id}",
        "author": {"name": commit.author.name, "email": commit.author.email},
        "committer": {"name": commit.committer.name, "email": commit.committer.email},
        "added": [file.path for file in files if file.status in {"added", "renamed", "copied"}],
        "removed": [file.previous_path or file.path for file in files if file.status in {"removed", "renamed"}],
        "modified": [file.path for file in files if file.status in {"modified", "changed"}],
    }


def verification(signer: Signer, commit: pygit2.Commit) -> Json:
    """Whether GitHub itself signed the commit."""
    signature, payload = cast("tuple[bytes | None, bytes | None]", commit.gpg_signature)
    if signature is None or payload is None:
        return {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}
    verified = signer.verifies(payload, signature.decode())
    return {
        "verified": verified,
        "reason": "valid" if verified else "unknown_key",
        "signature": signature.decode(),
        "payload": payload.decode(errors="replace"),
        "verified_at": stamp(commit.committer.time) if verified else None,
    }


def git_ref(world: World, repository: Repository, ref: str, oid: str, kind: str) -> Json:
    """A ref; `kind` is that of the object it is at."""
    url = repository_url(world, repository)
    return {
        "ref": ref,
        "node_id": encode(Kind.REF, repository.id, ref),
        "url": f"{url}/git/{quote(ref)}",
        "object": {"sha": oid, "type": kind, "url": f"{url}/git/{kind}s/{oid}"},
    }


def git_tree(world: World, repository: Repository, oid: str, entries: list[Entry], *, truncated: bool) -> Json:
    """A tree with its entries."""
    url = repository_url(world, repository)
    shown: list[Json] = []
    for entry in entries:
        item: Json = {"path": entry.path, "mode": f"{entry.mode:06o}", "type": entry.type, "sha": entry.oid}
        if entry.size is not None:
            item["size"] = entry.size
        if entry.type != "commit":
            item["url"] = f"{url}/git/{entry.type}s/{entry.oid}"
        shown.append(item)
    return {"sha": oid, "url": f"{url}/git/trees/{oid}", "tree": shown, "truncated": truncated}


def git_blob(world: World, repository: Repository, blob: pygit2.Blob) -> Json:
    """A blob, in base64."""
    return {
        "sha": str(blob.id),
        "node_id": f"B_{blob.id}",
        "size": blob.size,
        "url": f"{repository_url(world, repository)}/git/blobs/{blob.id}",
        "content": base64.encodebytes(blob.data).decode(),
        "encoding": "base64",
    }


def short_branch(world: World, repository: Repository, name: str, oid: str) -> Json:
    """A branch in a listing."""
    url = repository_url(world, repository)
    return {"name": name, "commit": {"sha": oid, "url": f"{url}/commits/{oid}"}, "protected": False}


def branch(world: World, repository: Repository, name: str, commit: pygit2.Commit) -> Json:
    """A branch on its own."""
    url = f"{repository_url(world, repository)}/branches/{quote(name)}"
    return {
        "name": name,
        "commit": commit_item(world, repository, commit),
        "_links": {"self": url, "html": f"{world.base_url}/{repository.full_name}/tree/{quote(name)}"},
        "protected": False,
        "protection": {
            "enabled": False,
            "required_status_checks": {"enforcement_level": "off", "contexts": [], "checks": []},
        },
        "protection_url": f"{url}/protection",
    }


def content(world: World, repository: Repository, entry: Entry, revision: str) -> Json:
    """A file or folder as the contents endpoint lists it; `content_file` adds what is in it."""
    base, html = repository_url(world, repository), f"{world.base_url}/{repository.full_name}"
    kinds = {"tree": "dir", "commit": "submodule"}
    kind = "symlink" if entry.mode == 0o120000 else kinds.get(entry.type, "file")
    path = quote(entry.path)
    url = f"{base}/contents/{path}?ref={quote(revision, safe='')}"
    git_url = f"{base}/git/{entry.type}s/{entry.oid}" if entry.type != "commit" else None
    page = f"{html}/{'tree' if kind == 'dir' else 'blob'}/{quote(revision)}/{path}"
    return {
        "name": entry.path.rpartition("/")[2],
        "path": entry.path,
        "sha": entry.oid,
        "size": entry.size or 0,
        "url": url,
        "html_url": page,
        "git_url": git_url,
        "download_url": f"{html}/raw/{quote(revision)}/{path}" if kind in {"file", "symlink"} else None,
        "type": kind,
        "_links": {"self": url, "git": git_url, "html": page},
    }


def content_file(world: World, repository: Repository, entry: Entry, blob: pygit2.Blob, revision: str) -> Json:
    """A file with its content in base64; above 1 MB GitHub gives none."""
    small = blob.size <= 1_000_000
    text = base64.encodebytes(blob.data).decode() if small else ""
    shown = content(world, repository, entry, revision)
    return shown | {"type": "file", "content": text, "encoding": "base64" if small else "none"}


def diff_entry(world: World, repository: Repository, file: ChangedFile, revision: str) -> Json:
    """A changed file of a comparison, commit or pull request."""
    html, path = f"{world.base_url}/{repository.full_name}", quote(file.path)
    entry: Json = {
        "sha": file.oid,
        "filename": file.path,
        "status": file.status,
        "additions": file.additions,
        "deletions": file.deletions,
        "changes": file.additions + file.deletions,
        "blob_url": f"{html}/blob/{revision}/{path}",
        "raw_url": f"{html}/raw/{revision}/{path}",
        "contents_url": f"{repository_url(world, repository)}/contents/{path}?ref={revision}",
    }
    if file.patch is not None:
        entry["patch"] = file.patch
    if file.previous_path is not None:
        entry["previous_filename"] = file.previous_path
    return entry


def _person(signature: pygit2.Signature) -> Json:
    return {"name": signature.name, "email": signature.email, "date": stamp(signature.time)}


def _account(world: World, email: str) -> Json | None:
    """The account that a commit's address belongs to, as GitHub's noreply addresses tell."""
    account = account_of_email(world, email)
    return simple_user(world, account) if account else None


def account_of_email(world: World, email: str) -> Account | None:
    """The account whose noreply address or own address this is."""
    number, plus, _ = email.partition("+")
    if plus and number.isdigit() and email.endswith("@users.noreply.github.com"):
        try:
            return world.state.accounts.get(int(number))
        except KeyError:
            return None
    return world.state.accounts.by_email(email)
