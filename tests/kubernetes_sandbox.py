"""An API server that takes Jobs as Kubernetes does, and runs their containers here, one after the other.

Each object is checked against Kubernetes's own schema. A container is a shell with the environment of the manifest;
what it mounts is a folder of this machine.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kubernetes_validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "cluster-token"
VERSION = "1.30"


@dataclass
class Cluster:
    """One namespace. `unpullable`: images that are not there."""

    folder: Path
    unpullable: tuple[str, ...] = ()
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    made: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, asyncio.Task[None]])
    _secret_made: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> Starlette:
        """The API server."""
        jobs, secrets = "/apis/batch/v1/namespaces/ns/jobs", "/api/v1/namespaces/ns/secrets"
        return Starlette(
            routes=[
                Route(jobs, self._make_job, methods=["POST"]),
                Route(f"{jobs}/{{name}}", self._show_job, methods=["GET"]),
                Route(f"{jobs}/{{name}}", self._delete_job, methods=["DELETE"]),
                Route(secrets, self._make_secret, methods=["POST"]),
                Route("/api/v1/namespaces/ns/pods", self._list_pods, methods=["GET"]),
            ]
        )

    async def _taken(self, request: Request) -> dict[str, Any] | Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"message": "Unauthorized"}, 401)
        body = await request.json()
        try:
            kubernetes_validate.validate(body, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            return JSONResponse({"message": error.message}, 422)
        self.made.append(body)
        return body

    async def _make_job(self, request: Request) -> Response:
        job = await self._taken(request)
        if isinstance(job, Response):
            return job
        name = job["metadata"]["name"]
        self.jobs[name] = {**job, "metadata": {**job["metadata"], "uid": f"uid-{name}"}, "status": {}}
        self._running[name] = asyncio.create_task(self._run(self.jobs[name]))
        return JSONResponse(self.jobs[name], 201)

    async def _make_secret(self, request: Request) -> Response:
        secret = await self._taken(request)
        if isinstance(secret, Response):
            return secret
        self.secrets[secret["metadata"]["name"]] = secret
        self._secret_made.set()
        return JSONResponse(secret, 201)

    async def _show_job(self, request: Request) -> Response:
        job = self.jobs.get(request.path_params["name"])
        return JSONResponse(job) if job else JSONResponse({"message": "jobs.batch not found"}, 404)

    async def _delete_job(self, request: Request) -> Response:
        name = request.path_params["name"]
        self._running.pop(name).cancel()
        self.jobs.pop(name)
        self.secrets.pop(name, None)  # its owner is gone
        return JSONResponse({"status": "Success"})

    async def _list_pods(self, request: Request) -> Response:
        name = request.query_params["labelSelector"].removeprefix("job-name=")
        spec = self.jobs[name]["spec"]["template"]["spec"]
        waiting = [
            {"image": each["image"], "state": {"waiting": {"reason": "InvalidImageName", "message": "no such image"}}}
            for each in spec["initContainers"]
            if each["image"] in self.unpullable
        ]
        return JSONResponse({"items": [{"status": {"initContainerStatuses": waiting}}]})

    async def _run(self, job: dict[str, Any]) -> None:
        spec = job["spec"]["template"]["spec"]
        volumes = self.folder / job["metadata"]["name"]
        for container in [*spec["initContainers"], *spec["containers"]]:
            if container["image"] in self.unpullable:
                await asyncio.Event().wait()
            try:
                async with asyncio.timeout(job["spec"]["activeDeadlineSeconds"]):
                    status = await self._run_container(container, volumes)
            except TimeoutError:
                return self._end(job, "Failed", "DeadlineExceeded")
            if status:
                return self._end(job, "Failed", "BackoffLimitExceeded")
        return self._end(job, "Complete", "")

    def _end(self, job: dict[str, Any], kind: str, reason: str) -> None:
        job["status"] = {"conditions": [{"type": kind, "status": "True", "reason": reason}]}

    async def _run_container(self, container: Mapping[str, Any], volumes: Path) -> int:
        env = {"PATH": "/usr/bin:/bin"} | {each["name"]: each["value"] for each in container["env"]}
        for reference in container.get("envFrom", ()):
            await self._secret_made.wait()
            env |= self.secrets[reference["secretRef"]["name"]]["stringData"]
        shell, option, script = container["command"]
        folders = {each["mountPath"]: volumes / each["name"] for each in container["volumeMounts"]}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        mounted = re.compile("|".join(map(re.escape, folders)))
        script = mounted.sub(lambda match: str(folders[match[0]]), script)
        process = await asyncio.create_subprocess_exec(shell, option, script, env=env, start_new_session=True)
        try:
            return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
