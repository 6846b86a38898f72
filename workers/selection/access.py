"""What the App may see of an account, and the tokens to ask with, for the time of one selection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from shared.domain.ids import InstallationId, RunId
from shared.domain.installation import InstallationToken, TokenRequest, TokenScope
from shared.domain.operation import Service
from shared.domain.permissions import SELECT, Level, Permissions
from shared.domain.principal import Principal
from shared.errors import GitHubUnauthorized, GitHubUnavailable, InvalidSettings
from shared.github.client import GitHubClient
from shared.github.repositories import accessible_ids
from shared.streams.tokens import TokenClient

SEE_TEAMS: Permissions = {"members": Level.READ}
SEE_PROPERTIES: Permissions = {"organization_custom_properties": Level.READ}


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account that the App is installed on.

    `accessible` are the database ids of the repositories that the installation was given, None where it has all.
    """

    installation_id: InstallationId
    accessible: frozenset[int] | None


class Access:
    """Finds installations by account, and lends their tokens."""

    def __init__(self, tokens: TokenClient, github: GitHubClient, *, run_id: RunId | None, purpose: str) -> None:
        self._tokens = tokens
        self._github = github
        self._run_id = run_id
        self._purpose = purpose
        self._accounts: dict[str, Account] = {}

    async def account(self, login: str) -> Account:
        """The installation on an account; raises `InstallationNotFound`."""
        known = self._accounts.get(login.lower())
        if known:
            return known
        with _key_is_right():
            installation_id = await self._tokens.installation_for(login)
        account = Account(installation_id=installation_id, accessible=await self._accessible(installation_id))
        self._accounts[login.lower()] = account
        return account

    @asynccontextmanager
    async def token(self, installation_id: InstallationId, *, besides: Permissions | None = None) -> AsyncIterator[str]:
        """A token to ask with, with permissions `besides` those of every selection.

        One that GitHub refuses meanwhile is given up, and the selection is tried again.
        """
        token = await self._get(installation_id, besides or {})
        try:
            yield token.token
        except GitHubUnauthorized as error:
            await self._tokens.invalidate(token)
            raise GitHubUnavailable(f"a token was refused and given up: {error.message}") from error

    async def _accessible(self, installation_id: InstallationId) -> frozenset[int] | None:
        if (await self._get(installation_id)).repository_selection == "all":
            return None
        async with self.token(installation_id) as token:
            return await accessible_ids(self._github, token=token)

    async def _get(self, installation_id: InstallationId, besides: Permissions | None = None) -> InstallationToken:
        request = TokenRequest(
            scope=TokenScope(installation_id=installation_id, permissions={**SELECT, **(besides or {})}),
            requester=Principal.of_service(Service.SELECTION),
            purpose=self._purpose,
            run_id=self._run_id,
        )
        with _key_is_right():
            return await self._tokens.get(request)


@contextmanager
def _key_is_right() -> Iterator[None]:
    """GitHub refusing the App itself is a wrong setting, which no second attempt puts right."""
    try:
        yield
    except GitHubUnauthorized as error:
        raise InvalidSettings(str(error)) from error
