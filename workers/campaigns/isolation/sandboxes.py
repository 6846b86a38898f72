"""The place of one command: what it is kept apart by, what it may use, and the folders that are its own."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WORKSPACE = "/workspace"
"""Where bubblewrap shows the working copy."""

OBJECTS, BORROWED = "/octobatch/objects", "/octobatch/borrowed"

_STEP_USERS = range(20_000, 60_000)


class Kind(StrEnum):
    """How a step is kept apart."""

    BUBBLEWRAP = "bubblewrap"
    PROCESS = "process"


class Network(StrEnum):
    """What of the network a step has: nothing, what the worker's proxy lets through, or all that the worker has."""

    NONE = "none"
    PROXY = "proxy"
    SHARED = "shared"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a step may use, in seconds, bytes and counts. Memory and the size of a file are for each of its processes.

    `written_bytes` and `files` bound what is in its folders, the working copy among them.
    """

    cpu_seconds: int = 1800
    memory_bytes: int = 4 * 1024**3
    file_bytes: int = 1024**3
    open_files: int = 4096
    processes: int = 512
    output_bytes: int = 1024**3
    written_bytes: int = 20 * 1024**3
    files: int = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """The way of this machine. `own_user`: each step has a user id of its own, because the worker is root."""

    kind: Kind
    own_user: bool
    why: str = ""

    def describe(self, network: Network = Network.NONE) -> str:
        """What the log says."""
        user = ", a user of its own" if self.own_user else ", as root" if os.geteuid() == 0 else ""
        if self.kind is Kind.BUBBLEWRAP:
            return f"bubblewrap ({_NETWORKS[network]}, read-only system{user})"
        return f"plain process with limits{user} (the network is NOT cut off; no bubblewrap: {self.why})"


_NETWORKS = {
    Network.NONE: "no network",
    Network.PROXY: "public addresses through a proxy",
    Network.SHARED: "the worker's network",
}


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """One step's place: the working copy, folders of its own, files to show read-only, and its user."""

    tree: Path
    home: Path
    temporary: Path
    script: Path
    objects: Path  # git's objects, that the working copy's `.git` borrows
    borrowed: Path | None = None  # and those of earlier clones
    folder: str = ""  # where in the tree the step runs
    read_only: Sequence[str] = ()  # paths in the tree
    user: int | None = None
    network: Network = Network.NONE


def make_sandbox(
    place: Path,
    isolation: Isolation,
    *,
    folder: str = "",
    read_only: Sequence[str] = (),
    network: Network = Network.NONE,
    borrowed: Path | None = None,
) -> Sandbox:
    """A step's place in a folder that has (or will have) `tree` and `git` in it; makes `home` and `tmp` anew."""
    user = secrets.choice(_STEP_USERS) if isolation.own_user else None
    place.chmod(0o711 if user is not None else 0o700)
    sandbox = Sandbox(
        tree=place / "tree",
        home=place / "home",
        temporary=place / "tmp",
        script=place / "script",
        objects=place / "git" / "objects",
        borrowed=borrowed,
        folder=folder,
        read_only=read_only,
        user=user,
        network=network,
    )
    if sandbox.objects.exists():
        sandbox.objects.parent.chmod(0o711)
    for own in (sandbox.home, sandbox.temporary):
        own.mkdir(mode=0o700)
        if user is not None:
            os.chown(own, user, user)
    return sandbox


def environment(isolation: Isolation, sandbox: Sandbox, env: Mapping[str, str]) -> dict[str, str]:
    """A step's whole environment: the spec's, and PATH, LANG, HOME and TMPDIR where the spec does not set them."""
    inside = isolation.kind is Kind.BUBBLEWRAP
    own = {
        "PATH": SYSTEM_PATH,
        "LANG": "C.UTF-8",
        "HOME": "/home/step" if inside else str(sandbox.home),
        "TMPDIR": "/tmp" if inside else str(sandbox.temporary),  # noqa: S108  # the step's own /tmp
    }
    return {**own, **env}


def git_objects_seen(isolation: Isolation, sandbox: Sandbox) -> list[str]:
    """Where the step sees git's objects."""
    if isolation.kind is Kind.BUBBLEWRAP:
        return [OBJECTS, BORROWED] if sandbox.borrowed else [OBJECTS]
    return [str(folder) for folder in (sandbox.objects, sandbox.borrowed) if folder]
