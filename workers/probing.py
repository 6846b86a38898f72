"""The probes of a worker process over HTTP: /livez, /readyz, /healthz and /metrics, all on one port.

It is served by the loop that does the work: a loop that stands still gives no answer, and that is what /livez is for.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.errors import InvalidSettings
from shared.observability.health import Check, Probes, Unhealthy
from shared.settings import WorkerSettings


async def _has_not_begun() -> str:
    raise Unhealthy("it is starting: it waits for Postgres, Redis, or what else its work begins with")


class ProcessHealth:
    """What the probes are answered from: `probes` is replaced when the process gets further."""

    def __init__(self) -> None:
        self.probes = Probes(ready=[Check("start", _has_not_begun)])


@asynccontextmanager
async def answer_probes(health: ProcessHealth, settings: WorkerSettings) -> AsyncIterator[None]:
    """Answers until the end, unless `health_port` is 0; raises `InvalidSettings` where it cannot be listened on."""
    if not settings.health_port:
        yield
        return
    with _listening(settings.health_host, settings.health_port) as listener:
        config = uvicorn.Config(
            _application(health),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield
        finally:
            server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    """Leaves the process its signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise InvalidSettings(f"OCTOBATCH_HEALTH_PORT: {port} cannot be listened on: {error.strerror}") from error


def _application(health: ProcessHealth) -> Starlette:
    async def livez(_: Request) -> Response:
        return JSONResponse({"alive": True})

    async def readyz(_: Request) -> Response:
        report = await health.probes.readiness()
        return JSONResponse(report.shown("ready"), 200 if report.is_healthy else 503)

    async def healthz(_: Request) -> Response:
        report = await health.probes.health()
        return JSONResponse(report.shown("healthy"), 200 if report.is_healthy else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route(f"/{each.__name__}", each) for each in (livez, readyz, healthz, metrics)])
