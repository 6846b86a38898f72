"""Running Jobs: the API server, the archives in the blob store, and what comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from shared.blobs.store import BlobStore
from shared.errors import NotFound
from shared.settings import CampaignsSettings

from ..steps.commands import Captured, CommandFailed, CommandResult
from .kubernetes_jobs import GRACE, StepJob, how_it_ended, job_manifest, secret_manifest, why_it_cannot_start
from .sandboxes import Limits, Sandbox
from .step_archives import Returned, pack, unpack
from .working_copy import Place

ASK_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
"""How long a container may say that its image cannot be pulled."""


@dataclass(frozen=True, kw_only=True)
class Kubernetes:
    """A namespace of a cluster, spoken to with the service account of this pod."""

    http: httpx.AsyncClient
    credentials: Path
    namespace: str
    transfer_image: str
    blobs: BlobStore
    grace: timedelta = GRACE

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: CampaignsSettings, blobs: BlobStore) -> AsyncIterator[Kubernetes | None]:
        """The cluster that the settings name; None where steps run on this machine alone."""
        if settings.run_steps_mode != "kubernetes":
            yield None
            return
        folder = settings.kubernetes_credentials_dir
        authority = folder / "ca.crt"
        verify = str(authority) if authority.exists() else True
        async with httpx.AsyncClient(
            base_url=settings.kubernetes_api, verify=verify, timeout=30, trust_env=False
        ) as http:
            namespace = settings.kubernetes_namespace or (folder / "namespace").read_text().strip()
            yield cls(
                http=http,
                credentials=folder,
                namespace=namespace,
                transfer_image=settings.kubernetes_transfer_image,
                blobs=blobs,
            )

    async def run(
        self,
        image: str,
        place: Place,
        sandbox: Sandbox,
        *,
        env: Mapping[str, str],
        secrets: Mapping[str, str],
        time_limit: timedelta,
        limits: Limits,
    ) -> CommandResult:
        """Runs a step in a container on the sandbox's tree. Raises `CommandFailed` where it cannot be run or read."""
        started = time.monotonic()
        name = f"octobatch-step-{uuid4().hex[:16]}"
        given, left = f"steps/{name}/in.tar.gz", f"steps/{name}/out.tar.gz"
        archive = sandbox.tree.parent / "archive"
        try:
            await asyncio.to_thread(pack, sandbox.tree, place.script, archive)
            await self.blobs.put(given, await asyncio.to_thread(archive.read_bytes), media_type="application/gzip")
            seconds = int(time_limit.total_seconds()) + 900
            fetch_from = await self.blobs.address(given, file_name="in.tar.gz", seconds=seconds)
            return_to = await self.blobs.upload_address(left, seconds=seconds)
            if fetch_from is None or return_to is None:
                raise CommandFailed("container: needs a blob store with addresses of its own: S3")
            job = StepJob(
                name=name,
                image=image,
                transfer_image=self.transfer_image,
                fetch_from=fetch_from,
                return_to=return_to,
                time_limit=time_limit,
                folder=place.folder,
                env=env,
                secrets=secrets,
                network=place.network != "none",
                grace=self.grace,
            )
            ended = await self._run(job, limits)
            if ended:
                return _result(None, limits, ended=ended, seconds=time.monotonic() - started)
            archive.write_bytes(await self.blobs.get(left))
            returned = await asyncio.to_thread(unpack, archive, sandbox.tree, limits)
            return _result(returned, limits, seconds=time.monotonic() - started)
        except NotFound:
            raise CommandFailed("the container left nothing") from None
        finally:
            archive.unlink(missing_ok=True)
            await asyncio.shield(asyncio.gather(self.blobs.delete(given), self.blobs.delete(left)))

    async def _run(self, job: StepJob, limits: Limits) -> str:
        """Makes a Job and waits for its end; why it failed, empty where it went well."""
        jobs = f"/apis/batch/v1/namespaces/{self.namespace}/jobs"
        try:
            made = await self._ask("POST", jobs, job_manifest(job, limits))
            if job.secrets:
                secret = secret_manifest(job, made["metadata"]["uid"])
                await self._ask("POST", f"/api/v1/namespaces/{self.namespace}/secrets", secret)
            return await self._end_of(job)
        finally:
            with suppress(CommandFailed):
                await asyncio.shield(self._ask("DELETE", f"{jobs}/{job.name}?propagationPolicy=Background"))

    async def _end_of(self, job: StepJob) -> str:
        stuck_since: float | None = None
        while True:
            found = await self._ask("GET", f"/apis/batch/v1/namespaces/{self.namespace}/jobs/{job.name}")
            ended = how_it_ended(found)
            if ended is not None:
                if "DeadlineExceeded" in ended:
                    return f"took longer than {job.time_limit.total_seconds():g} s and was ended"
                return f"its container did not end well: {ended}" if ended else ""
            pods = await self._ask(
                "GET", f"/api/v1/namespaces/{self.namespace}/pods?labelSelector=job-name%3D{job.name}"
            )
            why = why_it_cannot_start(pods)
            stuck_since = (stuck_since or time.monotonic()) if why else None
            if why and stuck_since and (time.monotonic() - stuck_since > PATIENCE_SECONDS or "InvalidImageName" in why):
                return f"its container cannot be started: {why}"
            await asyncio.sleep(ASK_SECONDS)

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        token = self.credentials / "token"  # read each time: the kubelet renews it
        headers = {"Authorization": f"Bearer {token.read_text().strip()}"} if token.exists() else {}
        try:
            answer = await self.http.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise CommandFailed(f"the Kubernetes API does not answer: {error or type(error).__name__}") from None
        if answer.is_error:
            message = answer.json().get("message") if "json" in answer.headers.get("content-type", "") else answer.text
            raise CommandFailed(f"the Kubernetes API refuses {method} {path.partition('?')[0]}: {message}")
        return answer.json()


def _result(returned: Returned | None, limits: Limits, *, seconds: float, ended: str = "") -> CommandResult:
    stdout, stderr = (returned.stdout, returned.stderr) if returned else ((b"", 0), (b"", 0))
    full = asyncio.Event()
    return CommandResult(
        status=returned.status if returned else None,
        stdout=Captured(limits.output_bytes, full, bytearray(stdout[0]), stdout[1]),
        stderr=Captured(limits.output_bytes, full, bytearray(stderr[0]), stderr[1]),
        seconds=seconds,
        ended=ended,
    )
