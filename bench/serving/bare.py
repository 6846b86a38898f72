"""The barest application that does something like the gateway's routes: no identity, no checks, no promises.

`python -m bench.serving.bare` serves it as the gateway is served.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from redis.asyncio import Redis

TABLE = "CREATE TABLE IF NOT EXISTS bare (id uuid PRIMARY KEY, body jsonb NOT NULL, at timestamptz DEFAULT now())"
BLOCK_MILLISECONDS = 1000


def create_app() -> FastAPI:
    """The application on the stores of its environment."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        dsn, redis_url = os.environ["OCTOBATCH_POSTGRES_DSN"], os.environ["OCTOBATCH_REDIS_URL"]
        async with asyncpg.create_pool(dsn, min_size=1, max_size=10) as pool, Redis.from_url(redis_url) as redis:
            await pool.execute(TABLE)
            app.state.pool, app.state.redis = pool, redis
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/submit", status_code=202)
    async def submit(body: dict[str, Any]) -> dict[str, str]:
        row_id, text = uuid4(), json.dumps(body)
        await app.state.pool.execute("INSERT INTO bare (id, body) VALUES ($1, $2)", row_id, text)
        await app.state.redis.xadd("bare", {"id": str(row_id), "body": text})
        return {"id": str(row_id)}

    @app.get("/runs/{run_id}")
    async def run(run_id: UUID) -> dict[str, Any]:
        row = await app.state.pool.fetchrow("SELECT id, state, created_at FROM runs WHERE id = $1", run_id)
        return dict(row)

    @app.get("/runs/{run_id}/events")
    async def events(run_id: UUID) -> StreamingResponse:
        return StreamingResponse(_read(app.state.redis, run_id), media_type="text/event-stream")

    return app


async def _read(redis: Redis, run_id: UUID) -> AsyncIterator[bytes]:
    """Each reader reads Redis itself, over a connection of its own."""
    key = f"octobatch:{{run:{run_id}}}:events"
    newest = await redis.xrevrange(key, count=1)
    position = newest[0][0] if newest else "0"
    yield b"event: snapshot\ndata: {}\n\n"
    while True:
        for _, entries in await redis.xread({key: position}, block=BLOCK_MILLISECONDS):
            for entry_id, fields in entries:
                position = entry_id
                yield b"id: %s\nevent: event\ndata: %s\n\n" % (entry_id, fields[b"event"])


if __name__ == "__main__":
    uvicorn.run(create_app(), port=int(os.environ["OCTOBATCH_GATEWAY_PORT"]), loop="uvloop", access_log=False)
