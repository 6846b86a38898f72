"""Event streams through nginx: each message as it happens, and a clean end."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import httpx_sse
import pytest
import uvicorn
from fastapi import FastAPI
from redis.asyncio import Redis

from sandbox.embedded.servers import free_port
from shared.postgres.pool import Pool
from tests.integration.gateway.test_events import Browser, make_world

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{gateway_port};
      {settings}
    }}
  }}
}}
"""
DOCUMENTED = "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_buffering off; proxy_read_timeout 1h;"


@pytest.fixture
async def gateway_port(app: FastAPI) -> AsyncIterator[int]:
    """The gateway, over a socket."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield port
    server.should_exit = True
    await serving


@pytest.fixture(params=["", DOCUMENTED], ids=["as it is", "as documented"])
async def proxy(request: pytest.FixtureRequest, gateway_port: int, tmp_path: Path) -> AsyncIterator[str]:
    """The address of an nginx before the gateway."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("nginx comes in no wheel; with Debian's nginx installed, this runs")
    port = free_port()
    configuration = tmp_path / "nginx.conf"
    settings = {"folder": tmp_path, "port": port, "gateway_port": gateway_port, "settings": request.param}
    configuration.write_text(CONFIGURATION.format(**settings))
    process = await asyncio.create_subprocess_exec(nginx, "-p", tmp_path, "-e", "error.log", "-c", configuration)
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient() as client:
        while True:
            try:
                await client.get(f"{url}/livez")
                break
            except httpx.ConnectError:
                assert process.returncode is None
                await asyncio.sleep(0.02)
    yield url
    process.terminate()
    await process.wait()


async def test_each_message_comes_through_nginx_as_it_happens(
    proxy: str, api_key: str, pool: Pool, redis: Redis
) -> None:
    world, browser = await make_world(pool, redis), Browser()
    headers = {"Authorization": f"Bearer {api_key}"}
    names: list[str] = []
    async with (
        httpx.AsyncClient(headers=headers, timeout=10) as client,
        httpx_sse.aconnect_sse(client, "GET", f"{proxy}/v1/runs/{world.run_id}/events") as source,
    ):
        async for event in source.aiter_sse():
            names.append(event.event)
            browser.last_event_id = event.id
            if len(names) < 6:  # the next one happens when the one before has arrived
                await world.move(sorted(world.states)[:1])
            else:
                break
    assert names[0] == "snapshot"
    assert len(names) == 6
    await world.end()
    back = headers | {"Last-Event-ID": browser.last_event_id}
    async with httpx.AsyncClient(headers=back, timeout=10) as client:
        rest = (await client.get(f"{proxy}/v1/runs/{world.run_id}/events")).text
    assert [line for line in rest.splitlines() if line.startswith("event: ")] == ["event: run.completed", "event: end"]
