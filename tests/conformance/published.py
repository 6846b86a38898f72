"""What GitHub publishes about its API, fetched once with npm into the ignored `.cache/` of the repository.

The GraphQL schema is `@octokit/graphql-schema`, the OpenAPI description `@octokit/openapi` (both MIT). They are read in
tests only and are no part of Octobatch.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

CACHE = Path(__file__).parents[2] / ".cache"
GRAPHQL = ("@octokit/graphql-schema@15", "package/schema.graphql", "graphql-schema-15.graphql")
OPENAPI = ("@octokit/openapi@23", "package/generated/api.github.com.json", "openapi-23-api.github.com.json")
CLIENTS = ("@octokit/rest@22", "@octokit/auth-app@8")


@cache
def graphql_schema() -> str:
    """GitHub's GraphQL schema, as text."""
    return _member(*GRAPHQL).read_text()


@cache
def openapi() -> dict[str, Any]:
    """GitHub's OpenAPI description of api.github.com: 13 MB of JSON, read once."""
    description: dict[str, Any] = json.loads(_member(*OPENAPI).read_text())
    return description


def node_clients() -> Path:
    """A folder whose `node_modules` has GitHub's own JavaScript clients."""
    folder = CACHE / "node-clients"
    with _locked("node-clients"):
        if not (folder / "node_modules" / "@octokit" / "auth-app").exists():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
            _npm("install", "--no-audit", "--no-fund", "--ignore-scripts", *CLIENTS, folder=folder)
    return folder


def _member(package: str, member: str, kept_as: str) -> Path:
    """One file of a package, kept in the cache."""
    path = CACHE / kept_as
    with _locked(kept_as):
        if not path.exists():
            _fetch(package, member, path)
    return path


def _fetch(package: str, member: str, path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        _npm("pack", "--silent", package, folder=Path(folder))
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            content = tar.extractfile(member)
            if content is None:
                raise FileNotFoundError(f"{package} has no {member}")
            part = Path(folder) / "part"
            with content, part.open("wb") as written:
                shutil.copyfileobj(content, written)
        part.replace(path)


def _npm(*arguments: str, folder: Path) -> None:
    done = subprocess.run(["npm", *arguments], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"npm {arguments[0]} failed: {done.stderr.strip() or done.stdout.strip()}")


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """Keeps test processes that run beside each other from fetching the same."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
