"""How a worker process starts and ends, what it answers, and what it owes arq."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest
from arq.worker import Worker as ArqWorker
from redis.asyncio import Redis

from sandbox.embedded.servers import free_port
from shared.domain.operation import Service
from shared.errors import Unavailable
from shared.postgres.pool import Pool
from shared.streams.commands import CommandStreams
from shared.streams.keys import ServiceKeys
from shared.streams.requests import Requests
from workers.harness import StreamWorker
from workers.relay import Relay


def test_arq_still_calls_the_poll_step_that_we_override() -> None:
    assert "await self._poll_iteration()" in inspect.getsource(ArqWorker.main)
    assert "_poll_iteration" in vars(StreamWorker)
    digest = hashlib.sha256(inspect.getsource(ArqWorker._poll_iteration).encode()).hexdigest()
    assert digest.startswith("f8d39d823a0a59f2"), "arq's poll step has changed: read it, and see what ours must do now"


async def test_arq_keeps_its_health_key_and_nothing_else(bench: Any) -> None:
    await bench.start()
    await bench.accept("write_effect", count=3)
    await bench.until(bench.all_finished)
    health = [key async for key in bench.redis.scan_iter(f"{ServiceKeys(Service.CAMPAIGNS).health}:*")]
    assert len(health) == 1
    assert [key async for key in bench.redis.scan_iter("arq:*")] == []


async def test_a_wrong_setting_stops_the_start_with_one_line(bench: Any) -> None:
    worker = bench.launch(worker_concurrency=0)
    assert await worker.exit_code() == 2
    [line] = worker.log.read_text().splitlines()
    assert "OCTOBATCH_WORKER_CONCURRENCY" in line


@pytest.mark.parametrize(
    ("setting", "address", "named"),
    [
        ("redis_url", "redis://:secretpassword@127.0.0.1:1/0", "Redis"),
        ("postgres_dsn", "postgresql://me:secretpassword@127.0.0.1:1/db", "Postgres"),
    ],
)
async def test_a_store_that_does_not_answer_ends_the_start_with_a_clear_line(
    bench: Any, setting: str, address: str, named: str
) -> None:
    worker = bench.launch(startup_wait_seconds=0.8, **{setting: address})
    assert await worker.exit_code() == 1
    assert worker.says("waiting_at_start")
    assert f"octobatch campaigns worker: {named} is not available" in worker.log.read_text().splitlines()[-1]
    assert not worker.says("secretpassword")


async def test_a_worker_that_starts_before_its_stores_waits_for_them(bench: Any, valkey: Any) -> None:
    valkey.stop()
    worker = bench.launch()
    await bench.until(lambda: worker.says("waiting_at_start"))
    valkey.start()
    await worker.ready()


def test_a_service_that_is_not_there_is_told_with_the_usage() -> None:
    done = subprocess.run([sys.executable, "-m", "workers", "dishes"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.strip() == "usage: python -m workers campaigns|selection|tokens"


async def test_metrics_tell_what_was_run_and_what_waits(bench: Any) -> None:
    port = free_port()
    await bench.start(health_port=port)
    await bench.accept("write_effect", count=3)
    await bench.until(bench.all_finished)
    async with httpx.AsyncClient() as client:
        metrics = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    assert 'octobatch_command_duration_seconds_count{outcome="done",service="campaigns",type="write_effect"}' in metrics
    assert 'octobatch_command_attempts_count{outcome="done",service="campaigns"}' in metrics
    for name in ("lag", "pending", "delayed", "due", "held", "acknowledged"):
        assert f'octobatch_stream_{name}_messages{{service="campaigns"}}' in metrics
    assert 'octobatch_stream_consumers{service="campaigns"}' in metrics


async def test_a_port_in_use_stops_the_start_with_one_line(bench: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        worker = bench.launch(health_port=taken.getsockname()[1])
        assert await worker.exit_code() == 2
    assert "OCTOBATCH_HEALTH_PORT" in worker.log.read_text().splitlines()[-1]


async def test_an_idle_worker_stops_quickly(bench: Any) -> None:
    worker = await bench.start()
    started = time.monotonic()
    worker.signal(signal.SIGTERM)
    assert await worker.exit_code() == 0
    assert time.monotonic() - started < 2


async def test_many_requests_at_once_are_answered_over_one_connection(bench: Any) -> None:
    await bench.start(service="tokens", worker_concurrency=50)
    requests = Requests(bench.redis)
    answers = await asyncio.gather(
        *(requests.ask(Service.TOKENS, "echo", {"text": str(number)}) for number in range(500))
    )
    assert answers == [{"echo": str(number)} for number in range(500)]
    blocked = [c for c in await bench.redis.client_list() if c["cmd"] == "blmpop" and "b" in c["flags"]]
    assert blocked == []


async def test_a_request_nobody_answers_in_time_is_unavailable(redis: Redis) -> None:
    with pytest.raises(Unavailable, match=r"no answer within 0\.2 s"):
        await Requests(redis).ask(Service.TOKENS, "echo", {"text": "?"}, timeout_seconds=0.2)


async def test_a_request_whose_asker_has_gone_is_not_run(bench: Any) -> None:
    requests = Requests(bench.redis)
    with pytest.raises(Unavailable):
        await requests.ask(Service.TOKENS, "echo", {"text": "late"}, timeout_seconds=0.1)
    await bench.start(service="tokens")
    assert await requests.ask(Service.TOKENS, "echo", {"text": "now"}) == {"echo": "now"}
    assert [key async for key in bench.redis.scan_iter("*replies*")] == []


async def test_an_error_of_a_requests_handler_is_its_answer(bench: Any) -> None:
    await bench.start(service="tokens")
    answer = await Requests(bench.redis).ask(Service.TOKENS, "refuse", {})
    assert answer == {"error": {"type": "InvalidInput", "message": "this can never work"}}


async def test_the_relay_appends_each_command_once_however_often_it_runs(bench: Any, pool: Pool, redis: Redis) -> None:
    await bench.accept("write_effect", count=30, append=False)
    relays = [Relay(service=Service.CAMPAIGNS, pool=pool, redis=redis, patience_seconds=0) for _ in range(3)]
    appended = await asyncio.gather(*(relay.append_unconfirmed() for relay in relays))
    appended += await asyncio.gather(*(relay.reconcile() for relay in relays))
    assert sum(appended) == 30
    assert (await CommandStreams(redis).depth(Service.CAMPAIGNS)).undelivered == 30


async def test_reconciling_restores_what_redis_forgot_and_only_that(bench: Any, pool: Pool, redis: Redis) -> None:
    keys = ServiceKeys(Service.CAMPAIGNS)
    operations = await bench.accept("write_effect", count=2500)
    relay = Relay(service=Service.CAMPAIGNS, pool=pool, redis=redis, patience_seconds=0)
    assert await relay.reconcile() == 0
    await redis.srem(keys.open, *(str(operation.id) for operation in operations[:700]))
    assert await relay.reconcile() == 700
    assert (await CommandStreams(redis).depth(Service.CAMPAIGNS)).undelivered == 3200
