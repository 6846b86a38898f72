"""Tokens of installations. The gateway never sees the App's key: the tokens worker mints."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field

from shared.domain.ids import InstallationId
from shared.domain.installation import TokenRequest, TokenScope
from shared.domain.permissions import Level
from shared.domain.principal import Principal

from .auth import TokenRequester
from .resources import Opened, Resources
from .schemas import Given, Shown

router = APIRouter(tags=["tokens"])

GitHubId = Annotated[int, Path(ge=1, lt=2**63)]


class GivenScope(Given):
    """What a token may do; nothing = all that the installation grants."""

    permissions: dict[str, Level] = Field(default_factory=dict[str, Level], examples=[{"contents": "read"}])
    repository_ids: list[int] = Field(default_factory=list[int], max_length=500)
    purpose: str = Field(default="", max_length=200, description="kept in the audit row")


class ShownToken(Shown):
    """An installation token. Keep it out of logs."""

    token: str
    expires_at: datetime
    minted_at: datetime
    permissions: dict[str, Level]
    repository_selection: str


@router.get("/tokens/installations/{installation_id}")
async def get_token(
    installation_id: GitHubId, response: Response, resources: Opened, principal: TokenRequester
) -> ShownToken:
    """A token with all that the installation grants."""
    return await _token(installation_id, GivenScope(), response, resources, principal)


@router.post("/tokens/installations/{installation_id}")
async def get_scoped_token(
    installation_id: GitHubId, body: GivenScope, response: Response, resources: Opened, principal: TokenRequester
) -> ShownToken:
    """A token for some permissions and repositories only."""
    return await _token(installation_id, body, response, resources, principal)


async def _token(
    installation_id: int, scope: GivenScope, response: Response, resources: Resources, principal: Principal
) -> ShownToken:
    response.headers["Cache-Control"] = "no-store"
    request = TokenRequest(
        scope=TokenScope(
            installation_id=InstallationId(installation_id),
            permissions=scope.permissions,
            repository_ids=tuple(scope.repository_ids),
        ),
        requester=principal,
        purpose=scope.purpose or "asked through the API",
    )
    return ShownToken.model_validate(await resources.tokens.get(request))
