"""Repositories by name and by id, as GitHub knows them now: policies speak of names, tokens of ids."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from shared.domain.ids import InstallationId
from shared.domain.installation import Installation, TokenScope
from shared.domain.permissions import Level
from shared.domain.token import token_sha256
from shared.errors import GitHubNotFound, GitHubUnauthorized, NotPermitted
from shared.github.client import GitHubClient

from .minting import Minting

KEPT_SECONDS = 60.0
_MOST_KEPT = 10_000
_AT_ONCE = 10


@dataclass(frozen=True)
class KnownRepository:
    """A repository's database id and its name with owner."""

    id: int
    name: str


class Repositories:
    """Asks GitHub with a token that may read metadata and nothing else. Answers are kept for a minute."""

    def __init__(self, github: GitHubClient, minting: Minting) -> None:
        self._github = github
        self._minting = minting
        self._known: OrderedDict[tuple[InstallationId, str], tuple[float, KnownRepository]] = OrderedDict()
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def find(
        self, installation: Installation, *, ids: Sequence[int], names: Sequence[str]
    ) -> list[KnownRepository]:
        """The repositories of these ids and names (within the account, or with owner), as they are called now.

        Raises `NotPermitted` where the installation does not have one: GitHub does not say whether it exists.
        """
        paths = [f"/repositories/{each}" for each in ids]
        paths += [f"/repos/{_with_owner(name, installation.account)}" for name in names]
        return await asyncio.gather(*(self._find(installation, path) for path in paths))

    async def _find(self, installation: Installation, path: str) -> KnownRepository:
        key = (installation.id, path.lower())
        kept_at, known = self._known.get(key, (0.0, None))
        if known and time.monotonic() - kept_at < KEPT_SECONDS:
            return known
        async with self._places:
            try:
                facts = await self._look_up(installation.id, path)
            except GitHubNotFound as error:
                what = path.removeprefix("/repos/").removeprefix("/repositories/")
                raise NotPermitted(f"the installation on {installation.account} has no repository {what}") from error
        known = KnownRepository(int(facts["id"]), str(facts["full_name"]))
        self._known[key] = (time.monotonic(), known)
        if len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)
        return known

    async def _look_up(self, installation_id: InstallationId, path: str) -> Any:
        """GitHub's answer, with another token where the kept one ended before its time."""
        scope = TokenScope(installation_id=installation_id, permissions={"metadata": Level.READ})
        token = await self._minting.token_for(scope)
        try:
            return await self._github.rest("GET", path, token=token.token)
        except GitHubUnauthorized:
            await self._minting.forget(token_sha256(token.token))
        token = await self._minting.token_for(scope)
        return await self._github.rest("GET", path, token=token.token)


def _with_owner(name: str, account: str) -> str:
    owner, slash, repository = name.partition("/")
    return "/".join(quote(part, safe="") for part in ((owner, repository) if slash else (account, name)))
