"""Changes as git sees them: the commit of a change, what it differs in, its patch, and its push."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..domain.change import FileChange, PreparedChange
from ..domain.target import DiffStat
from .git_process import Repository, create_repository, fetch_commit, push_commit
from .network import Network

AUTHOR = "Octobatch"
AUTHOR_EMAIL = "octobatch@users.noreply.invalid"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What a commit changed: whole new contents, patch (mbox, for `git am`), diff and size."""

    files: tuple[FileChange, ...]
    patch: bytes
    diff: bytes
    stat: DiffStat


async def commit_tree(repository: Repository, tree: str, *, parent: str, message: str, at: datetime) -> str:
    """Commits a tree; the oid of the commit."""
    date = f"{int(at.timestamp())} +0000"
    identity = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", AUTHOR), ("EMAIL", AUTHOR_EMAIL), ("DATE", date))
    }
    arguments = ("commit-tree", tree, "-p", parent, "-F", "-")
    return (await repository.git(*arguments, input=message.encode(), env=identity)).decode().strip()


async def commit_files(
    repository: Repository, files: Sequence[FileChange], *, parent: str | None, message: str, at: datetime
) -> str:
    """Commits files on top of a commit (None: on nothing) without a working tree; the oid of the commit.

    The same files, parent, message and time give the same oid.
    """
    text = message.encode()
    date = f"{int(at.timestamp())} +0000"
    stream = [
        f"commit refs/octobatch/{parent}\nmark :1\ncommitter {AUTHOR} <{AUTHOR_EMAIL}> {date}\n".encode(),
        f"data {len(text)}\n".encode(),
        text,
        f"\nfrom {parent}\n".encode() if parent else b"\n",
    ]
    stream.extend(map(_import_line, files))
    stream.append(b"\nget-mark :1\n")
    arguments = ("fast-import", "--quiet", "--force", "--date-format=raw")
    return (await repository.git(*arguments, input=b"".join(stream))).decode().strip()


def _import_line(file: FileChange) -> bytes:
    path = _quoted(file.path)
    if file.content is None:
        return b"D " + path + b"\n"
    head = f"M {file.git_mode} inline ".encode() + path + f"\ndata {len(file.content)}\n".encode()
    return head + file.content + b"\n"


def _quoted(path: str) -> bytes:
    """A path as fast-import reads it, whatever characters it has."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode("utf-8", "surrogateescape")


async def changed_files(repository: Repository, *, base: str, changed: str) -> tuple[tuple[FileChange, ...], DiffStat]:
    """The files that differ between two commits or trees, as `changed` has them, and by how much."""
    listing = await repository.git("diff-tree", "-r", "-z", "--raw", "--numstat", "--no-renames", base, changed)
    changes, stat = _parse_listing(listing)
    contents = await _contents(repository, [oid for oid, _, _ in changes if oid]) if changes else {}
    files = tuple(
        FileChange(
            path=path,
            content=contents[oid] if oid else None,
            executable=mode == "100755",
            symlink=mode == "120000",
        )
        for oid, mode, path in changes
    )
    return files, stat


async def difference(repository: Repository, *, base: str, commit: str) -> Difference:
    """What `commit` changed since `base`."""
    files, stat = await changed_files(repository, base=base, changed=commit)
    if not files:
        return Difference(files=(), patch=b"", diff=b"", stat=stat)
    return Difference(
        files=files,
        patch=await repository.git(
            "format-patch", "--stdout", "--binary", "--full-index", "--no-signature", f"{base}..{commit}"
        ),
        diff=await repository.git("diff-tree", "-r", "-p", "-M", "--no-ext-diff", "--no-textconv", base, commit),
        stat=stat,
    )


def _parse_listing(listing: bytes) -> tuple[list[tuple[str | None, str, str]], DiffStat]:
    """(oid or None, mode, path) of each changed file, and how many lines differ; submodules are left out."""
    fields = iter(listing.decode("utf-8", "surrogateescape").split("\0"))
    changes: list[tuple[str | None, str, str]] = []
    additions = deletions = 0
    for field in fields:
        if field.startswith(":"):
            _, mode, _, oid, status = field.split(" ")
            path = next(fields)
            if mode != "160000":
                changes.append((None if status == "D" else oid, mode, path))
        elif field:
            added, deleted, _ = field.split("\t", 2)
            additions += int(added) if added.isdigit() else 0
            deletions += int(deleted) if deleted.isdigit() else 0
    return changes, DiffStat(files=len(changes), additions=additions, deletions=deletions)


async def _contents(repository: Repository, oids: Sequence[str]) -> dict[str, bytes]:
    """The content of each blob."""
    answer = await repository.git("cat-file", "--batch", input="".join(f"{oid}\n" for oid in oids).encode())
    contents: dict[str, bytes] = {}
    position = 0
    while position < len(answer):
        end = answer.index(b"\n", position)
        oid, _, size = answer[position:end].decode().split(" ")
        contents[oid] = answer[end + 1 : end + 1 + int(size)]
        position = end + 2 + int(size)
    return contents


async def push_change(
    change: PreparedChange,
    *,
    clone_url: str,
    token: str,
    branch: str,
    expected_oid: str | None,
    folder: Path,
    network: Network,
    fetch_base: Callable[[Repository], Awaitable[Repository]] | None = None,
) -> str:
    """Commits a change on its base and pushes it to `branch`; the oid of the commit, the same whenever it is repeated.

    The branch must stand at `expected_oid` (None: must not exist), or at the very commit already; else `Conflict`,
    so that nobody's commits are overwritten. `folder` is an empty folder for the work, which its owner removes.
    `fetch_base` has the base commit in the repository that it gives back; None fetches it.
    Raises `GitHubUnavailable`, `GitHubForbidden`, `GitHubUnauthorized`, `GitHubNotFound`.
    """
    repository = await create_repository(folder / "git")
    if fetch_base:
        repository = await fetch_base(repository)
    else:
        await fetch_commit(repository, clone_url=clone_url, token=token, oid=change.base_oid, network=network)
    commit = await commit_files(
        repository, change.files, parent=change.base_oid, message=change.commit_message, at=change.prepared_at
    )
    await push_commit(
        repository,
        clone_url=clone_url,
        token=token,
        oid=commit,
        branch=branch,
        expected_oid=expected_oid,
        network=network,
    )
    return commit
