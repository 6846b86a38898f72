"""What lies between two commits."""

from __future__ import annotations

from dataclasses import dataclass

import pygit2
from pygit2.enums import DeltaStatus, SortMode

_STATUSES = {
    DeltaStatus.ADDED: "added",
    DeltaStatus.DELETED: "removed",
    DeltaStatus.MODIFIED: "modified",
    DeltaStatus.RENAMED: "renamed",
    DeltaStatus.COPIED: "copied",
    DeltaStatus.TYPECHANGE: "changed",
}


@dataclass(frozen=True, kw_only=True)
class ChangedFile:
    """One file of a diff; `patch` has the hunks alone and is None for binary files."""

    path: str
    previous_path: str | None
    status: str
    oid: str
    additions: int
    deletions: int
    patch: str | None


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much a pull request changes."""

    commits: int
    additions: int
    deletions: int
    changed_files: int


def merge_base(repo: pygit2.Repository, one: str, other: str) -> str | None:
    """The commit where two histories part, or None where they have nothing in common."""
    found = repo.merge_base(one, other)
    return str(found) if found else None


def contains(repo: pygit2.Repository, tip: str, oid: str) -> bool:
    """Whether `oid` is `tip` or one of its ancestors."""
    return tip == oid or repo.descendant_of(tip, oid)


def ahead_behind(repo: pygit2.Repository, head: str, base: str) -> tuple[int, int]:
    """How many commits `head` has that `base` has not, and the other way round."""
    ahead, behind = repo.ahead_behind(head, base)
    return ahead, behind


def commits_between(repo: pygit2.Repository, base: str, head: str) -> list[pygit2.Commit]:
    """The commits of `head` that `base` has not, oldest first."""
    walker = repo.walk(head, SortMode.TOPOLOGICAL | SortMode.REVERSE)
    walker.hide(base)
    return list(walker)


def diff(repo: pygit2.Repository, base: str, head: str, *, direct: bool = False) -> pygit2.Diff:
    """What `head` changes since it parted from `base` (`direct`: the difference of the two), renames found."""
    since = base if direct else merge_base(repo, base, head) or base
    found = repo[since].peel(pygit2.Tree).diff_to_tree(repo[head].peel(pygit2.Tree))
    found.find_similar()
    return found


def diff_to_nothing(repo: pygit2.Repository, head: str) -> pygit2.Diff:
    """All files of a commit without parents, as added."""
    return repo[head].peel(pygit2.Tree).diff_to_tree(swap=True)


def changed_files(difference: pygit2.Diff) -> list[ChangedFile]:
    """The files of a diff."""
    return [_changed_file(patch) for patch in difference if patch is not None]


def size(repo: pygit2.Repository, base: str, head: str) -> Size:
    """Counts of what `head` changes since it parted from `base`."""
    stats = diff(repo, base, head).stats
    ahead, _ = ahead_behind(repo, head, base)
    return Size(commits=ahead, additions=stats.insertions, deletions=stats.deletions, changed_files=stats.files_changed)


def _changed_file(patch: pygit2.Patch) -> ChangedFile:
    delta = patch.delta
    _, additions, deletions = patch.line_stats
    status = _STATUSES.get(delta.status, "changed")
    renamed = status in {"renamed", "copied"}
    text = patch.data.decode(errors="replace")
    hunks = text[text.index("\n@@ ") + 1 :].rstrip("\n") if "\n@@ " in text else None
    oid = delta.old_file.id if status == "removed" else delta.new_file.id
    return ChangedFile(
        path=delta.new_file.path,
        previous_path=delta.old_file.path if renamed else None,
        status=status,
        oid=str(oid),
        additions=additions,
        deletions=deletions,
        patch=hunks,
    )
