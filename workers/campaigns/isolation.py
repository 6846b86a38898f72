"""Where `run` steps run: under bubblewrap where the machine has it, else as a plain process with limits.

Under bubblewrap a step sees the system's programs (read-only), its working copy, a HOME and a /tmp of its own, and
nothing else: no other file, no network, no process, no variable of the worker's. A plain process is bounded in time,
processes, memory and file size, and has none of the worker's environment, but it has the network, and unless the worker
is root it can read what the worker's user can read. A root worker gives each step a user of its own in both cases.
The log says which was used.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.errors import InvalidSettings

from .leftovers import threads_of_own_user

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WORKSPACE = "/workspace"
"""Where bubblewrap shows the working copy."""

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store")
_CONFIGURATION = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "group", "java", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "localtime", "magic", "mime.types", "nsswitch.conf", "passwd", "pki", "protocols", "services",
    "ssl", "timezone",
)  # fmt: skip
_STEP_USERS = range(20_000, 60_000)
_PR_SET_DUMPABLE = 4


class Kind(StrEnum):
    """How a step is kept apart."""

    BUBBLEWRAP = "bubblewrap"
    PROCESS = "process"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a step may use, in seconds, bytes and counts. Memory and files are for each of its processes."""

    cpu_seconds: int = 1800
    memory_bytes: int = 4 * 1024**3
    file_bytes: int = 1024**3
    open_files: int = 4096
    processes: int = 512


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """The way of this machine. `own_user`: each step has a user id of its own, because the worker is root."""

    kind: Kind
    own_user: bool
    why: str = ""

    def describe(self) -> str:
        """What the log says."""
        user = ", a user of its own" if self.own_user else ", as root" if os.geteuid() == 0 else ""
        if self.kind is Kind.BUBBLEWRAP:
            return f"bubblewrap (no network, read-only system{user})"
        return f"plain process with limits{user} (the network is NOT cut off; no bubblewrap: {self.why})"


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """One step's place: the working copy, folders of its own, files to show read-only, and its user."""

    tree: Path
    home: Path
    temporary: Path
    script: Path
    objects: Path  # git's objects, that the working copy's `.git` borrows
    read_only: Sequence[str] = ()  # names in the tree
    user: int | None = None


@lru_cache(maxsize=4)
def detect_isolation(setting: str, workspace: Path) -> Isolation:
    """What this machine can do in this folder, found out by trying, once a process.

    `setting` is auto, bubblewrap or process. Raises `InvalidSettings` where bubblewrap is demanded and does not work.
    """
    own_user = os.geteuid() == 0
    why = "run_isolation is process"
    if setting != "process":
        isolation = Isolation(kind=Kind.BUBBLEWRAP, own_user=own_user)
        why = _trial(isolation, workspace)
        if not why:
            return isolation
        if setting == "bubblewrap":
            raise InvalidSettings(f"OCTOBATCH_RUN_ISOLATION is bubblewrap, which does not work here: {why}")
    isolation = Isolation(kind=Kind.PROCESS, own_user=own_user, why=why)
    if failure := _trial(isolation, workspace):
        if not own_user:
            raise InvalidSettings(f"run steps cannot run on this machine: {failure}")
        isolation = Isolation(kind=Kind.PROCESS, own_user=False, why=f"{why}; no user of its own: {failure}")
    if not own_user:
        _hide_from_own_user()
    return isolation


def _trial(isolation: Isolation, workspace: Path) -> str:
    """Why this way does not work; empty where it does."""
    if isolation.kind is Kind.BUBBLEWRAP and not shutil.which("bwrap"):
        return "bwrap is not installed"
    with TemporaryDirectory(prefix="trial-", dir=workspace) as folder:
        for name in ("tree", "git", "git/objects"):
            (Path(folder) / name).mkdir()
            (Path(folder) / name).chmod(0o755)
        sandbox = make_sandbox(Path(folder), isolation)
        sandbox.script.write_text("exit 0\n")
        sandbox.script.chmod(0o755)
        command = command_line(isolation, sandbox, Limits(), env={})
        try:
            trial = subprocess.run(command, capture_output=True, timeout=20, check=False, env={"PATH": SYSTEM_PATH})
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        return trial.stderr.decode(errors="replace").strip() or "it fails" if trial.returncode else ""


def make_sandbox(folder: Path, isolation: Isolation, *, read_only: Sequence[str] = ()) -> Sandbox:
    """A step's place in a folder that has (or will have) `tree` and `git` in it; makes `home` and `tmp` anew."""
    user = secrets.choice(_STEP_USERS) if isolation.own_user else None
    folder.chmod(0o711 if user is not None else 0o700)
    sandbox = Sandbox(
        tree=folder / "tree",
        home=folder / "home",
        temporary=folder / "tmp",
        script=folder / "script",
        objects=folder / "git" / "objects",
        read_only=read_only,
        user=user,
    )
    if sandbox.objects.exists():
        sandbox.objects.parent.chmod(0o711)
    for own in (sandbox.home, sandbox.temporary):
        own.mkdir(mode=0o700)
        if user is not None:
            os.chown(own, user, user)
    return sandbox


def command_line(isolation: Isolation, sandbox: Sandbox, limits: Limits, *, env: Mapping[str, str]) -> list[str]:
    """The command that runs the sandbox's script."""
    if isolation.kind is Kind.BUBBLEWRAP:
        inside = [*_as_user(sandbox.user), *_limited(limits, limits.processes), _shell(), "/octobatch/step"]
        return [*_bubblewrap(sandbox, env), *inside]
    shared_user = sandbox.user is None
    processes = limits.processes + (threads_of_own_user() if shared_user else 0)
    variables = [f"{name}={value}" for name, value in env.items()]
    place = ["env", "-i", "-C", str(sandbox.tree), *variables]
    return [*_as_user(sandbox.user), *place, *_limited(limits, processes), _shell(), str(sandbox.script)]


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


def git_objects_seen(isolation: Isolation, sandbox: Sandbox) -> str:
    """Where the step sees git's objects."""
    return "/octobatch/objects" if isolation.kind is Kind.BUBBLEWRAP else str(sandbox.objects)


def _bubblewrap(sandbox: Sandbox, env: Mapping[str, str]) -> list[str]:
    command = ["bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if sandbox.user is None:
        command += ["--unshare-user", "--disable-userns"]
    else:  # root stays root until setpriv, inside, takes everything from the step
        command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
    command += ["--die-with-parent", "--new-session", "--clearenv", "--hostname", "octobatch"]
    command += ["--tmpfs", "/", "--proc", "/proc", "--dev", "/dev"]
    for folder in ("/etc", "/home", "/octobatch", "/nix"):
        command += ["--perms", "0755", "--dir", folder]
    for path in _SYSTEM:
        if Path(path).is_symlink():
            command += ["--symlink", str(Path(path).readlink()), path]
        else:
            command += ["--ro-bind-try", path, path]
    for name in _CONFIGURATION:
        command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    command += ["--bind", str(sandbox.temporary), "/tmp", "--bind", str(sandbox.home), "/home/step"]  # noqa: S108
    command += ["--ro-bind", str(sandbox.script), "/octobatch/step", "--ro-bind", str(sandbox.objects)]
    command += ["/octobatch/objects", "--bind", str(sandbox.tree), WORKSPACE, "--chdir", WORKSPACE]
    for name in sandbox.read_only:
        command += ["--ro-bind", str(sandbox.tree / name), f"{WORKSPACE}/{name}"]
    command += ["--remount-ro", "/"]
    for name, value in env.items():
        command += ["--setenv", name, value]
    return [*command, "--"]


def _as_user(user: int | None) -> list[str]:
    """From root to the step's user, with no way back."""
    if user is None:
        return []
    take = ["--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    return ["setpriv", f"--reuid={user}", f"--regid={user}", *take, "--"]


def _limited(limits: Limits, processes: int) -> list[str]:
    """The limits. The kernel counts processes by user and user namespace: inside bubblewrap only the step's."""
    return [
        "prlimit",
        f"--cpu={limits.cpu_seconds}",
        f"--data={limits.memory_bytes}",
        f"--fsize={limits.file_bytes}",
        f"--nofile={limits.open_files}",
        f"--nproc={processes}",
        "--core=0",
        "--",
    ]


def _shell() -> str:
    return "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"


def _hide_from_own_user() -> None:
    """Lets no process of the same user read this one's environment and memory (Linux: not dumpable)."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
