"""Tokens that live, the audit of all that were granted, refused and revoked, and their revocation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field, model_validator

from shared.domain import commands
from shared.domain.ids import InstallationId, OperationId, RunId
from shared.domain.permissions import Level
from shared.domain.token import AuditKind, LiveToken, TokenAuditId, TokenSha256
from shared.postgres import token_audit, tokens
from shared.postgres.tokens import TokensChosen

from .auth import SignedIn
from .paging import Cursor, Limit, Page, id_in, page, position_in
from .resources import Opened
from .schemas import Given, Moment, Shown
from .versions import V1
from .waiting import Waits

router = APIRouter(tags=["tokens"])

Sha256 = Annotated[str, Field(min_length=44, max_length=44, description="SHA-256 of the token, base64")]
_MOST_HOLDERS = 100


class ShownLiveToken(Shown):
    """A token that lives. The token itself is shown to nobody but who asked for it."""

    sha256: Sha256
    installation_id: int
    permissions: dict[str, Level]
    repository_ids: list[int] = Field(description="empty = all of the installation")
    minted_at: datetime
    expires_at: datetime
    is_evicted: bool = Field(description="it is granted to nobody any more")
    is_lost: bool = Field(description="it cannot be revoked, because Redis lost it; it ends by itself")
    holders: list[str] = Field(description="runs and requesters that have it")


class ShownTokenAudit(Shown):
    """A grant, a refusal or a revocation."""

    id: UUID
    at: datetime
    kind: AuditKind
    installation_id: int
    requested_by: str
    purpose: str
    run_id: UUID | None
    permissions: dict[str, Level] = Field(description="of the token; in a refusal, what was asked for")
    repository_ids: list[int]
    policy: str | None = Field(description="that allowed it; null for our own workers")
    token_sha256: Sha256 | None = Field(description="as GitHub's audit log names the token")
    minted_at: datetime | None
    expires_at: datetime | None
    reason: str | None = Field(description="why it was refused, or could not be revoked")
    holders: int | None = Field(description="how many held a revoked token")
    operation_id: UUID | None


class NewRevocation(Given):
    """Which tokens to revoke: one of the first three is given."""

    installation_id: int | None = Field(None, ge=1, lt=2**63, description="all tokens of this installation")
    run_id: UUID | None = Field(None, description="all tokens of this run")
    token_sha256: Sha256 | None = Field(None, description="this token")
    include_shared: bool = Field(False, description="a run's tokens that others hold as well, too")
    reason: str = Field("", max_length=200, description="kept in the audit")
    dry_run: bool = Field(False, description="count only")

    @model_validator(mode="after")
    def _names_one(self) -> NewRevocation:
        if sum(each is not None for each in (self.installation_id, self.run_id, self.token_sha256)) != 1:
            raise ValueError("give one of `installation_id`, `run_id` and `token_sha256`")
        return self

    def chosen(self) -> TokensChosen:
        """As the stores know it."""
        return TokensChosen(
            installation_id=InstallationId(self.installation_id) if self.installation_id else None,
            run_id=RunId(self.run_id) if self.run_id else None,
            sha256=TokenSha256(self.token_sha256) if self.token_sha256 else None,
        )


class RevocationOutcome(Shown):
    """How many tokens are, or would be, revoked. From this answer on none of them is granted to anybody."""

    dry_run: bool
    tokens: int
    lost: int = Field(description="those among them that cannot be revoked; they end by themselves")
    holders: list[str] = Field(description=f"who has them, the first {_MOST_HOLDERS}")
    operation_id: UUID | None = Field(description="the operation that tells GitHub; null where nothing is to be done")


@router.get("/tokens")
async def list_tokens(
    resources: Opened,
    _: SignedIn,
    installation_id: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    run_id: UUID | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownLiveToken]:
    """The tokens that live, with who holds them."""
    after = position_in(cursor)
    chosen = TokensChosen(
        installation_id=InstallationId(installation_id) if installation_id else None,
        run_id=RunId(run_id) if run_id else None,
    )
    async with resources.pool.acquire() as conn:
        found = await tokens.live_tokens(conn, chosen, after=TokenSha256(after) if after else None, limit=limit + 1)
    return page(found, limit=limit, position=lambda each: each.sha256, show=ShownLiveToken.model_validate)


@router.get("/tokens/audit")
async def list_token_audit(
    resources: Opened,
    _: SignedIn,
    kind: AuditKind | None = None,
    installation_id: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    run_id: UUID | None = None,
    operation_id: UUID | None = None,
    requested_by: Annotated[str | None, Query(max_length=500, description="as `key:ci` or `service:campaigns`")] = None,
    token_sha256: Annotated[str | None, Query(max_length=100)] = None,
    since: Moment | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownTokenAudit]:
    """What was granted, refused and revoked, newest first."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        found = await token_audit.page_audit(
            conn,
            kind=kind,
            installation_id=InstallationId(installation_id) if installation_id else None,
            run_id=RunId(run_id) if run_id else None,
            operation_id=OperationId(operation_id) if operation_id else None,
            requested_by=requested_by,
            token_sha256=TokenSha256(token_sha256) if token_sha256 else None,
            since=since,
            before=TokenAuditId(before) if before else None,
            limit=limit + 1,
        )
    return page(found, limit=limit, position=lambda each: each.id, show=ShownTokenAudit.model_validate)


@router.post("/tokens/revoke", status_code=202, responses={200: {"model": RevocationOutcome}})
async def revoke_tokens(
    body: NewRevocation, response: Response, resources: Opened, principal: SignedIn, waiting: Waits
) -> RevocationOutcome:
    """Ends tokens before their time: from this answer on nobody is given them, and GitHub is told by the operation."""
    async with resources.outbox.transaction() as work:
        found = await tokens.live_tokens(work.conn, body.chosen())
        if body.run_id and not body.include_shared:
            found = [each for each in found if set(each.holders) <= {f"run:{body.run_id}"}]
        if body.dry_run or not found:
            response.status_code = 200
            return _outcome(found, dry_run=body.dry_run)
        [operation] = await work.accept(
            commands.revoke_tokens(reason=body.reason or "revoked by hand", actor=principal.actor)
        )
        if body.run_id and not body.include_shared:
            await tokens.evict_unheld(work.conn, RunId(body.run_id), by=operation.id)
        else:
            await tokens.evict(work.conn, body.chosen(), by=operation.id)
    response.headers["Location"] = f"{V1}/operations/{operation.id}"
    await waiting.for_operation(operation)
    return _outcome(found, dry_run=False, operation_id=operation.id)


def _outcome(found: list[LiveToken], *, dry_run: bool, operation_id: OperationId | None = None) -> RevocationOutcome:
    holders = sorted({holder for each in found for holder in each.holders})
    return RevocationOutcome(
        dry_run=dry_run,
        tokens=len(found),
        lost=sum(each.is_lost for each in found),
        holders=holders[:_MOST_HOLDERS],
        operation_id=operation_id,
    )
