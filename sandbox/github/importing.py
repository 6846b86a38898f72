"""Turns source trees and git repositories into repositories of the sandbox, with real files.

    import_directories(world, "acme", [Source(name="api", path=Path("~/src/api"))])
    import_directories(world, "acme", installed_packages())

A git repository comes with its history; any other folder becomes one commit. What is there already stays.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import Message
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import cast

from .clock import seconds, stamp
from .git import Person
from .state import Account, NewRepository, Repository
from .world import World

LARGEST_FILE_BYTES = 256 * 1024
LARGEST_REPOSITORY_BYTES = 6 * 1024 * 1024
_SKIPPED_FOLDERS = frozenset({"__pycache__", ".git", "node_modules", ".venv", ".mypy_cache", ".pytest_cache"})
_COMPILED = frozenset({".pyc", ".pyo", ".so", ".pyd", ".dll", ".dylib", ".a", ".o", ".exe", ".jar", ".whl"})
_METADATA_KEPT = re.compile(
    r"^(LICEN[CS]E|COPYING|NOTICE|AUTHORS|README|CHANGE|METADATA$|entry_points\.txt$)", re.IGNORECASE
)
_LANGUAGES = {
    ".py": "Python", ".pyi": "Python", ".go": "Go", ".js": "JavaScript", ".ts": "TypeScript", ".rs": "Rust",
    ".java": "Java", ".rb": "Ruby", ".c": "C", ".h": "C", ".cpp": "C++", ".cs": "C#", ".php": "PHP", ".sh": "Shell",
    ".kt": "Kotlin", ".swift": "Swift", ".scala": "Scala", ".html": "HTML", ".css": "CSS",
}  # fmt: skip
_SPDX = re.compile(r"\b(MIT|Apache-2\.0|BSD-[23]-Clause|ISC|MPL-2\.0|PSF-2\.0|LGPL-[\d.]+\S*|GPL-[\d.]+\S*)\b")


@dataclass(frozen=True, kw_only=True)
class Source:
    """What becomes one repository: all of `path`, or just `files` (path in the repository → file on disk)."""

    name: str
    path: Path
    files: dict[str, Path] | None = None
    description: str | None = None
    license: str | None = None
    topics: tuple[str, ...] = field(default=())


def import_directories(
    world: World, owner: str, sources: Iterable[Source], *, visibility: str = "private"
) -> list[Repository]:
    """Makes a repository of each source whose name the owner has not yet; all those of the sources."""
    now = world.clock.stamp()
    account = world.state.accounts.ensure(owner, "Organization", now=now)
    by_name = {source.name: source for source in sources}
    repositories = world.state.repositories
    missing = [source for name, source in by_name.items() if repositories.by_name(account.login, name) is None]
    made = [(source, _create(world, account, source, visibility, now)) for source in missing]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as threads:
        filling = [threads.submit(_fill, world, account, source, repository) for source, repository in made]
        for each in filling:
            each.result()
    for _, repository in made:
        size = sum(file.stat().st_size for file in world.git.path(repository).rglob("*") if file.is_file())
        repositories.update(repository.id, size_kb=size // 1024)
    found = [repositories.by_name(account.login, name) for name in by_name]
    return [repository for repository in found if repository is not None]


def directory_sources(directories: Sequence[Path]) -> list[Source]:
    """A source for each folder, named like it; two of one name get numbers."""
    names: Counter[str] = Counter()
    sources: list[Source] = []
    for directory in directories:
        path = directory.resolve(strict=True)
        if not path.is_dir():
            raise NotADirectoryError(f"{directory} is no folder")
        name = re.sub(r"[^A-Za-z0-9._-]", "-", path.name) or "repository"
        names[name] += 1
        sources.append(Source(name=name if names[name] == 1 else f"{name}-{names[name]}", path=path))
    return sources


def installed_packages() -> list[Source]:
    """The Python packages installed here, each with its sources and its own metadata, by name."""
    sources: dict[str, Source] = {}
    for distribution in distributions():
        source = _package(distribution)
        if source is not None:
            sources.setdefault(source.name, source)
    return [sources[name] for name in sorted(sources)]


def _package(distribution: Distribution) -> Source | None:
    """The files that the package brought, as in a source repository; None where it brought no Python."""
    metadata = cast("Message", distribution.metadata)
    name = re.sub(r"[-_.]+", "-", metadata["Name"] or "").lower()
    files: dict[str, Path] = {}
    for entry in distribution.files or ():
        target = _place(entry.parts)
        path = Path(str(distribution.locate_file(entry)))
        if target is not None and path.suffix not in _COMPILED and path.is_file():
            files[target] = path
    if not name or not any(target.endswith(".py") for target in files):
        return None
    spdx = _SPDX.search(metadata.get("License-Expression") or metadata.get("License") or "")
    root = Path(str(distribution.locate_file("")))
    return Source(
        name=name,
        path=root,
        files=files,
        description=metadata.get("Summary"),
        license=spdx.group(1) if spdx else None,
        topics=("python",),
    )


def _place(parts: Sequence[str]) -> str | None:
    """Where a file of a package goes in its repository: metadata worth keeping to the top, the rest as installed."""
    if ".." in parts or _SKIPPED_FOLDERS.intersection(parts):
        return None
    if parts[0].endswith(".dist-info"):
        return parts[-1] if _METADATA_KEPT.match(parts[-1]) else None
    if parts[0].endswith(".data") or (len(parts) == 1 and parts[0].endswith(".pth")):
        return None
    return "/".join(parts)


def _create(world: World, account: Account, source: Source, visibility: str, now: str) -> Repository:
    """The repository of a source, without content."""
    files = source.files
    if files is None:
        files = {} if _is_git(source) else _tree(source.path)
    new = NewRepository(
        name=source.name,
        description=source.description,
        language=_language(files),
        license=source.license,
        default_branch=_branch_of(source.path) if _is_git(source) else "main",
        visibility=visibility,
        topics=source.topics,
        created_at=stamp(_oldest(files)) if files else now,
        pushed_at=now,
    )
    return world.state.repositories.create(account.id, new, now=now)


def _fill(world: World, account: Account, source: Source, repository: Repository) -> None:
    """Its git repository: the source's history, or one commit with its files."""
    path = world.git.init(repository)
    if _is_git(source):
        everything = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        _git(path, "fetch", "--quiet", str(source.path.resolve()), *everything)
        return
    files = _tree(source.path) if source.files is None else source.files
    when = int(seconds(repository.created_at))
    person = Person(name=account.login, email=account.noreply_email, seconds=when)
    _git(path, "fast-import", "--quiet", content=b"".join(_stream(files, source.name, person)))


def _is_git(source: Source) -> bool:
    return source.files is None and ((source.path / ".git").exists() or (source.path / "HEAD").is_file())


def _tree(root: Path) -> dict[str, Path]:
    """All files below a folder but compiled ones and caches."""
    files: dict[str, Path] = {}
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED_FOLDERS)
        for name in sorted(names):
            path = Path(folder) / name
            if path.suffix not in _COMPILED and path.is_file():
                files[path.relative_to(root).as_posix()] = path
    return files


def _stream(files: dict[str, Path], name: str, person: Person) -> Iterator[bytes]:
    """A `git fast-import` stream of one commit with the files, up to the caps on sizes."""
    who = f"{person.name} <{person.email}> {person.seconds} +0000"
    message = f"Import {name}".encode()
    yield f"commit refs/heads/main\ncommitter {who}\ndata {len(message)}\n".encode() + message + b"\n"
    total = 0
    for target, path in sorted(files.items()):
        content = path.read_bytes()
        if len(content) > LARGEST_FILE_BYTES or total + len(content) > LARGEST_REPOSITORY_BYTES:
            continue
        total += len(content)
        mode = "100755" if os.access(path, os.X_OK) else "100644"
        yield f"M {mode} inline {_quoted(target)}\ndata {len(content)}\n".encode() + content + b"\n"
    yield b"done\n"


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _language(files: dict[str, Path]) -> str | None:
    """The language with the most bytes."""
    sizes: Counter[str] = Counter()
    for path in files.values():
        language = _LANGUAGES.get(path.suffix)
        if language:
            sizes[language] += path.stat().st_size
    return sizes.most_common(1)[0][0] if sizes else None


def _oldest(files: dict[str, Path]) -> float:
    return min(path.stat().st_mtime for path in files.values())


def _branch_of(path: Path) -> str:
    """The branch that a git repository is on, or `main`."""
    found = subprocess.run(
        ["git", "-C", str(path), "symbolic-ref", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "main"


def _git(path: Path, *arguments: str, content: bytes | None = None) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(path), "GIT_CONFIG_NOSYSTEM": "1"}
    environment |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    subprocess.run(
        ["git", "-C", str(path), *arguments], input=content, env=environment, check=True, capture_output=True
    )
