"""Refs, moved only from where they are expected."""

from __future__ import annotations

import re

import pygit2

from ..errors import Reason, Refused, unprocessable

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^/|/$|\.$|\.lock(/|$)|(^|/)\.")


def check_name(ref: str) -> None:
    """Raises `Refused` where it is no full name of a ref that git takes."""
    if not ref.startswith("refs/") or ref.count("/") < 2 or _FORBIDDEN.search(ref):
        raise unprocessable(
            "Reference name is not valid"
            if ref.startswith("refs/")
            else "Reference must start with 'refs/' and have at least two slashes."
        )


def read(repo: pygit2.Repository, ref: str) -> str | None:
    """The oid that a ref is at, or None."""
    found = repo.references.get(ref) if not _FORBIDDEN.search(ref) else None
    return str(found.target) if found else None


def matching(repo: pygit2.Repository, prefix: str) -> dict[str, str]:
    """All refs that begin so, by name, with their oids."""
    found: dict[str, str] = {}
    for name in sorted(repo.references):
        if name.startswith(prefix):
            found[name] = str(repo.references[name].target)
    return found


def create(repo: pygit2.Repository, ref: str, oid: str) -> None:
    """Makes a ref; raises `Refused` where it is there already, or its name or target is not possible."""
    check_name(ref)
    if repo.get(oid) is None:
        raise unprocessable("Object does not exist")
    if read(repo, ref) is not None:
        raise unprocessable("Reference already exists")
    try:
        repo.references.create(ref, oid)
    except (pygit2.GitError, ValueError) as error:
        raise unprocessable(f"Reference cannot be created: {error}") from error


def move(repo: pygit2.Repository, ref: str, oid: str, *, expected: str | None) -> None:
    """Sets a ref to `oid` if it is at `expected` (None: makes it); raises `Refused` with `STALE_DATA` otherwise."""
    if expected is None:
        create(repo, ref, oid)
        return
    found = repo.references.get(ref)
    if found is None or str(found.target) != expected:
        at = f"{found.target}" if found else "nothing"
        raise Refused(
            Reason.STALE_DATA,
            f"Expected branch to point to {expected!r} but it did not.  Pull and try again. (at {at})",
        )
    try:
        found.set_target(oid)
    except pygit2.GitError as error:
        raise Refused(Reason.STALE_DATA, f"Reference {ref} was moved meanwhile") from error


def delete(repo: pygit2.Repository, ref: str) -> None:
    """Deletes a ref that is there."""
    repo.references.delete(ref)
