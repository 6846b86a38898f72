"""Whether a pull request merges, and how much it changes; computed once for each pair of commits."""

from __future__ import annotations

from functools import lru_cache

import pygit2

from .git.comparing import Size, size
from .git.merging import merged_tree
from .state import Pull
from .world import World


def base_tip(world: World, pull: Pull) -> str:
    """Where the base branch is now; for a merged or orphaned pull request, where it was."""
    if pull.merged:
        return pull.base_sha
    repository = world.state.repositories.get(pull.repository_id)
    return world.git.branch(repository, pull.base_ref) or pull.base_sha


def mergeable(world: World, pull: Pull) -> bool | None:
    """Whether the head merges into the base without conflict; None where the pull request is closed."""
    if pull.state != "open":
        return None
    repo = world.git.open(world.state.repositories.get(pull.repository_id))
    return _merges(repo.path, base_tip(world, pull), pull.head_sha)


def size_of(world: World, pull: Pull) -> Size:
    """How many commits, files and lines the pull request changes."""
    repo = world.git.open(world.state.repositories.get(pull.repository_id))
    return _size(repo.path, base_tip(world, pull), pull.head_sha)


@lru_cache(maxsize=20_000)
def _merges(path: str, base: str, head: str) -> bool:
    return merged_tree(pygit2.Repository(path), base, head) is not None


@lru_cache(maxsize=20_000)
def _size(path: str, base: str, head: str) -> Size:
    return size(pygit2.Repository(path), base, head)
