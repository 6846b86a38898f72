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
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.errors import InvalidSettings

from .command_lines import command_line, variables
from .sandboxes import SYSTEM_PATH, Isolation, Kind, Limits, make_sandbox

_PR_SET_DUMPABLE = 4
_PLAIN = {"PATH": SYSTEM_PATH}


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
    if isolation.kind is Kind.BUBBLEWRAP and not shutil.which("bwrap", path=SYSTEM_PATH):
        return "bwrap is not installed"
    with TemporaryDirectory(prefix="trial-", dir=workspace) as folder:
        for name in ("tree", "git", "git/objects"):
            (Path(folder) / name).mkdir()
            (Path(folder) / name).chmod(0o755)
        sandbox = make_sandbox(Path(folder), isolation)
        sandbox.script.write_text("exit 0\n")
        sandbox.script.chmod(0o755)
        command = command_line(isolation, sandbox, Limits())
        try:
            with variables({}) as given:
                trial = subprocess.run(command, stdin=given, capture_output=True, timeout=20, check=False, env=_PLAIN)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        return trial.stderr.decode(errors="replace").strip() or "it fails" if trial.returncode else ""


def _hide_from_own_user() -> None:
    """Lets no process of the same user read this one's environment and memory (Linux: not dumpable)."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
