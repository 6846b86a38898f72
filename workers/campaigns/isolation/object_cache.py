"""Git's objects of repositories that were cloned before, on the worker's disk: a second clone fetches what is new.

    async with cache.lent(clone_url) as kept:
        if kept: await kept.fetch(into, oid=oid, …)

Each repository has a folder, held (by `flock`) while anybody borrows from it, and fetched into by one at a time. What
is least recently used goes where all are more than they may be, and so does one that git finds broken. Whoever cannot
have a folder at once clones without it. Names of folders tell nobody of which repository they are.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from shared.github.git_process import GitFailed, Repository, create_repository, fetch_commit
from shared.github.network import Network

MOST_PACKS = 50
"""A folder that has more begins anew: each fetch adds one."""

TRIM_SECONDS = 60.0


@dataclass(frozen=True)
class KeptObjects:
    """The objects of one repository, held."""

    folder: Path
    fetching: asyncio.Lock

    @property
    def objects(self) -> Path:
        """The folder to borrow from."""
        return self.folder / "git" / "objects"

    async def fetch(self, into: Repository, *, clone_url: str, token: str, oid: str, network: Network) -> bool:
        """Has a commit here, fetched where it is not, for `into` to borrow; False where another process fetches.

        Raises the errors of `fetch_commit`.
        """
        kept = Repository(self.folder / "git")
        async with self.fetching:
            lock = await asyncio.to_thread(_lock, self.folder / "fetching", fcntl.LOCK_EX)
            if lock is None:
                return False
            try:
                if not kept.git_folder.exists():
                    await create_repository(kept.git_folder)
                if not await _has(kept, oid):
                    ref = f"refs/octobatch/{oid}"
                    await fetch_commit(kept, clone_url=clone_url, token=token, oid=oid, network=network, keep_as=ref)
            finally:
                os.close(lock)
        (into.git_folder / "shallow").write_text(f"{oid}\n")
        return True

    def give_up(self) -> None:
        """Has nobody use these objects any more: git found them broken."""
        (self.folder / "broken").touch()


@dataclass
class ObjectCache:
    """The folders of one worker's machine, bounded in bytes."""

    folder: Path
    most_bytes: int
    _fetching: dict[str, asyncio.Lock] = field(default_factory=dict[str, asyncio.Lock])
    _trimmed_at: float = -TRIM_SECONDS

    @asynccontextmanager
    async def lent(self, clone_url: str) -> AsyncIterator[KeptObjects | None]:
        """The objects of a repository, held until the end; None where they cannot be had now."""
        if self.most_bytes <= 0:
            yield None
            return
        name = await asyncio.to_thread(self._name, clone_url)
        lock = await asyncio.to_thread(self._hold, name)
        try:
            fetching = self._fetching.setdefault(name, asyncio.Lock())
            yield KeptObjects(self.folder / name, fetching) if lock is not None else None
        finally:
            if lock is not None:
                os.close(lock)
            if time.monotonic() - self._trimmed_at > TRIM_SECONDS:
                self._trimmed_at = time.monotonic()
                await asyncio.to_thread(self.trim)

    def _name(self, clone_url: str) -> str:
        if not self.folder.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o711)  # steps that run as another user find only what they are lent
        salt = self.folder / "salt"
        if not salt.exists():
            _make_salt(salt)
        return hashlib.sha256(salt.read_bytes() + clone_url.encode()).hexdigest()[:40]

    def _hold(self, name: str) -> int | None:
        """A shared lock on a folder, made where it is missing; None for one that is being removed, or is of no use."""
        folder = self.folder / name
        if (folder / "broken").exists() or len(list((folder / "git/objects/pack").glob("*.pack"))) > MOST_PACKS:
            self._remove(name)
        lock = _lock(self.folder / f"{name}.lock", fcntl.LOCK_SH)
        if lock is None or (folder / "broken").exists():
            if lock is not None:
                os.close(lock)
            return None
        folder.mkdir(mode=0o711, exist_ok=True)
        os.utime(self.folder / f"{name}.lock")
        return lock

    def trim(self) -> None:
        """Removes the least recently used folders that nobody holds, until the rest is not too much."""
        locks = sorted(self.folder.glob("*.lock"), key=_used_at, reverse=True)
        total = 0
        for lock in locks:
            total += _size(self.folder / lock.stem)
            if total > self.most_bytes:
                self._remove(lock.stem)

    def _remove(self, name: str) -> None:
        path = self.folder / f"{name}.lock"
        lock = _lock(path, fcntl.LOCK_EX)
        if lock is None:
            return  # somebody borrows from it
        try:
            shutil.rmtree(self.folder / name, ignore_errors=True)
            path.unlink(missing_ok=True)
        finally:
            os.close(lock)


def _lock(path: Path, kind: int) -> int | None:
    """A lock that ends with this process, on a file made where it is missing; None where others keep it from that."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino == path.stat().st_ino:  # else it was removed meanwhile
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _make_salt(path: Path) -> None:
    """Writes a salt, whole, unless another process was first."""
    beside = path.with_name(f"salt-{secrets.token_hex(8)}")
    beside.touch(mode=0o600)
    beside.write_bytes(secrets.token_bytes(32))
    with suppress(FileExistsError):
        os.link(beside, path)
    beside.unlink()


async def _has(repository: Repository, oid: str) -> bool:
    try:
        await repository.git("cat-file", "-e", f"{oid}^{{tree}}")
    except GitFailed:
        return False
    return True


def _used_at(lock: Path) -> float:
    try:
        return lock.stat().st_mtime
    except OSError:
        return 0.0


def _size(folder: Path) -> int:
    with suppress(OSError):
        return sum(entry.stat().st_size for entry in os.scandir(folder / "git/objects/pack"))
    return 0
