"""Octobatch's own client of the tokens worker, as the campaigns and selection workers have it.

It keeps what it was given; with `"always": true` it asks the tokens worker each time, as the gateway does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.askers.protocol import PERMISSIONS, Asker, Facts, serve
from shared.domain.ids import InstallationId
from shared.domain.installation import TokenRequest, TokenScope
from shared.domain.operation import Service
from shared.domain.permissions import parse_permissions
from shared.domain.principal import Principal
from shared.streams.connection import open_redis
from shared.streams.requests import Requests
from shared.streams.tokens import TokenClient


class OctobatchAsker:
    """One for a process."""

    def __init__(self, tokens: TokenClient, *, always: bool) -> None:
        self._ask = tokens.ask if always else tokens.get

    async def token(self, installation_id: int, repository_id: int) -> str:
        """Kept here, else of the tokens worker."""
        scope = TokenScope(
            installation_id=InstallationId(installation_id),
            permissions=parse_permissions(PERMISSIONS),
            repository_ids=(repository_id,),
        )
        requester = Principal.of_service(Service.CAMPAIGNS)
        return (await self._ask(TokenRequest(scope=scope, requester=requester, purpose="bench"))).token


@asynccontextmanager
async def opened(facts: Facts) -> AsyncIterator[Asker]:
    """On the stack's Redis, with as many connections as a worker has."""
    async with open_redis(facts["redis_url"], max_connections=50) as redis:
        yield OctobatchAsker(TokenClient(Requests(redis)), always=facts["always"])


if __name__ == "__main__":
    serve(opened)
