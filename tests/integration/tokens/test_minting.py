"""One mint for all who ask, in whatever process; tokens are kept, refreshed, refused and forgotten as promised."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.clock import utcnow
from shared.domain.ids import InstallationId
from shared.domain.installation import InstallationToken
from shared.domain.permissions import Level
from shared.domain.token import token_sha256
from shared.errors import InstallationNotFound, InstallationSuspended, NotPermitted
from shared.streams.installations import SYNC_INSTALLATIONS, ask_about_installations
from shared.streams.requests import Requests
from tests.integration.tokens.conftest import CACHE_KEY, TokensService, asked
from tests.worker_bench import until
from workers.tokens.vault import Vault

LONG = 15
"""Seconds of a command's lease where the machine is kept busy: no request is taken over that is still worked at."""


async def ask_from_processes(
    service: TokensService, installation_id: InstallationId, repositories: list[int]
) -> dict[str, set[str]]:
    """1,000 requests from 4 processes at once: the tokens that came, by repository."""
    askers = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.token_asker",
            service.environment["OCTOBATCH_REDIS_URL"],
            str(installation_id),
            "250",
            *map(str, repositories),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(4)
    ]
    found: dict[str, set[str]] = defaultdict(set)
    for asker in askers:
        out, error = await asker.communicate()
        assert asker.returncode == 0, error.decode()
        answer: dict[str, Any] = json.loads(out)
        assert answer["answers"] == 250
        for repository, tokens in answer["tokens"].items():
            found[repository] |= set(tokens)
    return found


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_thousand_requests_from_four_processes_for_one_cold_key_cause_one_mint(service: TokensService) -> None:
    installation_id = service.organization()
    await service.start(4, command_lease_seconds=LONG)
    await service.knows(installation_id)
    service.github.ask("DELETE", "counters")
    found = await ask_from_processes(service, installation_id, [])
    assert service.mints() == 1
    assert [len(tokens) for tokens in found.values()] == [1]
    assert await service.pool.fetchval("SELECT count(*) FROM token_audit WHERE kind = 'grant'") == 1000


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_thousand_requests_for_two_hundred_keys_cause_two_hundred_mints(service: TokensService) -> None:
    login = f"many-{utcnow():%H%M%S%f}"
    installation_id = InstallationId(service.github.add_organization(login))
    made = service.github.ask("POST", "repositories", {"owner": login, "count": 200, "prefix": "r"})
    assert len(made["repositories"]) == 200
    await service.start(4, command_lease_seconds=LONG)
    await service.knows(installation_id)
    service.github.ask("DELETE", "counters")
    found = await ask_from_processes(service, installation_id, [each["id"] for each in made["repositories"]])
    assert service.mints() == 200
    assert sorted(len(tokens) for tokens in found.values()) == [1] * 200


async def works(service: TokensService, token: InstallationToken) -> bool:
    async with httpx.AsyncClient() as http:
        answer = await http.get(
            f"{service.github.api_base}/installation/repositories", headers={"Authorization": f"Bearer {token.token}"}
        )
    return answer.is_success


async def test_a_worker_killed_while_it_mints_is_replaced_by_another(service: TokensService) -> None:
    first, _ = await service.start(2)
    installation_id = service.organization()
    slow = {"kind": "slow", "surface": "rest", "match": "access_tokens", "seconds": 3, "count": 1}
    service.github.ask("PUT", "faults", [slow])
    waiting = [asyncio.create_task(service.client().ask(asked(installation_id))) for _ in range(4)]
    await until(lambda: service.github.ask("GET", "faults")[0]["fired"] == 1)
    first.kill()
    tokens = await asyncio.gather(*waiting)
    assert await works(service, tokens[0])
    assert len({token.token for token in tokens}) == 1


async def test_a_token_that_does_not_live_long_enough_is_replaced(service: TokensService) -> None:
    await service.start()
    installation_id = service.organization()
    service.github.ask("PATCH", "settings", {"token_lifetime_seconds": 600})
    client = service.client()
    short = await client.get(asked(installation_id))
    service.github.ask("PATCH", "settings", {"token_lifetime_seconds": 3600})
    request = asked(installation_id)
    longer = await client.get(replace(request, min_ttl=timedelta(minutes=30)))
    assert longer.expires_at - utcnow() > timedelta(minutes=31)
    assert longer.token != short.token
    assert await works(service, short)


async def test_a_token_in_its_last_minute_is_given_to_nobody(service: TokensService) -> None:
    await service.start()
    installation_id = service.organization()
    service.github.ask("PATCH", "settings", {"token_lifetime_seconds": 59})
    client = service.client()
    one, other = await client.get(asked(installation_id)), await client.get(asked(installation_id))
    assert one.token != other.token


async def test_an_ageing_token_is_granted_while_its_successor_is_minted(service: TokensService) -> None:
    await service.start()
    installation_id = service.organization()
    service.github.ask("PATCH", "settings", {"token_lifetime_seconds": 3600})
    client = service.client()
    old = await client.ask(asked(installation_id))
    await age(service, old)
    still = await client.ask(asked(installation_id))
    assert still.token == old.token

    async def is_replaced() -> bool:
        return (await client.ask(asked(installation_id))).token != old.token

    await until(is_replaced)
    assert service.mints() >= 2


async def age(service: TokensService, token: InstallationToken) -> None:
    """Makes the kept token one that has five minutes left."""
    vault = Vault(service.redis, secrets=lambda: [CACHE_KEY.encode()])
    kept = await vault.find(token_sha256(token.token))
    assert kept
    ageing = replace(kept.token, expires_at=utcnow() + timedelta(minutes=5), minted_at=utcnow() - timedelta(minutes=55))
    await vault.keep(kept.key, ageing)


async def test_a_suspended_installation_costs_one_request_and_is_served_again_at_once_when_it_is_not(
    service: TokensService,
) -> None:
    await service.start()
    installation_id = service.organization()
    service.github.ask("PATCH", f"installations/{installation_id}", {"suspended": True})
    service.github.ask("DELETE", "counters")
    for _ in range(5):
        with pytest.raises(InstallationSuspended):
            await service.client().get(asked(installation_id))
    assert service.mints() == 1
    assert await service.pool.fetchval("SELECT count(*) FROM token_audit WHERE kind = 'refusal'") == 5
    assert await service.pool.fetchval("SELECT suspended_at FROM installations WHERE id = $1", installation_id)
    service.github.ask("PATCH", f"installations/{installation_id}", {"suspended": False})
    await ask_about_installations(Requests(service.redis), SYNC_INSTALLATIONS, {})
    assert await works(service, await service.client().get(asked(installation_id)))


async def test_an_installation_that_does_not_exist_is_told(service: TokensService) -> None:
    await service.start()
    with pytest.raises(InstallationNotFound):
        await service.client().get(asked(InstallationId(999_999_999)))


async def test_a_token_that_github_refuses_is_forgotten_by_all(service: TokensService) -> None:
    await service.start(2)
    installation_id = service.organization()
    one, other = service.client(), service.client()
    token = await one.get(asked(installation_id))
    assert (await other.get(asked(installation_id))).token == token.token
    await one.invalidate(token)
    fresh = await one.get(asked(installation_id))
    assert fresh.token != token.token
    await other.invalidate(token)  # hears of it late: the new one stays
    assert (await other.get(asked(installation_id))).token == fresh.token


async def test_no_token_stands_in_redis_in_plain_text(service: TokensService) -> None:
    await service.start()
    token = await service.client().get(asked(service.organization()))
    values: list[bytes] = []
    async for key in service.redis.scan_iter("*"):
        if await service.redis.type(key) == b"string":
            values.append(await service.redis.get(key) or b"")
        elif await service.redis.type(key) == b"stream":
            values.append(repr(await service.redis.xrange(key)).encode())
    assert len(values) > 3
    assert token.token.encode() not in b"".join(values)


async def test_two_cache_keys_are_valid_while_one_takes_the_others_place(service: TokensService) -> None:
    [old] = await service.start()
    installation_id = service.organization()
    token = await service.client().ask(asked(installation_id))
    old.kill()
    await service.start(token_cache_key=f"{'n' * 40} {CACHE_KEY}")
    assert (await service.client().ask(asked(installation_id))).token == token.token
    service.stop()
    await service.start(token_cache_key="m" * 40)
    assert (await service.client().ask(asked(installation_id))).token != token.token


async def test_a_service_never_gets_more_than_its_ceiling(service: TokensService) -> None:
    await service.start()
    installation_id = service.organization()
    request = asked(installation_id)
    more = replace(request.scope, permissions={"administration": Level.READ})
    with pytest.raises(NotPermitted, match="administration"):
        await service.client().get(replace(request, scope=more))
