"""How long lists and counts take with a thousand, a hundred thousand and a million targets in Postgres.

`python -m bench lists` fills a database by SQL, in runs of a thousand targets and, from a hundred thousand on, one of
nearly a hundred thousand; asks a gateway in this process for each list and count; and writes
`bench/results/lists.md`: the fastest of 300 answers each, in milliseconds, so that what else the machine does is not
measured, and by how much the slowest size differs from the fastest. `--quick` leaves out the million.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import httpx
from pydantic import SecretStr
from redis.asyncio import Redis

import migrations
from bench.running import machine, written_by
from gateway.app import create_app
from sandbox.embedded.postgres import running_postgres
from sandbox.embedded.valkey import running_valkey
from shared.auth.api_keys import new_api_key
from shared.outbox import Outbox
from shared.postgres.pool import Pool, open_pool
from shared.settings import GatewaySettings
from tests.integration.campaigns.rows import Rows
from tests.integration.gateway.filling import fill

RESULTS = Path(__file__).parent / "results" / "lists.md"
SIZES = (1_000, 100_000, 1_000_000)
EACH, LARGE = 1_000, 100_000
ROUNDS = 300
LISTS = {
    "campaigns": "/v1/campaigns",
    "a campaign with its latest run and counts": "/v1/campaigns/notice?include=latest_run,counts",
    "runs": "/v1/runs",
    "a run with counts, warnings and outlook": "/v1/runs/{run}",
    "targets of a run": "/v1/runs/{run}/targets",
    "its failed targets": "/v1/runs/{run}/targets?state=failed",
    "targets by repository": "/v1/runs/{run}/targets?sort=repository",
    "targets, the last changed first": "/v1/runs/{run}/targets?sort=-updated",
    "a target with events and artifacts": "/v1/targets/{target}?include=events,artifacts",
    "counts of the largest run": "/v1/runs/{largest}?include=counts",
    "targets of the largest run": "/v1/runs/{largest}/targets",
}


def main(arguments: Sequence[str]) -> None:
    """Measures, and writes the results."""
    parser = argparse.ArgumentParser(prog="python -m bench lists", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without the million")
    given = parser.parse_args(arguments)
    sizes = SIZES[:-1] if given.quick else SIZES
    measured = asyncio.run(_measure(sizes))
    text = _report(measured, sizes)
    RESULTS.write_text(text)
    print(text)


async def _measure(sizes: Sequence[int]) -> dict[str, list[float]]:
    measured: dict[str, list[float]] = {name: [] for name in LISTS}
    with tempfile.TemporaryDirectory() as folder:
        blobs = Path(folder) / "blobs"
        blobs.mkdir()
        with (
            running_postgres(Path(folder) / "postgres", durable=False) as server,
            running_valkey(Path(folder) / "valkey") as valkey,
        ):
            await asyncio.to_thread(migrations.upgrade, server.dsn())
            api_key = new_api_key()
            settings = GatewaySettings(
                postgres_dsn=SecretStr(server.dsn()),
                redis_url=SecretStr(valkey.url),
                blobstore_url=blobs.as_uri(),
                api_key_pepper=SecretStr("p" * 32),
                bootstrap_api_key=SecretStr(api_key),
                rate_per_second=0,
            )
            async with open_pool(server.dsn(), size=2) as pool:
                for size in sizes:
                    known = await _fill_to(pool, size)
                    app = create_app(settings)
                    async with app.router.lifespan_context(app):
                        transport = httpx.ASGITransport(app)
                        headers = {"Authorization": f"Bearer {api_key}"}
                        async with httpx.AsyncClient(
                            transport=transport, base_url="http://gateway", headers=headers, timeout=60
                        ) as client:
                            for name, path in LISTS.items():
                                measured[name].append(await _fastest(client, path.format(**known)))
    return measured


async def _fill_to(pool: Pool, size: int) -> dict[str, UUID]:
    """Adds what is missing; the first run, the largest, and a target of the first."""
    rows = Rows(pool, Outbox(pool, Redis()))
    campaign_id = await pool.fetchval("SELECT id FROM campaigns") or await rows.campaign()
    there = await pool.fetchval("SELECT count(*) FROM targets")
    if size >= LARGE and there < LARGE:
        large = await rows.run(campaign_id, state="completed")
        async with pool.acquire() as conn:
            await fill(conn, [large], targets_each=LARGE - EACH)
        there += LARGE - EACH
    run_ids = [await rows.run(campaign_id, state="completed") for _ in range((size - there) // EACH)]
    for begin in range(0, len(run_ids), 100):
        async with pool.acquire() as conn:
            await fill(conn, list(run_ids[begin : begin + 100]), targets_each=EACH)
    await pool.execute("VACUUM ANALYZE", timeout=1800)
    run = await pool.fetchval("SELECT id FROM runs ORDER BY id LIMIT 1")
    largest = await pool.fetchval("SELECT run_id FROM target_counts GROUP BY run_id ORDER BY sum(n) DESC LIMIT 1")
    target = await pool.fetchval("SELECT id FROM targets WHERE run_id = $1 LIMIT 1", run)
    return {"run": run, "largest": largest, "target": target}


async def _fastest(client: httpx.AsyncClient, path: str) -> float:
    """Milliseconds."""
    took: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        (await client.get(path)).raise_for_status()
        took.append((time.perf_counter() - began) * 1000)
    return min(took)


def _report(measured: dict[str, list[float]], sizes: Sequence[int]) -> str:
    lines = [
        "# Lists and counts",
        "",
        written_by("lists"),
        "",
        machine(),
        "",
        f"The fastest of {ROUNDS} answers, in milliseconds.",
        "",
        f"| | {' | '.join(f'{size:,} targets' for size in sizes)} | slowest / fastest |",
        f"| --- |{' ---: |' * (len(sizes) + 1)}",
    ]
    for name, took in measured.items():
        lines.append(f"| {name} | {' | '.join(f'{each:.2f}' for each in took)} | {max(took) / min(took):.2f} |")
    return "\n".join(lines) + "\n"
