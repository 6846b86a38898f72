"""Dry runs of scopes: what a token would give to who asks. Only a probe mints one, and that is revoked at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import structlog

from shared.domain.ids import InstallationId
from shared.domain.installation import Installation, InstallationToken, TokenRequest, TokenScope
from shared.domain.permissions import Level, Permissions, missing_permissions, parse_permissions
from shared.domain.policy import Decision, Wanted, decide
from shared.domain.principal import Principal
from shared.domain.scopes import AppFacts, ScopeReport, WantedScope, judge
from shared.errors import (
    GitHubError,
    InstallationNotFound,
    InstallationSuspended,
    InvalidInput,
    NotPermitted,
)
from shared.postgres import installations, policies, token_audit

from .context import TokensContext
from .installations import refresh

PURPOSE = "probe of a scope"
_AT_ONCE = 10

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What GitHub said to a real request. `detail` is what it refused, or why it was not asked."""

    minted: bool
    permissions: Permissions
    repository_selection: str | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class ScopeAnswer:
    """The report, what trust policies say whatever GitHub grants, and the probe where one was asked for."""

    report: ScopeReport
    decision: Decision
    probe: Probe | None

    def to_json(self) -> dict[str, Any]:
        """For who asked; policies that do not name it are not told of."""
        facts = {"policy": self.decision.policy, "policy_reason": self.decision.reason}
        return {**asdict(self.report), **facts, "probe": asdict(self.probe) if self.probe else None}


async def dry_run(ctx: TokensContext, payload: Mapping[str, Any]) -> ScopeAnswer:
    """Asks GitHub how App and installation are now, and judges by that.

    Raises `InstallationNotFound` where the App never was there, `InvalidInput`, and what GitHub raises.
    """
    request, wants_probe = _parse(payload)
    app = await _app_facts(ctx)
    installation = await _installation(ctx, request.scope.installation_id)
    wanted = await _look_up(ctx, request, installation)
    decision = await _decide(ctx, request, installation, wanted)
    if not decision.allowed:  # who may not have a token is not told which repositories there are
        wanted = replace(wanted, found=(), not_found=())
    report = judge(wanted, app, installation, decision)
    probe = await _probe(ctx, request, wanted, decision) if wants_probe else None
    return ScopeAnswer(report=report, decision=decision, probe=probe)


def _parse(payload: Mapping[str, Any]) -> tuple[TokenRequest, bool]:
    try:
        scope = TokenScope(
            installation_id=InstallationId(int(payload["installation_id"])),
            permissions=parse_permissions(payload["permissions"]),
            repository_ids=tuple(dict.fromkeys(int(each) for each in payload["repository_ids"])),
        )
        request = TokenRequest(
            scope=scope,
            requester=Principal.from_json(payload["requester"]),
            purpose=PURPOSE,
            repository_names=tuple(dict.fromkeys(str(each) for each in payload["repositories"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(f"not a question about a scope: {error}") from error
    return request, bool(payload.get("probe"))


async def _app_facts(ctx: TokensContext) -> AppFacts:
    facts = await ctx.app.get_app()
    owner: dict[str, Any] = facts.get("owner") or {}
    return AppFacts(
        slug=facts["slug"],
        owner=owner.get("login") or owner.get("slug") or "",
        owner_is_organization=owner.get("type") != "User",
        permissions=parse_permissions(facts["permissions"]),
        web=ctx.app.github.addresses.web,
        page=facts["html_url"],
    )


async def _installation(ctx: TokensContext, installation_id: InstallationId) -> Installation:
    await refresh(ctx, installation_id)
    async with ctx.pool.acquire() as conn:
        known = await installations.fetch_installation(conn, installation_id)
    if known is None:
        raise InstallationNotFound(f"there is no installation {installation_id} of the App")
    return known


async def _look_up(ctx: TokensContext, request: TokenRequest, installation: Installation) -> WantedScope:
    """Which of the repositories the installation has; nothing is asked of one that gives no tokens."""
    wanted = WantedScope(permissions=request.scope.permissions)
    if installation.suspended_at or installation.deleted_at:
        return wanted
    places = asyncio.Semaphore(_AT_ONCE)

    async def find(asked: int | str) -> tuple[str, int] | None:
        async with places:
            return await _find(ctx, installation, asked)

    asked = [*request.scope.repository_ids, *request.repository_names]
    answers = await asyncio.gather(*(find(each) for each in asked))
    return replace(
        wanted,
        found=tuple(dict.fromkeys(answer for answer in answers if answer)),
        not_found=tuple(str(each) for each, answer in zip(asked, answers, strict=True) if answer is None),
    )


async def _find(ctx: TokensContext, installation: Installation, asked: int | str) -> tuple[str, int] | None:
    ids, names = ([asked], []) if isinstance(asked, int) else ([], [asked])
    try:
        [found] = await ctx.repositories.find(installation, ids=ids, names=names)
        serving = await ctx.app.installation_of_repository(found.name)  # a public repository can be seen by anybody
    except (NotPermitted, InstallationNotFound):
        return None
    return (found.name, found.id) if serving.id == installation.id else None


async def _decide(
    ctx: TokensContext, request: TokenRequest, installation: Installation, wanted: WantedScope
) -> Decision:
    """What policies say, as if the installation granted all that is asked for."""
    async with ctx.pool.acquire() as conn:
        trusted = [each.policy for each in await policies.list_policies(conn)]
    lacking = missing_permissions(request.scope.permissions, installation.permissions)
    names = [name if "/" in name else f"{installation.account}/{name}" for name in request.repository_names]
    return decide(
        trusted,
        request.requester,
        Wanted(
            account=installation.account,
            granted={**installation.permissions, **lacking},
            repositories=tuple(dict.fromkeys([*names, *(name for name, _ in wanted.found)])),
            permissions=request.scope.permissions,
        ),
    )


async def _probe(ctx: TokensContext, request: TokenRequest, wanted: WantedScope, decision: Decision) -> Probe:
    if not decision.allowed:
        return await _refused(ctx, request, decision.reason)
    if len(wanted.found) < len({*request.scope.repository_ids, *request.repository_names}):
        return await _refused(ctx, request, "GitHub was not asked: not all of the repositories are there")
    ids = tuple(sorted(repository_id for _, repository_id in wanted.found))
    scope = replace(request.scope, permissions=decision.permissions, repository_ids=ids)
    request = replace(request, scope=scope)
    try:
        token = await ctx.app.mint(scope)
    except (NotPermitted, InstallationSuspended, InstallationNotFound) as error:
        return await _refused(ctx, request, str(error))
    detail = await _end(ctx, request, token, policy=decision.policy)
    return Probe(
        minted=True,
        permissions=token.permissions,
        repository_selection=token.repository_selection,
        detail=detail or "",
    )


async def _refused(ctx: TokensContext, request: TokenRequest, reason: str) -> Probe:
    async with ctx.pool.acquire() as conn:
        await token_audit.record_refusal(conn, request=request, reason=reason)
    return Probe(minted=False, permissions=dict[str, Level](), detail=reason)


async def _end(
    ctx: TokensContext, request: TokenRequest, token: InstallationToken, *, policy: str | None
) -> str | None:
    """Revokes the probe's token, whether or not its grant could be recorded; what went wrong, if anything did."""
    failure = None
    try:
        async with ctx.pool.acquire() as conn:
            await token_audit.record_probe(conn, request=request, token=token, policy=policy)
    finally:
        try:
            await ctx.app.revoke(token.token, minted_at=token.minted_at)
        except GitHubError as error:
            failure = f"the token could not be revoked and ends at {token.expires_at.isoformat()}: {error}"
            _log.warning("probe_not_revoked", installation_id=token.installation_id, error=str(error))
    async with ctx.pool.acquire() as conn:
        await token_audit.record_probe_end(conn, request=request, token=token, reason=failure)
    return failure
