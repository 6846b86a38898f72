"""Acting as the GitHub App itself: JWTs, its installations, and the tokens they give. Only the tokens worker does.

    app = AppAuth(github, app_id="12345", private_key=pem)
    minted = await app.mint(TokenScope(installation_id=id, permissions=SELECT))

Sources: docs.github.com "Generating a JSON Web Token (JWT) for a GitHub App" (RS256; `iat` a minute ago against clock
drift, `exp` within ten minutes, `iss` the App's id as text) and "Create an installation access token for an app".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import quote

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ..clock import utcnow
from ..domain.ids import InstallationId
from ..domain.installation import Installation, InstallationToken, TokenScope
from ..domain.permissions import parse_permissions
from ..errors import (
    GitHubInvalid,
    GitHubNotFound,
    GitHubUnauthorized,
    InstallationNotFound,
    InvalidSettings,
    NotPermitted,
)
from .client import GitHubClient

ISSUED_BEFORE = timedelta(seconds=60)
LIVES_FOR = timedelta(seconds=540)
_WRONG_CLOCK = re.compile(r"'(issued at|expiration time)'", re.IGNORECASE)
_MOST_REPOSITORIES = 500
"""GitHub takes no more repositories in one request for a token."""


class AppAuth:
    """The App, as GitHub knows it. Holds the private key."""

    def __init__(self, github: GitHubClient, *, app_id: str, private_key: str) -> None:
        """Raises `InvalidSettings` where the key is no RSA key in PEM."""
        self.app_id = app_id
        self._github = github
        self._key = _rsa_key(private_key)
        self._clock_offset = timedelta()  # GitHub's clock minus ours, learnt from a refused JWT

    @property
    def github(self) -> GitHubClient:
        """The GitHub that it is the App of."""
        return self._github

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
            raise NotPermitted(f"installation {scope.installation_id}: {error.message}") from error
        return InstallationToken(
            token=facts["token"],
            installation_id=scope.installation_id,
            expires_at=datetime.fromisoformat(facts["expires_at"]) - self._clock_offset,
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

    async def _ask(self, method: str, path: str, *, json: Any = None, params: Mapping[str, Any] | None = None) -> Any:
        """One call as the App; where GitHub finds our clock wrong, once more by GitHub's clock."""
        try:
            return await self._github.rest(method, path, token=self._jwt(), json=json, params=params)
        except GitHubUnauthorized as error:
            if not (error.answered_at and _WRONG_CLOCK.search(error.message)):
                raise self._explained(error) from error
            self._clock_offset = error.answered_at - utcnow()
        try:
            return await self._github.rest(method, path, token=self._jwt(), json=json, params=params)
        except GitHubUnauthorized as error:
            raise self._explained(error) from error

    def _jwt(self) -> str:
        now = utcnow() + self._clock_offset
        claims = {
            "iat": int((now - ISSUED_BEFORE).timestamp()),
            "exp": int((now + LIVES_FOR).timestamp()),
            "iss": self.app_id,
        }
        return jwt.encode(claims, self._key, algorithm="RS256")

    def _explained(self, error: GitHubUnauthorized) -> GitHubUnauthorized:
        return GitHubUnauthorized(
            f"{self._github.addresses.rest} does not accept the App {self.app_id} with its key ({error.message}):"
            " check that OCTOBATCH_GITHUB_APP_ID and OCTOBATCH_GITHUB_APP_PRIVATE_KEY belong together,"
            " that the key was not deleted, and that OCTOBATCH_GITHUB_API_BASE is the App's GitHub",
            status=error.status,
            answered_at=error.answered_at,
        )


def _rsa_key(pem: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.strip().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None  # the reason could quote the key
    if not isinstance(key, RSAPrivateKey):
        raise InvalidSettings("OCTOBATCH_GITHUB_APP_PRIVATE_KEY: is not an RSA private key in PEM")
    return key


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
    )
