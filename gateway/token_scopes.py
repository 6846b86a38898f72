"""What a token of some scope would give, asked without using it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from shared.domain.permissions import Level
from shared.domain.scopes import Lacking
from shared.streams.installations import DRY_RUN_SCOPE, ask_about_installations

from .auth import SignedIn
from .resources import Opened
from .schemas import Given

router = APIRouter(tags=["tokens"])

GitHubId = Annotated[int, Path(ge=1, lt=2**63)]
RepositoryName = Annotated[str, Field(min_length=1, max_length=140, pattern=r"^[\w.-]+(/[\w.-]+)?$")]
RepositoryId = Annotated[int, Field(ge=1, lt=2**63)]


class GivenScopeQuestion(Given):
    """The scope that is asked about."""

    permissions: dict[str, Level] = Field(
        default_factory=dict[str, Level], max_length=100, description="none = all that the requester may have"
    )
    repositories: list[RepositoryName] = Field(
        default_factory=list[str], max_length=100, description="names in the installation's account; none = all"
    )
    repository_ids: list[RepositoryId] = Field(default_factory=list[int], max_length=100)
    probe: bool = Field(default=False, description="mint such a token at GitHub, and revoke it at once")


class ShownMissing(BaseModel):
    """One thing in the way of a token."""

    name: str = Field(description="the permission, the repository or the account")
    lacking: Lacking = Field(description="where it is missing")
    wanted: Level | None
    granted: Level | None
    approval: str = Field(description="who must do what")
    address: str = Field(description="where they do it")


class ShownProbe(BaseModel):
    """What GitHub said to a real request for such a token, which is revoked."""

    minted: bool
    permissions: dict[str, Level]
    repository_selection: str | None
    detail: str = Field(description="what GitHub refused, or why it was not asked; empty where all went well")


class ShownScopeReport(BaseModel):
    """Whether a token of that scope would be given to who asks, and what it would have."""

    allowed: bool
    permissions: dict[str, Level] = Field(description="nothing where no token would be given")
    repositories: list[str] = Field(description="of those asked for, what is there; none asked for = all")
    missing: list[ShownMissing]
    policy: str | None = Field(description="the trust policy that allows it")
    policy_reason: str = Field(description="what trust policies say, whatever GitHub grants")
    probe: ShownProbe | None


@router.post("/tokens/installations/{installation_id}/dry-run")
async def dry_run_scope(
    installation_id: GitHubId, body: GivenScopeQuestion, resources: Opened, principal: SignedIn
) -> ShownScopeReport:
    """Ask what a token would give, what is missing and who must approve it. No token is handed out."""
    question = {"installation_id": installation_id, "requester": principal.to_json(), **body.model_dump(mode="json")}
    return ShownScopeReport.model_validate(await ask_about_installations(resources.requests, DRY_RUN_SCOPE, question))
