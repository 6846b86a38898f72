"""Search of code on default branches, as REST's `/search/code` has it (GraphQL has none).

Not as on GitHub: nothing is indexed, each search reads the trees; words match as parts of the text, whatever its case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

import pygit2

from ...access import Viewer
from ...git import objects
from ...state import Repository
from ...world import World
from .conditions import Conditions, numbers, visible_to
from .found import CAP, Found
from .repositories import add_owners
from .text import SearchRefused, SearchText, Word, not_supported, parse

QUALIFIERS = frozenset({"extension", "filename", "fork", "in", "language", "org", "path", "repo", "size", "user"})
LARGEST_BYTES = 384 * 1024
"""Files above this size GitHub does not search."""


@dataclass(frozen=True)
class Match:
    """A file that matches."""

    repository: Repository
    entry: objects.Entry


def search_code(world: World, viewer: Viewer, text: str) -> Found[Match]:
    """The files that the viewer may read and the text matches; raises `Refused` as GitHub does.

    Each repository that may match is looked into, oldest first, until the cap is reached.
    """
    search = parse(text, QUALIFIERS)
    if not search.words and not search.values("filename", "extension", "path", "language"):
        raise SearchRefused("Search text is required when searching source code. Searches that use qualifiers only"
                            " are not allowed. Were you searching for something else?")  # fmt: skip
    if any(search.values(name, negated=True) for name in ("in", "size", "fork")):
        raise not_supported("a negated `in:`, `size:` or `fork:`")
    for language in search.values("language"):
        if language.lower() not in _SUFFIXES:
            raise not_supported(f"`language:{language}`")
    conditions = Conditions()
    add_owners(conditions, world.state, search)
    visible, parameters = visible_to(viewer)
    conditions.add(visible, *parameters)
    if not viewer.may("contents", "read"):
        conditions.add("visibility = 'public'")
    if (search.last("fork") or "false") not in {"true", "only"}:
        conditions.add("fork = 0")
    found: list[Match] = []
    for repository in world.state.repositories.query(conditions.where, conditions.parameters):
        found += _matches(world, repository, search)
        if len(found) >= CAP:
            break
    return Found(len(found), lambda offset, limit: found[offset : offset + limit])


def _matches(world: World, repository: Repository, search: SearchText) -> Iterator[Match]:
    head = world.git.branch(repository, repository.default_branch)
    if head is None or not _may_have(world, repository, search):
        return
    repo = world.git.open(repository)
    for entry in _files(repo.path, head):
        if _is_named(entry, search) and _says(repo, entry, search):
            yield Match(repository, entry)


def _may_have(world: World, repository: Repository, search: SearchText) -> bool:
    """An untouched repository has a README alone, and is not made to look for other names in it."""
    names = search.values("filename")
    return world.git.exists(repository) or not names or "readme.md" in {name.lower() for name in names}


@lru_cache(maxsize=2048)
def _files(path: str, head: str) -> tuple[objects.Entry, ...]:
    repo = pygit2.Repository(path)
    tree = repo[head].peel(pygit2.Tree)
    return tuple(entry for entry in objects.entries(repo, tree, recursive=True) if entry.type == "blob")


def _is_named(entry: objects.Entry, search: SearchText) -> bool:
    path = PurePosixPath(entry.path)
    facts = {
        "filename": lambda value: value.lower() in path.name.lower(),
        "extension": lambda value: path.suffix.lower() == f".{value.lower().lstrip('.')}",
        "path": lambda value: (value == "/" and len(path.parts) == 1) or entry.path.startswith(f"{value.strip('/')}/"),
        "language": lambda value: path.suffix.lower() in _SUFFIXES.get(value.lower(), ()),
    }
    for qualifier in search.qualifiers:
        if qualifier.name in facts and facts[qualifier.name](qualifier.value) == qualifier.negated:
            return False
    return all(_is_within(entry.size or 0, value) for value in search.values("size"))


def _is_within(size: int, text: str) -> bool:
    sql, bounds = numbers("size", text)
    comparisons = {"=": int.__eq__, ">": int.__gt__, ">=": int.__ge__, "<": int.__lt__, "<=": int.__le__}
    operators = [part.split()[1] for part in sql.split(" AND ")] if bounds else []
    return all(comparisons[operator](size, bound) for operator, bound in zip(operators, bounds, strict=True))


def _says(repo: pygit2.Repository, entry: objects.Entry, search: SearchText) -> bool:
    where = {part for value in search.values("in") for part in value.lower().split(",")} or {"file"}
    if not where <= {"file", "path"}:
        raise not_supported(f"`in:{','.join(sorted(where))}`")
    if not search.words:
        return True
    text = entry.path.lower() if "path" in where else ""
    if "file" in where and (entry.size or 0) <= LARGEST_BYTES:
        content = repo[entry.oid]
        text += "\n" + (content.data.decode(errors="replace").lower() if isinstance(content, pygit2.Blob) else "")
    return all(any(_holds(text, word) for word in group) for group in search.words)


def _holds(text: str, word: Word) -> bool:
    return (word.text.lower() in text) != word.negated


_SUFFIXES = {
    "c": (".c", ".h"),
    "c++": (".cpp", ".cc", ".hpp"),
    "go": (".go",),
    "java": (".java",),
    "javascript": (".js", ".mjs", ".cjs"),
    "json": (".json",),
    "markdown": (".md",),
    "python": (".py", ".pyi"),
    "ruby": (".rb",),
    "rust": (".rs",),
    "shell": (".sh",),
    "toml": (".toml",),
    "typescript": (".ts", ".tsx"),
    "yaml": (".yml", ".yaml"),
}
