"""What becomes of a command: done, retried, deferred, given up."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from shared.domain.operation import Service
from shared.streams.commands import CommandStreams
from shared.streams.keys import ServiceKeys

KEYS = ServiceKeys(Service.CAMPAIGNS)


async def test_a_handler_completes_its_operation_with_its_effect(bench: Any) -> None:
    await bench.start()
    await bench.accept("write_effect", count=200)
    await bench.until(bench.all_finished)
    assert await bench.states() == {"succeeded": 200}
    assert await bench.pool.fetchval("SELECT count(DISTINCT operation_id) FROM effects") == 200
    assert await bench.count("effects") == 200


async def test_a_handler_that_has_nothing_to_do_leaves_completing_to_the_runtime(bench: Any) -> None:
    await bench.start()
    await bench.accept("do_nothing", count=50)
    await bench.until(bench.all_finished)
    assert await bench.states() == {"succeeded": 50}


async def test_nothing_is_left_in_redis_of_what_is_finished(bench: Any) -> None:
    await bench.start()
    await bench.accept("write_effect", count=20)

    async def is_empty() -> bool:
        depth = await CommandStreams(bench.redis).depth(Service.CAMPAIGNS)
        return not (depth.undelivered or depth.pending or depth.delayed or await bench.redis.scard(KEYS.open))

    await bench.until(bench.all_finished)
    await bench.until(is_empty)


async def test_an_unforeseen_error_is_tried_again_after_its_backoff(bench: Any) -> None:
    await bench.start()
    [operation] = await bench.accept("fail_until", attempt=2)
    await bench.until(bench.all_finished)
    assert await bench.states() == {"succeeded": 1}
    first, second = await bench.pool.fetch(
        "SELECT DISTINCT ON (attempt) attempt, at FROM handler_runs ORDER BY attempt, at"
    )
    assert (first["attempt"], second["attempt"]) == (1, 2)
    waited = (second["at"] - first["at"]).total_seconds()
    assert 0.8 <= waited <= 1.2 + 0.7  # the first backoff with its jitter, and a tick
    assert await bench.pool.fetchval("SELECT attempts FROM operations WHERE id = $1", operation.id) == 1


async def test_a_deferred_command_comes_back_on_time_and_spends_no_attempt(bench: Any) -> None:
    await bench.start()
    await bench.accept("wait_once", seconds=1.5)
    await bench.until(bench.all_finished)
    first, second = await bench.pool.fetch("SELECT attempt, at FROM handler_runs ORDER BY at")
    assert (first["attempt"], second["attempt"]) == (1, 1)
    assert 1.5 <= (second["at"] - first["at"]).total_seconds() <= 1.5 + 0.7
    assert await bench.pool.fetchval("SELECT attempts FROM operations") == 0


async def test_what_cannot_work_fails_at_once_and_everywhere(bench: Any) -> None:
    await bench.start()
    [operation] = await bench.accept("refuse")
    await bench.until(bench.all_finished)
    row = await bench.pool.fetchrow("SELECT state, error, finished_at FROM operations WHERE id = $1", operation.id)
    assert (row["state"], row["error"]) == ("failed", "this can never work")
    assert row["finished_at"] is not None
    assert await bench.pool.fetchval("SELECT error FROM failures WHERE operation_id = $1", operation.id)
    assert await bench.count("handler_runs") == 1

    async def is_dead_letter() -> bool:
        return bool(await bench.redis.xlen(KEYS.dead_letters))

    await bench.until(is_dead_letter)
    [(_, fields)] = await bench.redis.xrange(KEYS.dead_letters)
    assert fields[b"error"] == b"this can never work"
    assert str(operation.id).encode() in fields[b"command"]


async def test_a_command_is_given_up_after_its_attempts_and_its_error_shows_no_secret(bench: Any) -> None:
    worker = await bench.start(command_max_attempts=2)
    await bench.accept("fail_until", attempt=99)
    await bench.until(bench.all_finished)
    row = await bench.pool.fetchrow("SELECT state, attempts, error FROM operations")
    assert (row["state"], row["attempts"]) == ("failed", 2)
    assert row["error"] == "RuntimeError: not yet, with [redacted] in the text"
    assert not worker.says("SECRETTOKEN")


async def test_an_error_without_end_is_kept_in_part(bench: Any) -> None:
    await bench.start()
    await bench.accept("refuse", why="long " * 10_000)
    await bench.until(bench.all_finished)
    kept = await bench.pool.fetchval("SELECT max(length(error)) FROM operations")
    assert kept == 4000


async def test_an_unknown_command_fails_and_says_so(bench: Any) -> None:
    await bench.start()
    await bench.accept("no_such_command")
    await bench.until(bench.all_finished)
    assert "knows no command no_such_command" in await bench.pool.fetchval("SELECT error FROM operations")


async def test_a_handler_that_takes_too_long_is_cancelled(bench: Any) -> None:
    await bench.start(command_timeout_seconds=0.3, command_max_attempts=1)
    await bench.accept("write_effect", seconds=30)
    await bench.until(bench.all_finished)
    assert "longer than 0.3 s" in await bench.pool.fetchval("SELECT error FROM operations")
    assert await bench.count("effects") == 0


async def test_a_command_longer_than_many_leases_runs_once(bench: Any) -> None:
    await bench.start(command_lease_seconds=0.4)
    await bench.start(command_lease_seconds=0.4)
    await bench.accept("write_effect", count=3, seconds=3)
    await bench.until(bench.all_finished)
    assert await bench.count("handler_runs") == 3
    assert await bench.count("effects") == 3


async def test_a_cancelled_operation_is_not_run(bench: Any) -> None:
    await bench.accept("write_effect", count=5)
    await bench.pool.execute("UPDATE operations SET state = 'cancelled'")
    await bench.start()
    [last] = await bench.accept("write_effect")
    await bench.until(bench.all_finished)
    assert [row["operation_id"] for row in await bench.pool.fetch("SELECT operation_id FROM handler_runs")] == [last.id]


async def test_a_periodic_job_runs_in_one_process_at_a_time(bench: Any) -> None:
    await bench.start()
    await bench.start()

    async def has_run() -> bool:
        return await bench.count("ticks") >= 5

    await bench.until(has_run)
    times = [row["at"] for row in await bench.pool.fetch("SELECT at FROM ticks ORDER BY at")]
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    assert min(gaps) >= 0.4
