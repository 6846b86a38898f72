"""Tokens of installations. The gateway never sees the App's key: the tokens worker mints."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from shared.domain.ids import InstallationId
from shared.domain.installation import TokenRequest, TokenScope
from shared.domain.permissions import Level
from shared.domain.principal import Principal

from .auth import SignedIn
from .resources import Opened, Resources
from .schemas import Given, Shown

router = APIRouter(tags=["tokens"])

GitHubId = Annotated[int, Path(ge=1, lt=2**63)]


MIN_TTL_SECONDS = 3300
"""The most that can be asked for: GitHub's tokens live for an hour, and nobody is given one in its last minute."""

MinTtl = Annotated[int, Query(ge=0, le=MIN_TTL_SECONDS, description="seconds it must live still, beyond a minute")]


class GivenScope(Given):
    """What a token may do; no permissions = all that the requester's policies allow, no repositories = all."""

    permissions: dict[str, Level] = Field(default_factory=dict[str, Level], examples=[{"contents": "read"}])
    repositories: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=list[str], max_length=500, description="names, with owner or without"
    )
    repository_ids: list[Annotated[int, Field(ge=1, lt=2**63)]] = Field(default_factory=list[int], max_length=500)
    min_ttl: int = Field(0, ge=0, le=MIN_TTL_SECONDS, description="seconds it must live still, beyond a minute")
    purpose: str = Field(default="", max_length=200, description="kept in the audit")


class ShownToken(Shown):
    """An installation token. Keep it out of logs."""

    token: str
    expires_at: datetime
    minted_at: datetime
    permissions: dict[str, Level]
    repository_selection: str


@router.get("/tokens/installations/{installation_id}")
async def get_token(
    installation_id: GitHubId, response: Response, resources: Opened, principal: SignedIn, min_ttl: MinTtl = 0
) -> ShownToken:
    """A token with all that the requester's policies allow and the installation grants."""
    return await _token(installation_id, GivenScope(min_ttl=min_ttl), response, resources, principal)


@router.post("/tokens/installations/{installation_id}")
async def get_scoped_token(
    installation_id: GitHubId, body: GivenScope, response: Response, resources: Opened, principal: SignedIn
) -> ShownToken:
    """A token for some permissions and repositories only; more than the policies allow is refused."""
    return await _token(installation_id, body, response, resources, principal)


async def _token(
    installation_id: int, given: GivenScope, response: Response, resources: Resources, principal: Principal
) -> ShownToken:
    response.headers["Cache-Control"] = "no-store"
    request = TokenRequest(
        scope=TokenScope(
            installation_id=InstallationId(installation_id),
            permissions=given.permissions,
            repository_ids=tuple(given.repository_ids),
        ),
        repository_names=tuple(given.repositories),
        min_ttl=timedelta(seconds=given.min_ttl),
        requester=principal,
        purpose=given.purpose or "asked through the API",
    )
    return ShownToken.model_validate(await resources.tokens.ask(request))
