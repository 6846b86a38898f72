"""Acting as the GitHub App itself: its installations, and the tokens they give. Only the tokens worker does.

    app = AppAuth(github, app_id="12345", keys=keys)
    minted = await app.mint(TokenScope(installation_id=id, permissions=SELECT))

Source: docs.github.com "Create an installation access token for an app".
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote

from ..clock import utcnow
from ..domain.ids import InstallationId
from ..domain.installation import Installation, InstallationToken, TokenScope
from ..domain.permissions import parse_permissions
from ..errors import (
    GitHubInvalid,
    GitHubNotFound,
    GitHubUnauthorized,
    InstallationNotFound,
    NotPermitted,
)
from .app_jwt import AppJwts
from .client import GitHubClient
from .key_ring import KeyRing
from .signers import Signer

_WRONG_CLOCK = re.compile(r"'(issued at|expiration time)'", re.IGNORECASE)
_WRONG_KEY = re.compile(r"could not be decoded|must generate a public key", re.IGNORECASE)
_WRONG_ID = re.compile(r"integration not found", re.IGNORECASE)
_UNPROCESSABLE = 422
_MOST_REPOSITORIES = 500
"""GitHub takes no more repositories in one request for a token."""


class AppAuth:
    """The App, as GitHub knows it.

    Every method raises `GitHubUnauthorized` where GitHub accepts none of the keys, `GitHubLimited`, and
    `GitHubUnavailable`; with a key that is elsewhere `Unavailable` too.
    """

    def __init__(self, github: GitHubClient, *, app_id: str, keys: KeyRing) -> None:
        self.app_id = app_id
        self._github = github
        self._keys = keys
        self._jwts = AppJwts(app_id)

    @property
    def github(self) -> GitHubClient:
        """The GitHub that it is the App of."""
        return self._github

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Its keys by fingerprint, the one that signs in front."""
        return tuple(each.key_id for each in self._keys.in_turn())

    def key_problem(self) -> str | None:
        """Why it signs with keys that are not those of the settings now; None where they are."""
        return self._keys.problem()

    async def get_app(self) -> Mapping[str, Any]:
        """What GitHub says of the App; raises `GitHubUnauthorized` where it does not accept id and key."""
        return cast("Mapping[str, Any]", await self._ask("GET", "/app"))

    async def list_installations(self) -> list[Installation]:
        """All installations of the App, suspended ones too."""
        installations: list[Installation] = []
        page = 1
        while True:
            found = await self._ask("GET", "/app/installations", params={"per_page": 100, "page": page})
            installations += [_installation(facts) for facts in found]
            if len(found) < 100:
                return installations
            page += 1

    async def get_installation(self, installation_id: InstallationId) -> Installation:
        """The installation of that id; raises `InstallationNotFound`."""
        try:
            return _installation(await self._ask("GET", f"/app/installations/{installation_id}"))
        except GitHubNotFound as error:
            raise InstallationNotFound(f"there is no installation {installation_id} of the App", status=404) from error

    async def installation_of(self, account: str) -> Installation:
        """The installation on an organisation's or user's account; raises `InstallationNotFound`."""
        for kind in ("orgs", "users"):
            try:
                return _installation(await self._ask("GET", f"/{kind}/{quote(account, safe='')}/installation"))
            except GitHubNotFound:
                continue
        raise InstallationNotFound(f"the App is not installed on {account}: install it there first", status=404)

    async def installation_of_repository(self, name_with_owner: str) -> Installation:
        """The installation that has this repository; raises `InstallationNotFound`."""
        try:
            return _installation(await self._ask("GET", f"/repos/{quote(name_with_owner)}/installation"))
        except GitHubNotFound as error:
            raise InstallationNotFound(f"no installation of the App has {name_with_owner}", status=404) from error

    async def mint(self, scope: TokenScope) -> InstallationToken:
        """A new token of an installation, with just what is asked for; it expires by our clock, not GitHub's.

        Raises `InstallationNotFound`, `InstallationSuspended`, and `NotPermitted` where the installation does not
        grant the permissions or does not have the repositories: GitHub does not say which of the two it is.
        """
        if len(scope.repository_ids) > _MOST_REPOSITORIES:
            raise NotPermitted(f"a token is for at most {_MOST_REPOSITORIES} repositories, or for all")
        body: dict[str, Any] = {}
        if scope.permissions:
            body["permissions"] = {resource: level.value for resource, level in scope.permissions.items()}
        if scope.repository_ids:
            body["repository_ids"] = list(scope.repository_ids)
        path = f"/app/installations/{scope.installation_id}/access_tokens"
        try:
            facts = await self._ask("POST", path, json=body)
        except GitHubNotFound as error:
            raise InstallationNotFound(
                f"the App has no installation {scope.installation_id} (any more)", status=404
            ) from error
        except GitHubInvalid as error:
            if error.status != _UNPROCESSABLE:
                raise
            raise NotPermitted(f"installation {scope.installation_id}: {error.message}") from error
        return InstallationToken(
            token=facts["token"],
            installation_id=scope.installation_id,
            expires_at=datetime.fromisoformat(facts["expires_at"]) - self._jwts.clock_offset,
            minted_at=utcnow(),
            permissions=parse_permissions(facts["permissions"]),
            repository_selection=facts.get("repository_selection", "all"),
        )

    async def revoke(self, token: str, *, minted_at: datetime | None = None) -> None:
        """Ends a token of an installation, as `GitHubClient.revoke` says."""
        await self._github.revoke(token, minted_at=minted_at)

    async def hook_config(self) -> Mapping[str, Any]:
        """Where GitHub sends the App's webhooks: `url` (empty: nowhere), `content_type`, `insecure_ssl`."""
        return cast("Mapping[str, Any]", await self._ask("GET", "/app/hook/config"))

    async def hook_deliveries(self, *, limit: int) -> list[Mapping[str, Any]]:
        """The last attempts to deliver webhooks, newest first, at most 100: `event`, `status`, `status_code` (0: no
        answer), `delivered_at`."""
        found = await self._ask("GET", "/app/hook/deliveries", params={"per_page": limit})
        return cast("list[Mapping[str, Any]]", found)

    async def hook_delivery_pages(self) -> AsyncIterator[list[Mapping[str, Any]]]:
        """The attempts to deliver webhooks, newest first, a hundred at a time; GitHub keeps those of a few days."""
        await self.hook_config()  # the key that GitHub accepts stands in front after it
        token = await self._jwts.signed_by(self._keys.in_turn()[0])
        async for page in self._github.rest_pages("/app/hook/deliveries", token=token):
            yield cast("list[Mapping[str, Any]]", page)

    async def redeliver(self, attempt_id: int) -> None:
        """Has GitHub send a webhook once more, under the id of its delivery; raises `GitHubNotFound`."""
        await self._ask("POST", f"/app/hook/deliveries/{attempt_id}/attempts")

    async def _ask(self, method: str, path: str, *, json: Any = None, params: Mapping[str, Any] | None = None) -> Any:
        """One call as the App, with the key that GitHub accepted last, or with the first of the others it accepts."""
        refusals: dict[str, GitHubUnauthorized] = {}
        for signer in self._keys.in_turn():
            try:
                answer = await self._ask_with(signer, method, path, json=json, params=params)
            except GitHubUnauthorized as error:
                refusals[signer.key_id] = error
                if not _WRONG_KEY.search(error.message):
                    break
            else:
                self._keys.accepted(signer)
                return answer
        raise self._explained(refusals)

    async def _ask_with(
        self, signer: Signer, method: str, path: str, *, json: Any, params: Mapping[str, Any] | None
    ) -> Any:
        """One call with this key; where GitHub finds our clock wrong, once more by GitHub's clock."""
        try:
            return await self._call(signer, method, path, json=json, params=params)
        except GitHubUnauthorized as error:
            if not (error.answered_at and _WRONG_CLOCK.search(error.message)):
                raise
            self._jwts.learn_clock(error.answered_at)
        return await self._call(signer, method, path, json=json, params=params)

    async def _call(
        self, signer: Signer, method: str, path: str, *, json: Any, params: Mapping[str, Any] | None
    ) -> Any:
        token = await self._jwts.signed_by(signer)
        try:
            return await self._github.rest(method, path, token=token, json=json, params=params)
        except GitHubNotFound as error:
            if _WRONG_ID.search(error.message):  # of the App: it says nothing of what was asked for
                raise GitHubUnauthorized(error.message, status=error.status) from error
            raise

    def _explained(self, refusals: Mapping[str, GitHubUnauthorized]) -> GitHubUnauthorized:
        last = list(refusals.values())[-1]
        keys = f"its key {next(iter(refusals))}" if len(refusals) == 1 else f"any of its keys {', '.join(refusals)}"
        return GitHubUnauthorized(
            f"{self._github.addresses.rest} does not accept the App {self.app_id} with {keys} ({last.message}):"
            " check that OCTOBATCH_GITHUB_APP_ID and OCTOBATCH_GITHUB_APP_PRIVATE_KEY (or the key in KMS) belong"
            " together, that the key was not deleted, and that OCTOBATCH_GITHUB_API_BASE is the App's GitHub",
            status=last.status,
            answered_at=last.answered_at,
        )


def _installation(facts: Mapping[str, Any]) -> Installation:
    account, suspended_at = facts["account"], facts.get("suspended_at")
    return Installation(
        id=InstallationId(facts["id"]),
        account=account.get("login") or account["slug"],  # an enterprise has a slug and no login
        account_type=account.get("type") or facts["target_type"],
        repository_selection=facts["repository_selection"],
        permissions=parse_permissions(facts["permissions"]),
        suspended_at=datetime.fromisoformat(suspended_at) if suspended_at else None,
        updated_at=datetime.fromisoformat(facts["updated_at"]),
        webhook_events=tuple(facts.get("events") or ()),
    )
