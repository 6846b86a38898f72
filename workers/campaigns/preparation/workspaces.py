"""Workspaces: the roots in a repository, and the tree of the whole as the steps of one root see it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from shared.domain.templates import TemplateContext

from ..steps.sequence import RunCommand, run_steps
from .assignment import Assignment
from .tree import Entry, WorkingTree

_MAGIC = re.compile(r"([*?\[{\\])")


class NothingToDo(Exception):
    """The repository has nothing for the steps; the message says what."""


async def find_roots(assignment: Assignment, tree: WorkingTree) -> list[str]:
    """The roots that the steps run in, sorted; empty stands for the repository's own.

    Raises `NothingToDo` where the spec divides the repository, and it has none.
    """
    workspaces = [each for each in assignment.spec.workspaces if each.holds_for(assignment.repository)]
    if not workspaces:
        return [""]
    names = list(dict.fromkeys(each.root_at_location_of for each in workspaces))
    found = [entry.path for name in names for entry in await tree.find(f"**/{name}")]
    if not found:
        raise NothingToDo(f"no folder has a file {' or '.join(names)}: the repository has no workspace")
    return sorted({path.rpartition("/")[0] for path in found})


async def run_in(roots: Sequence[str], assignment: Assignment, tree: WorkingTree, run: RunCommand) -> TemplateContext:
    """Runs the steps in each root, in one tree; what the last one leaves for templates."""
    context = assignment.context
    for number, root in enumerate(roots, 1):
        if list(roots) != [""]:
            assignment.log.line(f"workspace {number} of {len(roots)}: {root or 'the root of the repository'}")
        context = replace(assignment.context, workspace=root)
        seen = RootTree(tree, root) if root else tree
        context = await run_steps(assignment.spec.steps, seen, context, assignment.log, run)
    return context


def below(root: str, pattern: str) -> str:
    """A path or glob in a root, as one in the repository."""
    return _joined(_MAGIC.sub(r"\\\1", root), pattern)


def _joined(root: str, path: str) -> str:
    return f"{root}/{path}" if root else path


class RootTree:
    """The tree below a root; see `WorkingTree`. Paths are relative to the root, and lead nowhere above it."""

    def __init__(self, tree: WorkingTree, root: str) -> None:
        self._tree, self._root = tree, root

    async def find(self, pattern: str) -> list[Entry]:
        """The files (and links) that a path or a glob names, sorted."""
        found = await self._tree.find(below(self._root, pattern))
        start = len(_joined(self._root, ""))
        return [Entry(path=entry.path[start:], is_symlink=entry.is_symlink) for entry in found]

    async def read(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Contents of files."""
        found = await self._tree.read([_joined(self._root, path) for path in paths])
        return {path: found[_joined(self._root, path)] for path in paths}

    async def write(self, path: str, content: bytes) -> None:
        """Writes a file, keeping its mode where it exists."""
        await self._tree.write(_joined(self._root, path), content)

    async def delete(self, path: str) -> None:
        """Deletes a file or a link."""
        await self._tree.delete(_joined(self._root, path))

    async def rename(self, path: str, to: str) -> None:
        """Renames a file or a link, keeping its mode."""
        await self._tree.rename(_joined(self._root, path), _joined(self._root, to))
