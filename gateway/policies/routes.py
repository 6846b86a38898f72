"""Trust policies: reading them, applying a document of them, and asking what they would decide."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Response, status

from shared.domain.audit import AuditAction
from shared.domain.policy import Decision, PolicyChanges, PolicyName, Wanted, decide, parse_policies, plan_changes
from shared.errors import NotFound
from shared.postgres import policies as stored_policies
from shared.postgres.audit import record_act
from shared.postgres.installations import fetch_installation_of

from ..auth import SignedIn
from ..paging import Page
from ..resources import Opened, Resources
from .schemas import GivenPolicies, GivenQuestion, ShownDecision, ShownPolicy, ShownPolicyChanges

router = APIRouter(tags=["policies"])
Name = Annotated[PolicyName, Path()]
log = structlog.stdlib.get_logger(__name__)


@router.get("/policies")
async def list_policies(resources: Opened, _: SignedIn) -> Page[ShownPolicy]:
    """All trust policies, in the order in which they are considered."""
    async with resources.pool.acquire() as conn:
        found = await stored_policies.list_policies(conn)
    return Page(items=[ShownPolicy.of(each) for each in found], next_cursor=None)


@router.put("/policies")
async def apply_policies(body: GivenPolicies, resources: Opened, principal: SignedIn) -> ShownPolicyChanges:
    """Apply a document: its policies come first, in its order; others follow or, with `prune`, are removed."""
    changes = await _apply(resources, body, actor=principal.actor)
    return ShownPolicyChanges.model_validate({**asdict(changes), "dry_run": body.dry_run})


@router.post("/policies/test")
async def decide_question(body: GivenQuestion, resources: Opened, _: SignedIn) -> ShownDecision:
    """Ask whether a token would be given, and why; none is made."""
    return ShownDecision.model_validate(await decide_of(resources, body))


@router.get("/policies/{name}")
async def get_policy(name: Name, resources: Opened, _: SignedIn) -> ShownPolicy:
    """One trust policy."""
    async with resources.pool.acquire() as conn:
        return ShownPolicy.of(await stored_policies.get_policy(conn, name))


@router.delete("/policies/{name}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_policy(name: Name, resources: Opened, principal: SignedIn) -> Response:
    """Delete a trust policy; tokens that it allowed live until they expire or are revoked."""
    async with resources.pool.acquire() as conn, conn.transaction():
        await stored_policies.delete_policy(conn, name)
        details = {"wanted": {"name": name}, "changed": {"removed": [name]}}
        await record_act(conn, actor=principal.actor, action=AuditAction.POLICIES_DELETE, service=None, details=details)
    log.info("policy_deleted", policy=name, actor=principal.actor)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


async def _apply(resources: Resources, body: GivenPolicies, *, actor: str) -> PolicyChanges:
    given = parse_policies(body.document)
    async with resources.pool.acquire() as conn, conn.transaction():
        await stored_policies.lock_policies(conn)
        present = [each.policy for each in await stored_policies.list_policies(conn)]
        changes = plan_changes(present, given, prune=body.prune)
        if body.dry_run:
            return changes
        await stored_policies.replace_policies(conn, changes.policies, updated_by=actor)
        details = {
            "wanted": {"policies": [policy.name for policy in given], "prune": body.prune},
            "changed": {
                "added": list(changes.added),
                "changed": list(changes.changed),
                "removed": list(changes.removed),
            },
        }
        await record_act(conn, actor=actor, action=AuditAction.POLICIES_APPLY, service=None, details=details)
    log.info("policies_applied", actor=actor, **details["changed"])
    return changes


async def decide_of(resources: Resources, question: GivenQuestion) -> Decision:
    """What the policies say of a request; raises `NotFound` for an account without installation."""
    async with resources.pool.acquire() as conn:
        installation = await fetch_installation_of(conn, question.account)
        if installation is None:
            raise NotFound("installation on the account", question.account)
        policies = [each.policy for each in await stored_policies.list_policies(conn)]
    wanted = Wanted(
        account=installation.account,
        granted=installation.permissions,
        repositories=tuple(question.repositories),
        permissions=question.permissions,
    )
    return decide(policies, question.principal.principal(), wanted)
