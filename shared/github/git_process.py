"""git over HTTPS: shallow working copies, trees, patches and pushes.

Every call runs with an environment of its own: no configuration of the system or the user, no hooks, no prompts, only
HTTP(S), and a time limit. The token is in that environment alone (as an `http.extraHeader` for GitHub's address): never
in arguments, URLs or files, and so never in a working copy.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import urlsplit

from ..errors import OctobatchError
from .git_failures import failure_of
from .network import Network

LOCAL_TIMEOUT_SECONDS = 120.0
TRANSFER_TIMEOUT_SECONDS = 600.0
MAX_OUTPUT_BYTES = 128 * 1024 * 1024
"""Most that git may answer; a change whose contents, patch or diff are larger is refused."""

_CONFIG = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.quotePath": "false",
    "core.autocrlf": "false",
    "core.untrackedCache": "false",
    "credential.helper": "",
    "diff.ignoreSubmodules": "all",
    "submodule.recurse": "false",
    "fetch.unpackLimit": "1",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "init.defaultBranch": "main",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "advice.detachedHead": "false",
    "commit.gpgSign": "false",
    "protocol.version": "2",
}
_PASSED_ON = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "GIT_SSL_CAINFO",
)


class GitFailed(OctobatchError):
    """git ended with an error that is not GitHub's doing; the message is git's own."""


@dataclass(frozen=True)
class Repository:
    """A git folder, with a working tree or without; the two never stand in one another.

    `borrowed` is a folder of objects that are read as if they were its own.
    """

    git_folder: Path
    tree: Path | None = None
    borrowed: Path | None = None

    async def git(
        self,
        *arguments: str,
        input: bytes | None = None,  # noqa: A002
        env: Mapping[str, str] | None = None,
        timeout_seconds: float = LOCAL_TIMEOUT_SECONDS,
    ) -> bytes:
        """What git writes to its output; raises `GitFailed`."""
        where = {"GIT_DIR": str(self.git_folder)}
        if self.tree:
            where["GIT_WORK_TREE"] = str(self.tree)
        if self.borrowed:
            where["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = str(self.borrowed)
        return await run_git(arguments, env={**where, **(env or {})}, input=input, timeout_seconds=timeout_seconds)


async def create_repository(git_folder: Path, tree: Path | None = None) -> Repository:
    """An empty repository in `git_folder`, which must not exist, for the working tree `tree`."""
    await asyncio.to_thread(_lay_out, git_folder)
    return Repository(git_folder, tree)


def _lay_out(git_folder: Path) -> None:
    for folder in ("objects", "objects/info", "objects/pack", "refs/heads", "info"):
        (git_folder / folder).mkdir(parents=True)
        (git_folder / folder).chmod(0o755)
    (git_folder / "HEAD").write_text("ref: refs/heads/octobatch\n")
    # Objects are lent to steps that run as another user: readable, whatever this process's umask.
    (git_folder / "config").write_text(
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tsharedRepository = 0644\n"
    )


async def fetch_commit(
    repository: Repository,
    *,
    clone_url: str,
    token: str,
    oid: str,
    network: Network,
    keep_as: str | None = None,
    timeout_seconds: float = TRANSFER_TIMEOUT_SECONDS,
) -> None:
    """Fetches one commit with its files and no history, and keeps it under a ref where one is given.

    Files of commits that refs point to are not sent again. Raises the errors of `failure_of`.
    """
    wanted = f"{oid}:{keep_as}" if keep_as else oid
    await _transfer(
        repository,
        ["fetch", "--quiet", "--no-tags", "--depth=1", "--no-write-fetch-head", clone_url, wanted],
        clone_url=clone_url,
        token=token,
        network=network,
        timeout_seconds=timeout_seconds,
    )


async def check_out(repository: Repository, oid: str) -> None:
    """Puts the files of a commit into the working tree."""
    (repository.git_folder / "HEAD").write_text(f"{oid}\n")
    await repository.git("read-tree", "-u", "--reset", oid)


async def push_commit(
    repository: Repository,
    *,
    clone_url: str,
    token: str,
    oid: str,
    branch: str,
    expected_oid: str | None,
    network: Network,
) -> None:
    """Pushes a commit to a branch that stands at `expected_oid` (None: does not exist), or at the commit already.

    Raises `Conflict` where the branch stands elsewhere, `GitHubForbidden` where it is protected, and GitHub's errors.
    """
    ref = f"refs/heads/{branch}"
    await _transfer(
        repository,
        ["push", "--porcelain", f"--force-with-lease={ref}:{expected_oid or ''}", clone_url, f"{oid}:{ref}"],
        clone_url=clone_url,
        token=token,
        network=network,
        timeout_seconds=TRANSFER_TIMEOUT_SECONDS,
    )


async def _transfer(
    repository: Repository,
    arguments: Sequence[str],
    *,
    clone_url: str,
    token: str,
    network: Network,
    timeout_seconds: float,
) -> None:
    address = urlsplit(clone_url)
    credentials = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    header = {f"http.{address.scheme}://{address.netloc}/.extraHeader": f"Authorization: Basic {credentials}"}
    config = {**_CONFIG, **network.git_config(clone_url), **header}
    env = {**network.git_environment(), **_config_env(config)}
    try:
        await repository.git(*arguments, env=env, timeout_seconds=timeout_seconds)
    except GitFailed as error:
        raise failure_of(str(error)) from None


async def run_git(
    arguments: Sequence[str],
    *,
    env: Mapping[str, str],
    input: bytes | None = None,  # noqa: A002
    timeout_seconds: float = LOCAL_TIMEOUT_SECONDS,
) -> bytes:
    """Runs git with nothing of this process's environment but PATH and proxies; raises `GitFailed`."""
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(input or b"")
        given.seek(0)
        # Files, not pipes: with pipes asyncio waits for whoever holds them, and for ever where nobody reads.
        process = await asyncio.create_subprocess_exec(
            "git",
            *arguments,
            stdin=given,
            stdout=out,
            stderr=err,
            env={**_environment(), **env},
            cwd=env.get("GIT_WORK_TREE") or env.get("GIT_DIR"),
            start_new_session=True,
        )
        try:
            await asyncio.wait_for(process.wait(), timeout_seconds)
        except TimeoutError:
            raise GitFailed(f"git {arguments[0]} took longer than {timeout_seconds:g} s") from None
        finally:
            await _end(process)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            said = (err.read() + (out.read() if arguments[0] == "push" else b"")).decode(errors="replace").strip()
            raise GitFailed(redact_url(said) or f"git {arguments[0]} ended with status {process.returncode}")
        if os.fstat(out.fileno()).st_size > MAX_OUTPUT_BYTES:
            raise GitFailed(f"git {arguments[0]} gave more than {MAX_OUTPUT_BYTES // 1024**2} MiB")
        return await asyncio.to_thread(out.read)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends the whole group of a process that was given up, so that none of its helpers stays."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def redact_url(text: str) -> str:
    """The text without credentials in its URLs."""
    return re.sub(r"(https?://)[^/\s@]*@", r"\1", text)


def _environment() -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **passed_on,
        "PATH": os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_ALLOW_PROTOCOL": "http:https",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        **_config_env(_CONFIG),
    }


def _config_env(config: Mapping[str, str]) -> dict[str, str]:
    pairs = list(enumerate(config.items()))
    return {
        "GIT_CONFIG_COUNT": str(len(pairs)),
        **{f"GIT_CONFIG_KEY_{i}": key for i, (key, _) in pairs},
        **{f"GIT_CONFIG_VALUE_{i}": value for i, (_, value) in pairs},
    }
