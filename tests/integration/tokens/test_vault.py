"""What is kept under a secret can be read for as long as somebody knows it."""

from __future__ import annotations

from datetime import timedelta

from redis.asyncio import Redis

from shared.clock import utcnow
from shared.domain.ids import InstallationId
from shared.domain.installation import InstallationToken
from shared.domain.permissions import Level
from shared.domain.token import token_sha256
from workers.tokens.vault import Vault


def make_token(text: str) -> InstallationToken:
    return InstallationToken(
        token=text,
        installation_id=InstallationId(7),
        expires_at=utcnow() + timedelta(hours=1),
        minted_at=utcnow(),
        permissions={"contents": Level.READ},
        repository_selection="all",
    )


async def test_a_secret_that_is_replaced_while_the_process_runs_still_opens_what_was_kept(redis: Redis) -> None:
    secrets = [b"old"]
    vault = Vault(redis, secrets=lambda: secrets)
    before, after = make_token("ghs_before"), make_token("ghs_after")
    await vault.keep("one", before)
    secrets[:] = [b"new"]
    assert await vault.current("one") == before
    await vault.keep("two", after)

    started_later = Vault(redis, secrets=lambda: [b"new"])
    assert await started_later.current("two") == after
    assert await started_later.find(token_sha256(before.token)) is None
