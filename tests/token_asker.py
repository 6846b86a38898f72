"""A process that asks for many tokens: `python -m tests.token_asker REDIS_URL INSTALLATION COUNT [REPOSITORY…]`.

Each request is for one of the repositories in turn, or for all. Prints, as JSON, how many tokens came for each.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from contextlib import suppress

from shared.domain.ids import InstallationId
from shared.domain.installation import TokenRequest, TokenScope
from shared.domain.operation import Service
from shared.domain.permissions import Level
from shared.domain.principal import Principal
from shared.domain.token import token_sha256
from shared.errors import Unavailable
from shared.streams.connection import open_redis
from shared.streams.requests import Requests
from shared.streams.tokens import TokenClient

MOST_TRIES = 3
"""Who is told that no token came in time asks again, as every worker does: the machine may be busy."""


async def main(redis_url: str, installation_id: int, count: int, repositories: list[int]) -> None:
    async with open_redis(redis_url, max_connections=50) as redis:
        client = TokenClient(Requests(redis), timeout_seconds=60)

        async def ask(number: int) -> tuple[str, str]:
            repository = repositories[number % len(repositories)] if repositories else None
            scope = TokenScope(
                installation_id=InstallationId(installation_id),
                permissions={"contents": Level.READ},
                repository_ids=(repository,) if repository else (),
            )
            request = TokenRequest(
                scope=scope, requester=Principal.of_service(Service.CAMPAIGNS), purpose=f"request {number}"
            )
            for _ in range(MOST_TRIES):
                with suppress(Unavailable):
                    return str(repository), token_sha256((await client.ask(request)).token)
            raise AssertionError("no token came in time, again and again")

        found: dict[str, set[str]] = defaultdict(set)
        answers = await asyncio.gather(*(ask(number) for number in range(count)))
        for repository, sha256 in answers:
            found[repository].add(sha256)
        print(json.dumps({"answers": len(answers), "tokens": {name: sorted(kept) for name, kept in found.items()}}))


if __name__ == "__main__":
    url, installation, number, *ids = sys.argv[1:]
    asyncio.run(main(url, int(installation), int(number), [int(each) for each in ids]))
