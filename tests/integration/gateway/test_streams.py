"""Operators at the API: what they see of the streams, what they do to them, and what is written down of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.domain.ids import RunId, new_id
from shared.domain.operation import NewOperation, Service
from shared.postgres.pool import Pool
from shared.streams import inspection
from tests.worker_bench import Bench, bench, tables

__all__ = ["bench", "tables"]

STREAM = "/v1/streams/campaigns"


async def act(client: httpx.AsyncClient, what: str, **body: object) -> dict[str, Any]:
    answer = await client.post(f"{STREAM}/{what}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def acts(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    return (await client.get("/v1/audit?part=acts")).json()["items"]


async def test_a_service_at_a_glance_and_in_detail(client: httpx.AsyncClient, bench: Bench) -> None:
    await bench.accept("write_effect", count=7)
    streams = {each["service"]: each for each in (await client.get("/v1/streams")).json()["items"]}
    assert set(streams) == {"campaigns", "selection", "tokens"}
    assert (streams["campaigns"]["undelivered"], streams["selection"]["undelivered"]) == (7, 0)
    await bench.start()
    await bench.until(bench.all_finished)
    details = (await client.get(STREAM)).json()
    assert (details["undelivered"], details["acknowledged"], details["consumers"]) == (0, 7, 1)
    assert (details["length"], details["trimmed"]) == (7, 0)
    assert details["groups"][0]["consumers"][0]["pending"] == 0


async def test_entries_are_shown_in_pages_and_followed(client: httpx.AsyncClient, bench: Bench) -> None:
    await bench.accept("write_effect", count=3, token="ghs_" + "x" * 36, text="hello")
    await bench.start()
    await bench.until(bench.all_finished)
    first = (await client.get(f"{STREAM}/entries", params={"limit": 2, "payload": True})).json()
    rest = (await client.get(f"{STREAM}/entries", params={"cursor": first["next_cursor"]})).json()
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (2, 1, None)
    assert first["items"][0]["payload"]["text"] == "hello"
    assert "ghs_" not in str(first)
    assert rest["items"][0]["payload"] is None
    last = rest["items"][0]["id"]
    assert (await client.get(f"{STREAM}/entries", params={"after": last})).json()["items"] == []
    latest = (await client.get(f"{STREAM}/entries", params={"latest": True, "limit": 1})).json()["items"]
    assert [each["id"] for each in latest] == [last]


async def test_what_a_worker_holds_is_pending(client: httpx.AsyncClient, bench: Bench) -> None:
    [operation] = await bench.accept("write_effect", seconds=30)
    await bench.start()
    await bench.until(lambda: bench.count("handler_runs"))
    [pending] = (await client.get(f"{STREAM}/pending")).json()["items"]
    assert (pending["operation_id"], pending["deliveries"]) == (str(operation.id), 1)
    assert pending["consumer"]


async def test_a_replay_of_what_is_finished_changes_nothing_and_a_forced_one_repeats_each_once(
    client: httpx.AsyncClient, bench: Bench, record_property: Callable[[str, object], None]
) -> None:
    count = 1000
    await bench.accept("write_effect", count=count)
    await bench.start()
    await bench.start()
    await bench.until(bench.all_finished, seconds=60)

    replayed = await act(client, "replay", all=True)
    assert (replayed["matched"], replayed["appended"], replayed["accepted"]) == (count, 0, 0)
    assert replayed["by_state"] == {"succeeded": count}
    await bench.assert_once_each(count)

    forced = {"all": True, "force_new": True, "replay_id": "again"}
    dry = await act(client, "replay", **forced, dry_run=True)
    assert (dry["accepted"], await bench.count("operations")) == (count, count)
    done = await act(client, "replay", **forced)
    assert done["accepted"] == count
    await bench.until(bench.all_finished, seconds=60)
    await bench.assert_once_each(2 * count)
    assert (await act(client, "replay", **forced))["accepted"] == 0  # the same replay, as after a lost answer
    await bench.assert_once_each(2 * count)

    again, first, without = await acts(client)
    assert [each["action"] for each in (again, first, without)] == ["streams.replay"] * 3
    assert first["actor"].startswith("key:")
    assert first["details"]["changed"]["accepted"] == count
    assert first["details"]["wanted"] == {"replay_id": "again"}
    record_property("fault 18", f"replay of {count:,} finished: 0 effects; forced, twice: exactly {count:,} more")


async def test_a_replay_appends_what_redis_has_lost(client: httpx.AsyncClient, bench: Bench) -> None:
    run = RunId(new_id())
    await bench.accept("write_effect", count=5, run_id=run)
    await bench.accept("write_effect", count=2)
    await bench.redis.flushall()
    assert (await act(client, "replay", run_id=str(run), dry_run=True))["appended"] == 5
    assert (await client.get(STREAM)).json()["undelivered"] == 0
    assert (await act(client, "replay", run_id=str(run)))["appended"] == 5
    assert (await act(client, "replay", run_id=str(run)))["appended"] == 0
    assert (await client.get(STREAM)).json()["undelivered"] == 5


async def test_a_range_of_entries_is_replayed_even_where_it_was_trimmed(
    client: httpx.AsyncClient, bench: Bench
) -> None:
    await bench.accept("write_effect", count=3)
    worker = await bench.start()
    await bench.until(bench.all_finished)
    await bench.accept("write_effect", count=4)
    await bench.until(bench.all_finished)
    await bench.until(lambda: _acknowledged(client, 7))  # what is finished is acknowledged a moment later
    worker.kill()
    entries = [each["id"] for each in (await client.get(f"{STREAM}/entries")).json()["items"]]
    part = {"first_entry": entries[3], "force_new": True, "dry_run": True}
    assert (await act(client, "replay", **part, replay_id="1"))["accepted"] == 4
    both = {"last_entry": entries[2], "force_new": True, "dry_run": True}
    assert (await act(client, "replay", **both, replay_id="2"))["accepted"] == 3
    assert (await act(client, "trim", before_entry=entries[6]))["trimmed"] == 6
    assert (await act(client, "replay", **part | {"first_entry": "0"}, replay_id="3"))["accepted"] == 7


async def test_dead_letters_are_shown_and_tried_again(client: httpx.AsyncClient, bench: Bench) -> None:
    await bench.accept("refuse", count=3, why="with ghs_" + "x" * 36)
    await bench.accept("unknown_command")
    await bench.start()
    await bench.until(bench.all_finished)
    await bench.until(lambda: _dead_letters(client, 4))
    letters = (await client.get(f"{STREAM}/dead-letters", params={"type": "refuse"})).json()["items"]
    assert len(letters) == 3
    assert all("ghs_" not in each["error"] and "with" in each["error"] for each in letters)

    dry = await act(client, "requeue", type="refuse", dry_run=True)
    assert (dry["matched"], dry["operations"], await bench.states()) == (3, 3, {"failed": 4})
    one = await act(client, "requeue", entry_id=letters[0]["id"])
    assert (one["matched"], one["operations"]) == (1, 1)
    await bench.until(bench.all_finished)
    await bench.until(lambda: _dead_letters(client, 4))  # it failed again
    assert await bench.count("handler_runs") == 4
    assert (await act(client, "requeue", type="refuse"))["operations"] == 3
    await bench.until(lambda: _dead_letters(client, 4))
    assert await bench.count("handler_runs") == 7

    purged = await act(client, "purge", dead_letters=True, type="unknown_command")
    assert (purged["operations"], await bench.states()) == (1, {"failed": 3, "cancelled": 1})
    [purge, requeue, single] = await acts(client)
    assert [each["action"] for each in (purge, requeue, single)] == [
        "streams.purge",
        "streams.requeue",
        "streams.requeue",
    ]
    assert single["details"]["wanted"] == {"entry_id": letters[0]["id"]}
    missing = await client.post(f"{STREAM}/requeue", json={"entry_id": letters[0]["id"]})
    assert missing.status_code == 404


async def _dead_letters(client: httpx.AsyncClient, count: int) -> bool:
    return (await client.get(STREAM)).json()["dead_letters"] == count


async def test_what_waits_is_cancelled_and_what_is_behind_it_goes_on(client: httpx.AsyncClient, bench: Bench) -> None:
    def command(name: str, key: str) -> NewOperation:
        return NewOperation(
            service=Service.CAMPAIGNS, type=name, payload={}, dedupe_key=str(uuid4()), actor="test", order_key=key
        )

    keys = [f"target:{number}" for number in range(20)]
    async with bench.outbox.transaction() as work:
        await work.accept(*(command("do_nothing", key) for key in keys))
        await work.accept(*(command("write_effect", key) for key in keys))
    dry = await act(client, "purge", type="do_nothing", dry_run=True)
    assert (dry["matched"], dry["by_type"]) == (20, {"do_nothing": 20})
    purged = await act(client, "purge", type="do_nothing")
    assert (purged["operations"], await bench.states()) == (20, {"accepted": 20, "cancelled": 20})
    await bench.start()
    await bench.until(bench.all_finished)
    assert await bench.states() == {"succeeded": 20, "cancelled": 20}
    assert await bench.count("effects") == 20
    [written] = await acts(client)
    assert written["details"]["changed"] == {"operations": 20, "requests": 0, "by_type": {"do_nothing": 20}}


async def test_trimming_keeps_what_is_not_finished_and_is_written_down(client: httpx.AsyncClient, bench: Bench) -> None:
    await bench.accept("write_effect", count=10)
    await bench.start()
    await bench.until(bench.all_finished)
    await bench.accept("write_effect", seconds=30)
    await bench.until(lambda: _is_pending(client))
    trimmed = await act(client, "trim", older_than_seconds=0)
    assert (trimmed["trimmed"], trimmed["length"], trimmed["held_by"]) == (10, 1, "workers")
    [written] = await acts(client)
    assert written["details"]["wanted"] == {"older_than_seconds": 0.0}
    assert written["details"]["changed"]["trimmed"] == 10


async def _is_pending(client: httpx.AsyncClient) -> bool:
    return bool((await client.get(STREAM)).json()["pending"])


async def test_the_audit_is_never_changed(client: httpx.AsyncClient, pool: Pool) -> None:
    await act(client, "trim", older_than_seconds=60)
    for statement in ("UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(Exception, match="audit"):
            await pool.execute(statement)
    assert len(await acts(client)) == 1


@pytest.mark.parametrize(
    ("what", "body", "said"),
    [
        ("replay", {}, "say which commands are meant"),
        ("requeue", {}, "say which commands are meant"),
        ("purge", {}, "say which commands are meant"),
        ("replay", {"all": True, "force_new": True}, "needs a `replay_id`"),
        ("replay", {"since": "2026-03-01T09:00:00"}, "timezone"),
        ("replay", {"first_entry": "first"}, "first_entry"),
        ("trim", {}, "give either"),
        ("trim", {"older_than_seconds": 1, "before_entry": "1"}, "give either"),
        ("trim", {"older_then": 1}, "older_then"),
    ],
)
async def test_what_is_unclear_is_refused_and_nothing_is_done(
    client: httpx.AsyncClient, what: str, body: dict[str, object], said: str
) -> None:
    answer = await client.post(f"{STREAM}/{what}", json=body)
    assert answer.status_code == 422
    assert said in answer.text
    assert await acts(client) == []


async def test_nobody_without_a_key_sees_or_does_anything(anonymous: httpx.AsyncClient) -> None:
    for path in (
        "/v1/streams",
        STREAM,
        f"{STREAM}/entries",
        f"{STREAM}/pending",
        f"{STREAM}/dead-letters",
        "/v1/audit",
    ):
        assert (await anonymous.get(path)).status_code == 401
    for what in ("replay", "requeue", "purge", "trim"):
        assert (await anonymous.post(f"{STREAM}/{what}", json={"all": True})).status_code == 401


async def test_a_service_that_does_not_exist_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/streams/campaign")
    assert answer.status_code == 422
    assert "campaigns" in answer.text


async def test_a_worker_that_was_killed_is_counted_no_more(
    client: httpx.AsyncClient, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "ALIVE_SECONDS", 1.5)
    killed = await bench.start()
    await bench.start()
    await bench.accept("write_effect", count=20)
    await bench.until(bench.all_finished)
    killed.kill()

    async def workers() -> tuple[int, int]:
        details = (await client.get(STREAM)).json()
        return details["consumers"], len(details["groups"][0]["consumers"])

    await bench.until(lambda: _is(workers, (1, 2)))


async def _is(ask: Callable[[], Awaitable[object]], wanted: object) -> bool:
    return await ask() == wanted


async def _acknowledged(client: httpx.AsyncClient, count: int) -> bool:
    return (await client.get(STREAM)).json()["acknowledged"] == count
