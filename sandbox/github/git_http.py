"""git over smart HTTP: `git clone`, `fetch` and `push` with a token as password, streamed both ways.

git's own `upload-pack` and `receive-pack` do the work. What a push moved is read from its request (the commands come
before the pack) and compared with the refs afterwards, so that pull requests follow and webhooks go out.
"""

from __future__ import annotations

import asyncio
import os
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from .access import Viewer
from .actions import branches
from .answers import finish, meet_faults
from .authentication import REQUIRED, authenticate, unauthorized
from .errors import Reason, Refused, not_found
from .git import refs
from .state import Repository
from .world import World

_READ, _WRITE = "git-upload-pack", "git-receive-pack"
_CHUNK = 65536
_NOTHING = "0" * 40
_PRE_RECEIVE = Path(__file__).parent / "hooks" / "pre-receive"
"""Refuses workflows pushed with a token that may not write them."""

_CHALLENGE = {"www-authenticate": 'Basic realm="GitHub"'}


class _Streamed(StreamingResponse):
    """An answer that is streamed while the request's body is still read.

    Starlette's own listens for the client's leaving meanwhile, and so takes the body that git should get.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Streams the answer, and reads nothing."""
        await self.stream_response(send)


class GitHTTP:
    """Serves the repositories of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._hooks = world.folder / "hooks"
        self._hooks.mkdir(exist_ok=True)
        hook = self._hooks / _PRE_RECEIVE.name
        hook.write_text(_PRE_RECEIVE.read_text())
        hook.chmod(0o755)  # a wheel keeps no such mode

    async def advertise(self, request: Request) -> Response:
        """GET /owner/name.git/info/refs?service=…"""
        service = request.query_params.get("service", "")
        faults = self._world.faults.take("git", request.method, request.url.path)
        response = await meet_faults(faults, "before")
        if response is None:
            try:
                repository, _ = self._open(request, service)
                response = await self._advertisement(request, repository, service)
            except Refused as refused:
                response = _refused(refused)
        return finish(self._world, response)

    async def exchange(self, request: Request) -> Response:
        """POST /owner/name.git/git-upload-pack or git-receive-pack"""
        service = request.url.path.rpartition("/")[2]
        faults = self._world.faults.take("git", request.method, request.url.path)
        response = await meet_faults(faults, "before")
        if response is None:
            try:
                repository, viewer = self._open(request, service)
            except Refused as refused:
                return finish(self._world, _refused(refused))
            self._world.counters.add("git fetch" if service == _READ else "git push")
            content = self._exchange(request, repository, viewer, service)
            response = _Streamed(
                content, media_type=f"application/x-{service}-result", headers={"cache-control": "no-cache"}
            )
        return finish(self._world, await meet_faults(faults, "after") or response)

    def _open(self, request: Request, service: str) -> tuple[Repository, Viewer]:
        """The repository, if the viewer may read or push; raises `Refused`."""
        if service not in {_READ, _WRITE}:
            raise Refused(Reason.FORBIDDEN, "Please upgrade your git client.")
        viewer = authenticate(self._world, request.headers.get("authorization"))
        if viewer.installation is None:
            raise unauthorized(REQUIRED)
        owner, name = request.path_params["owner"], request.path_params["name"].removesuffix(".git")
        repositories = self._world.state.repositories
        repository = repositories.by_name(owner, name) or repositories.by_former_name(owner, name)
        if repository is None or not viewer.sees(repository):
            raise not_found("Repository not found.")
        level = "read" if service == _READ else "write"
        public_read = level == "read" and not repository.private
        if not public_read and not (viewer.has(repository) and viewer.may("contents", level)):
            raise Refused(Reason.FORBIDDEN, "Write access to repository not granted.")
        if level == "write" and repository.archived:
            raise Refused(Reason.FORBIDDEN, "This repository was archived so it is read-only.")
        self._world.git.open(repository)
        return repository, viewer

    async def _advertisement(self, request: Request, repository: Repository, service: str) -> Response:
        process = await self._start(request, repository, service, "--http-backend-info-refs")
        out, _ = await process.communicate()
        line = f"# service={service}\n".encode()
        content = b"%04x%s0000" % (len(line) + 4, line) + out
        return Response(
            content, media_type=f"application/x-{service}-advertisement", headers={"cache-control": "no-cache"}
        )

    async def _exchange(
        self, request: Request, repository: Repository, viewer: Viewer, service: str
    ) -> AsyncIterator[bytes]:
        checked = service == _WRITE and not viewer.may("workflows", "write")
        process = await self._start(request, repository, service, hooks=checked)
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("git was started without pipes")
        commands = _Commands()
        feeding = asyncio.create_task(_feed(request, process.stdin, commands))
        try:
            while chunk := await process.stdout.read(_CHUNK):
                yield chunk
            await feeding
            await process.wait()
        finally:
            feeding.cancel()
            if process.returncode is None:
                process.kill()
                await process.wait()
            if service == _WRITE:
                self._pushed(repository, viewer, commands)

    def _pushed(self, repository: Repository, viewer: Viewer, commands: _Commands) -> None:
        repo = self._world.git.open(repository)
        for before, after, ref in commands.read():
            if refs.read(repo, ref) == after:
                branches.moved(self._world, viewer.account, repository, ref, before=before, after=after)

    async def _start(
        self,
        request: Request,
        repository: Repository,
        service: str,
        *options: str,
        hooks: bool = False,
    ) -> asyncio.subprocess.Process:
        variables = {"PATH": os.environ["PATH"], "HOME": str(self._world.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        # the folder may belong to another user than the one that runs this; on loopback looking for deltas costs
        # more than the bytes that they save
        settings = {"safe.directory": "*", "pack.window": "0", "pack.compression": "1", "pack.threads": "1"}
        variables |= _config(settings | ({"core.hooksPath": str(self._hooks)} if hooks else {}))
        if protocol := request.headers.get("git-protocol"):
            variables["GIT_PROTOCOL"] = protocol
        return await asyncio.create_subprocess_exec(
            "git",
            service.removeprefix("git-"),
            "--stateless-rpc",
            *options,
            str(self._world.git.path(repository)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=variables,
        )


class _Commands:
    """The beginning of a push: lines `old new ref` in git's packet format, up to the flush packet."""

    def __init__(self) -> None:
        self._buffer = b""
        self._complete = False

    def see(self, chunk: bytes) -> None:
        """Takes the next bytes of the request."""
        if not self._complete:
            self._buffer += chunk
            self._complete = self._end() is not None

    def read(self) -> list[tuple[str | None, str | None, str]]:
        """Before, after and name of each ref; None where it was made or deleted."""
        commands: list[tuple[str | None, str | None, str]] = []
        at = 0
        end = self._end() or 0
        while at < end:
            length = int(self._buffer[at : at + 4], 16)
            line = self._buffer[at + 4 : at + length].partition(b"\0")[0].decode(errors="replace").strip()
            words = line.split(" ", 2)
            if len(words) == 3 and len(words[0]) == 40:
                before, after = (None if oid == _NOTHING else oid for oid in words[:2])
                commands.append((before, after, words[2]))
            at += length
        return commands

    def _end(self) -> int | None:
        """Where the flush packet begins, if it came already."""
        at = 0
        while at + 4 <= len(self._buffer):
            try:
                length = int(self._buffer[at : at + 4], 16)
            except ValueError:
                return at
            if length == 0:
                return at
            at += max(4, length)
        return None


async def _feed(request: Request, stdin: asyncio.StreamWriter, commands: _Commands) -> None:
    """Passes the body on to git, unpacked where the client packed it."""
    inflate = zlib.decompressobj(31) if request.headers.get("content-encoding") == "gzip" else None
    try:
        async for received in request.stream():
            chunk = inflate.decompress(received) if inflate else received
            commands.see(chunk)
            stdin.write(chunk)
            await stdin.drain()
    except (BrokenPipeError, ConnectionResetError, ClientDisconnect):
        return  # git has read all it wants, or the client is gone
    finally:
        stdin.close()


def _config(settings: dict[str, str]) -> dict[str, str]:
    """git settings as environment variables."""
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def _refused(refused: Refused) -> Response:
    """git shows the text to the person."""
    status = {Reason.UNAUTHORIZED: 401, Reason.FORBIDDEN: 403}.get(refused.reason, 404)
    return PlainTextResponse(refused.message, status, _CHALLENGE if status == 401 else None)
