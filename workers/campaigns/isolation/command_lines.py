"""The command lines of steps: bubblewrap or a plain process, a user of the step's own, and limits.

Nothing of the spec is in them: the script is a file, and the step's variables come through its standard input, read by
a shell that has given up every right already. So neither a PATH nor an LD_PRELOAD reaches the programs that take the
rights away, and no list of processes shows a secret.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from .leftovers import threads_of_own_user
from .sandboxes import BORROWED, OBJECTS, SYSTEM_PATH, WORKSPACE, Isolation, Kind, Limits, Network, Sandbox

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store")
_CONFIGURATION = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "group", "java", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "localtime", "magic", "mime.types", "nsswitch.conf", "passwd", "pki", "protocols", "services",
    "ssl", "timezone",
)  # fmt: skip
_FOR_NAMES = ("hosts", "resolv.conf")
_WITH_VARIABLES = '. /proc/self/fd/0 && exec "$@" </dev/null'
PROXY_PORT = 3128

_LISTEN = """
import os, socket, sys
channel = socket.socket(fileno=int(sys.argv[1]))
with socket.create_server(("127.0.0.1", int(sys.argv[2]))) as listener:
    socket.send_fds(channel, [b"."], [listener.fileno()])
channel.close()
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Opens the proxy's port in the step's own network and hands it to the worker, who answers it from outside."""


def command_line(isolation: Isolation, sandbox: Sandbox, limits: Limits, *, proxy: int | None = None) -> list[str]:
    """The command that runs the sandbox's script; `proxy` is the descriptor that the proxy's port is handed out by."""
    if isolation.kind is Kind.BUBBLEWRAP:
        inside = [*_as_user(sandbox.user), *_limited(limits, limits.processes), *_shell("/octobatch/step")]
        return [*_bubblewrap(sandbox), *(_listening(proxy) if proxy is not None else []), *inside]
    processes = limits.processes + (threads_of_own_user() if sandbox.user is None else 0)
    place = [_program("env"), "-i", "-C", str(sandbox.tree / sandbox.folder), f"PATH={SYSTEM_PATH}"]
    return [*_as_user(sandbox.user), *place, *_limited(limits, processes), *_shell(str(sandbox.script))]


@contextmanager
def variables(env: Mapping[str, str]) -> Iterator[int]:
    """The standard input that gives a command its environment: in memory alone. Raises `ValueError` for a NUL."""
    text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in env.items())
    if "\0" in text:
        raise ValueError("an environment variable has a NUL in it")
    descriptor = os.memfd_create("variables")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(text.encode())
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def _bubblewrap(sandbox: Sandbox) -> list[str]:
    command = [_program("bwrap"), "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"]
    if sandbox.network is not Network.SHARED:
        command += ["--unshare-net"]
    if sandbox.user is None:
        command += ["--unshare-user", "--disable-userns"]
    else:  # root stays root until setpriv, inside, takes everything from the step
        command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
    command += ["--die-with-parent", "--new-session", "--clearenv", "--setenv", "PATH", SYSTEM_PATH]
    command += ["--hostname", "octobatch", "--tmpfs", "/", "--proc", "/proc", "--dev", "/dev"]
    for folder in ("/etc", "/home", "/octobatch", "/nix"):
        command += ["--perms", "0755", "--dir", folder]
    for path in _SYSTEM:
        if Path(path).is_symlink():
            command += ["--symlink", str(Path(path).readlink()), path]
        else:
            command += ["--ro-bind-try", path, path]
    for name in (*_CONFIGURATION, *(_FOR_NAMES if sandbox.network is Network.SHARED else ())):
        command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    if sandbox.network is Network.PROXY:
        command += ["--ro-bind", sys.base_prefix, sys.base_prefix]
    command += ["--bind", str(sandbox.temporary), "/tmp", "--bind", str(sandbox.home), "/home/step"]  # noqa: S108
    command += ["--ro-bind", str(sandbox.script), "/octobatch/step", "--ro-bind", str(sandbox.objects)]
    command += [OBJECTS, "--bind", str(sandbox.tree), WORKSPACE]
    if sandbox.borrowed:
        command += ["--ro-bind", str(sandbox.borrowed), BORROWED]
    for path in sandbox.read_only:
        command += ["--ro-bind", str(sandbox.tree / path), f"{WORKSPACE}/{path}"]
    return [*command, "--remount-ro", "/", "--chdir", f"{WORKSPACE}/{sandbox.folder}".rstrip("/"), "--"]


def _listening(channel: int) -> list[str]:
    python = os.path.realpath(sys.executable)
    return [python, "-I", "-S", "-c", _LISTEN, str(channel), str(PROXY_PORT)]


def _as_user(user: int | None) -> list[str]:
    """From root to the step's user, with no way back."""
    if user is None:
        return []
    take = ["--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    return [_program("setpriv"), f"--reuid={user}", f"--regid={user}", *take, "--"]


def _limited(limits: Limits, processes: int) -> list[str]:
    """The limits. The kernel counts processes by user and user namespace: inside bubblewrap only the step's."""
    return [
        _program("prlimit"),
        f"--cpu={limits.cpu_seconds}",
        f"--data={limits.memory_bytes}",
        f"--fsize={limits.file_bytes}",
        f"--nofile={limits.open_files}",
        f"--nproc={processes}",
        "--core=0",
        "--",
    ]


def _shell(script: str) -> list[str]:
    """A plain shell that takes in the variables, and the shell that runs the script with them."""
    shell = "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"
    return ["/bin/sh", "-c", _WITH_VARIABLES, "sh", shell, script]


@lru_cache(maxsize=16)
def _program(name: str) -> str:
    """Where a program of the system is: never where the spec's PATH says."""
    return shutil.which(name, path=SYSTEM_PATH) or f"/usr/bin/{name}"
