"""Tokens end when their run does, or when an operator says so; no other holder loses one that it still needs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from shared.domain import commands
from shared.domain.ids import OperationId, RunId
from shared.domain.installation import InstallationToken
from shared.domain.permissions import Level
from shared.domain.token import token_sha256
from shared.errors import NotPermitted
from shared.outbox import Outbox
from shared.postgres import tokens
from shared.postgres.tokens import TokensChosen
from tests.integration.campaigns.rows import insert_campaign, insert_run
from tests.integration.tokens.conftest import TokensService, asked
from tests.worker_bench import until


async def works(service: TokensService, token: InstallationToken) -> bool:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token.token}"}) as http:
        return (await http.get(f"{service.github.api_base}/installation/repositories")).is_success


async def new_run(service: TokensService, name: str, *, dry_run: bool = False) -> RunId:
    async with service.pool.acquire() as conn:
        return await insert_run(conn, await insert_campaign(conn, name=name), dry_run=dry_run)


async def end_run(service: TokensService, run_id: RunId) -> None:
    await service.pool.execute("UPDATE runs SET state = 'completed', finished_at = now() WHERE id = $1", run_id)


async def revoke(service: TokensService, chosen: TokensChosen) -> OperationId:
    """What the gateway does."""
    async with Outbox(service.pool, service.redis).transaction() as work:
        [operation] = await work.accept(commands.revoke_tokens(reason="a test", actor="key:test"))
        await tokens.evict(work.conn, chosen, by=operation.id)
    return operation.id


async def succeeds(service: TokensService, operation_id: OperationId) -> None:
    async def is_done() -> bool:
        state = await service.pool.fetchval("SELECT state FROM operations WHERE id = $1", operation_id)
        return state == "succeeded"

    await until(is_done)


async def test_a_runs_tokens_end_with_it_but_not_those_that_another_run_holds(service: TokensService) -> None:
    await service.start(token_revoke_after_run_seconds=0)
    installation_id = service.organization()
    one, other = await new_run(service, "one"), await new_run(service, "other")
    client = service.client()
    shared = await client.get(asked(installation_id, run_id=one))
    assert (await client.get(asked(installation_id, run_id=other))).token == shared.token
    await end_run(service, one)

    async def is_released() -> bool:
        return not await service.pool.fetchval(
            "SELECT count(*) FROM token_holders WHERE run_id = $1 AND released_at IS NULL", one
        )

    await until(is_released, seconds=40)
    assert await works(service, shared)
    await end_run(service, other)

    async def is_revoked() -> bool:
        return not await works(service, shared)

    await until(is_revoked, seconds=40)
    row = await service.pool.fetchrow("SELECT * FROM token_audit WHERE kind = 'revocation'")
    assert row
    assert (row["run_id"], row["token_sha256"], row["holders"]) == (other, token_sha256(shared.token), 0)
    assert (await client.ask(asked(installation_id))).token != shared.token


async def test_a_token_that_is_granted_after_the_end_of_its_run_is_left_for_a_while(service: TokensService) -> None:
    await service.start()
    run_id = await new_run(service, "one")
    await service.client().get(asked(service.organization(), run_id=run_id))
    await service.pool.execute(
        "UPDATE runs SET state = 'completed', finished_at = now() - interval '1 day' WHERE id = $1", run_id
    )

    async def to_revoke(finished_for: timedelta) -> list[RunId]:
        async with service.pool.acquire() as conn:
            return await tokens.runs_with_tokens_to_revoke(conn, finished_for=finished_for)

    assert await to_revoke(timedelta(minutes=1)) == []
    assert await to_revoke(timedelta()) == [run_id]


async def test_all_tokens_of_an_installation_end_and_no_others(service: TokensService) -> None:
    await service.start()
    ours, theirs = service.organization(), service.organization()
    client = service.client()
    ending = [await client.get(asked(ours)), await client.get(asked(ours, run_id=await new_run(service, "a")))]
    staying = await client.get(asked(theirs))
    await succeeds(service, await revoke(service, TokensChosen(installation_id=ours)))
    assert [await works(service, each) for each in ending] == [False, False]
    assert await works(service, staying)
    fresh = await service.client().get(asked(ours))
    assert fresh.token not in {each.token for each in ending}
    assert await works(service, fresh)


async def test_an_evicted_token_is_granted_to_nobody_whatever_redis_still_holds(service: TokensService) -> None:
    await service.start()
    installation_id = service.organization()
    token = await service.client().get(asked(installation_id))
    async with service.pool.acquire() as conn:
        await tokens.evict(conn, TokensChosen(sha256=token_sha256(token.token)))
    assert (await service.client().get(asked(installation_id))).token != token.token


async def test_no_holder_of_a_revoked_token_comes_after_they_were_counted(service: TokensService) -> None:
    await service.start(2)
    installation_id = service.organization()
    async with service.pool.acquire() as conn:
        campaign_id = await insert_campaign(conn)
        run_ids = [await insert_run(conn, campaign_id) for _ in range(60)]
    client = service.client()
    first = await client.ask(asked(installation_id))
    asking = [asyncio.create_task(client.ask(asked(installation_id, run_id=run_id))) for run_id in run_ids]
    operation_id = await revoke(service, TokensChosen(installation_id=installation_id))
    await succeeds(service, operation_id)
    granted = await asyncio.gather(*asking)
    counted = dict(
        await service.pool.fetch("SELECT token_sha256, holders FROM token_audit WHERE operation_id = $1", operation_id)
    )
    held = dict(
        await service.pool.fetch(
            "SELECT token_sha256, count(*) FROM token_holders WHERE token_sha256 = ANY($1) GROUP BY 1", list(counted)
        )
    )
    assert counted == held
    assert {token_sha256(each.token) for each in granted} - counted.keys(), "some were granted a new token"
    assert not await works(service, first)


async def test_a_token_that_redis_lost_is_told_of_and_not_called_revoked(service: TokensService) -> None:
    await service.start()
    installation_id = service.organization()
    token = await service.client().get(asked(installation_id))
    await service.redis.delete(f"octobatch:{{tokens}}:living:{token_sha256(token.token)}")
    operation_id = await revoke(service, TokensChosen(installation_id=installation_id))
    await succeeds(service, operation_id)
    reason = await service.pool.fetchval("SELECT reason FROM token_audit WHERE operation_id = $1", operation_id)
    assert "ends by itself" in reason
    assert await service.pool.fetchval("SELECT count(*) FROM tokens WHERE revoked_at IS NOT NULL") == 0


async def test_a_revocation_goes_on_where_github_failed(service: TokensService) -> None:
    await service.start()
    installation_id = service.organization()
    token = await service.client().get(asked(installation_id))
    service.github.ask("PUT", "faults", [{"kind": "status", "status": 502, "method": "DELETE", "count": 1}])
    await succeeds(service, await revoke(service, TokensChosen(installation_id=installation_id)))
    assert not await works(service, token)


async def test_a_run_that_publishes_nothing_gets_tokens_that_can_only_read(service: TokensService) -> None:
    await service.start()
    installation_id = service.organization()
    run_id = await new_run(service, "preview", dry_run=True)
    assert await service.client().get(asked(installation_id, run_id=run_id))
    with pytest.raises(NotPermitted, match="dry run"):
        await service.client().get(asked(installation_id, run_id=run_id, permissions={"contents": Level.WRITE}))


async def test_tokens_of_a_suspended_installation_keep_no_others_from_ending(service: TokensService) -> None:
    await service.start(token_revoke_after_run_seconds=0)
    suspended, other = service.organization(), service.organization()
    client, runs = service.client(), [await new_run(service, "one"), await new_run(service, "two")]
    await client.get(asked(suspended, run_id=runs[0]))
    token = await client.get(asked(other, run_id=runs[1]))
    service.github.ask("PATCH", f"installations/{suspended}", {"suspended": True})
    for run_id in runs:
        await end_run(service, run_id)

    async def is_revoked() -> bool:
        return not await works(service, token)

    await until(is_revoked, seconds=40)
    service.github.ask("PATCH", f"installations/{suspended}", {"suspended": False})

    async def are_all_revoked() -> bool:
        return await service.pool.fetchval("SELECT count(*) FROM tokens WHERE revoked_at IS NULL") == 0

    await until(are_all_revoked, seconds=40)
