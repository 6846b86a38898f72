"""A working copy for `run` steps: the tree in a folder, and git's folder beside it, out of the steps' reach.

While a command runs, the tree has a `.git` of its own that borrows the objects: the command can use git as it likes.
Afterwards every `.git` in the tree is removed, so that no hook or configuration planted there is ever read by ours.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from shared.domain.change import FileChange
from shared.github.git import commit_files, commit_tree
from shared.github.git_process import GitFailed, Repository

from ..preparation.checkout_tree import CheckoutTree
from ..preparation.tree import TreeError, is_git_folder
from .sandboxes import Isolation, Network, Sandbox, git_objects_seen, make_sandbox
from .workspace import remove_folder

_STEP_GIT_CONFIG = "[safe]\n\tdirectory = *\n[user]\n\tname = step\n\temail = step@localhost\n"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A command, and where it runs: a folder of the tree (empty = its root), with the step's files there."""

    script: str
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    folder: str = ""
    network: Network = Network.NONE
    container: str = ""  # the image that it runs in, where that is not this machine's system

    @property
    def paths(self) -> tuple[str, ...]:
        """The step's files, from the root of the tree."""
        return tuple(f"{self.folder}/{name}".lstrip("/") for name in self.files)


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What git's trees have no place for."""

    has_ignored_files: bool
    empty_folders: tuple[str, ...]


class WorkingCopy:
    """The folder of one preparation: `tree`, `git` and, for each command, `home`, `tmp` and `script`."""

    def __init__(self, folder: Path, repository: Repository, *, head: str) -> None:
        self.folder, self.repository, self.head = folder, repository, head
        self.tree = CheckoutTree(folder / "tree")
        self._command_ran = False
        self._last_snapshot: str | None = None

    async def snapshot(self) -> str:
        """The oid of the tree as it is now.

        What commands left is in it unless `.gitignore` names it; what edits wrote is in it whatever `.gitignore` says,
        as it is where no clone is made.
        """
        if self._last_snapshot and not self._command_ran and not self.tree.touched:
            return self._last_snapshot
        await self._take_in_edits()
        if self._command_ran:
            await self.repository.git("add", "--all", ".")
        self._command_ran = False
        self._last_snapshot = (await self.repository.git("write-tree")).decode().strip()
        return self._last_snapshot

    async def _take_in_edits(self) -> None:
        if self.tree.touched:
            paths = "".join(f"{path}\0" for path in sorted(self.tree.touched)).encode("utf-8", "surrogateescape")
            await self.repository.git("update-index", "--add", "--remove", "--replace", "-z", "--stdin", input=paths)
            self.tree.touched.clear()

    async def restore(self, tree: str) -> None:
        """Puts the tree back to a snapshot; what `.gitignore` names stays."""
        await self.repository.git("add", "--all", ".")
        await self.repository.git("read-tree", "-u", "--reset", tree)
        self._command_ran, self._last_snapshot = False, tree

    async def apply(self, files: Sequence[FileChange], *, empty_folders: Sequence[str], expected: str) -> bool:
        """Puts files and folders into the tree; where that does not give the tree `expected`, changes nothing."""
        bare, at = replace(self.repository, tree=None), datetime(2000, 1, 1, tzinfo=UTC)
        before = await self.snapshot()
        parent = await commit_tree(bare, before, parent=self.head, message="before", at=at)
        commit = await commit_files(bare, files, parent=parent, message="after", at=at)
        tree = (await bare.git("rev-parse", f"{commit}^{{tree}}")).decode().strip()
        if tree == expected:
            await self.restore(tree)
            await asyncio.to_thread(self.tree.make_folders, empty_folders)
        return tree == expected

    async def beside_tree(self) -> Beside:
        """What is in the folder and in no snapshot of it."""
        untracked = ("ls-files", "--others", "--directory", "-z")
        ignored = await self.repository.git(*untracked, "--no-empty-directory")
        everything = await self.repository.git(*untracked)
        empty = set(everything.split(b"\0")) - set(ignored.split(b"\0")) if everything != ignored else set[bytes]()
        return Beside(
            has_ignored_files=bool(ignored),
            empty_folders=await asyncio.to_thread(self._empty_below, [os.fsdecode(path).rstrip("/") for path in empty]),
        )

    def _empty_below(self, folders: Sequence[str]) -> tuple[str, ...]:
        found = [
            os.path.relpath(folder, self.tree.root)
            for below in folders
            for folder, inner, _ in os.walk(self.tree.root / below, followlinks=False)
            if not inner
        ]
        return tuple(sorted(found))

    async def base_content(self, path: str) -> bytes | None:
        """A file as the commit has it; None where it has none."""
        try:
            return await self.repository.git("cat-file", "blob", f"{self.head}:{path}")
        except GitFailed:
            return None

    async def changed_since(self, tree: str, now: str) -> list[str]:
        """The paths that differ between two snapshots."""
        names = await self.repository.git("diff-tree", "-r", "-z", "--name-only", tree, now)
        return [name for name in names.decode(errors="surrogateescape").split("\0") if name]

    @asynccontextmanager
    async def ready(self, isolation: Isolation, place: Place) -> AsyncIterator[Sandbox]:
        """The sandbox of one command, with the step's files in the tree; afterwards they are gone again.

        Raises `TreeError` where an earlier step has put something else in the place of the folder.
        """
        sandbox = await asyncio.to_thread(self._set_up, isolation, place)
        try:
            yield sandbox
        finally:
            self._command_ran = True
            await asyncio.to_thread(self._clear_up, place)

    def _set_up(self, isolation: Isolation, place: Place) -> Sandbox:
        folder = self._checked(place)
        for name in ("home", "tmp", "aside"):
            remove_folder(self.folder / name)
        (self.folder / "aside").mkdir(mode=0o700)
        sandbox = make_sandbox(
            self.folder,
            isolation,
            folder=place.folder,
            read_only=place.paths,
            network=place.network,
            borrowed=self.repository.borrowed,
        )
        sandbox.script.write_text(place.script)
        sandbox.script.chmod(0o755)
        for name, content in place.files.items():
            path = folder / name
            if os.path.lexists(path):
                path.rename(self.folder / "aside" / name)
            path.write_text(content)
            path.chmod(0o755)
        self._lend_git(sandbox, git_objects_seen(isolation, sandbox))
        self._hand_over(sandbox)
        return sandbox

    def _checked(self, place: Place) -> Path:
        """The folder that the step runs in; no link on the way to it may lead this process elsewhere."""
        folder = self.tree.root
        for part in place.folder.split("/") if place.folder else ():
            folder /= part
            if folder.is_symlink() or not folder.is_dir():
                raise TreeError(f"there is no folder {place.folder} any more")
        return folder

    def _clear_up(self, place: Place) -> None:
        self._remove_git_folders()
        try:
            folder = self._checked(place)
        except TreeError:
            return  # the step has removed it, and its files with it
        for name in place.files:
            path, aside = folder / name, self.folder / "aside" / name
            _remove(path)
            if os.path.lexists(aside):
                aside.rename(path)

    def _lend_git(self, sandbox: Sandbox, objects: Sequence[str]) -> None:
        own, lent = self.repository.git_folder, self.tree.root / ".git"
        for folder in ("objects/info", "objects/pack", "refs/heads", "info"):
            (lent / folder).mkdir(parents=True)
        (lent / "HEAD").write_text("ref: refs/heads/octobatch\n")
        (lent / "refs/heads/octobatch").write_text(f"{self.head}\n")
        (lent / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = false\n")
        (lent / "objects/info/alternates").write_text("".join(f"{folder}\n" for folder in objects))
        (lent / "info/exclude").write_text("".join(f"/{name}\n" for name in sandbox.read_only))
        for name in ("index", "shallow"):
            if (own / name).exists():
                shutil.copyfile(own / name, lent / name)
        (sandbox.home / ".gitconfig").write_text(_STEP_GIT_CONFIG)

    def _hand_over(self, sandbox: Sandbox) -> None:
        """Gives the tree to the step's user; the step's files stay the worker's, so that they are read-only."""
        if sandbox.user is None:
            return
        owner = f"{sandbox.user}:{sandbox.user}"
        subprocess.run(["chown", "-Rh", owner, str(self.tree.root), str(sandbox.home)], check=True, capture_output=True)
        for name in sandbox.read_only:
            os.chown(self.tree.root / name, 0, 0)

    def _remove_git_folders(self) -> None:
        for folder, folders, files in os.walk(self.tree.root, followlinks=False):
            for name in [name for name in folders + files if is_git_folder(name)]:
                _remove(Path(folder) / name)
            folders[:] = [name for name in folders if not is_git_folder(name)]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
