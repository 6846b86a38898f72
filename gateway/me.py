"""Who asks: what a client shows of the key or token that it was given."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from shared.domain.principal import PrincipalKind
from shared.domain.roles import KeyScope, Role

from .auth import SignedIn
from .schemas import Shown

router = APIRouter(prefix="/me", tags=["access"])


class ShownRoleOf(Shown):
    """A role in a namespace of campaigns."""

    role: Role
    namespace: str = Field(description="`*` = all of them, and what belongs to none")


class ShownMe(Shown):
    """Whoever sent the request, and what they may do."""

    kind: PrincipalKind
    name: str
    actor: str
    issuer: str
    grants: list[ShownRoleOf]
    scopes: list[KeyScope] = Field(description="what the API key is for, whatever the roles")


@router.get("")
async def get_me(principal: SignedIn) -> ShownMe:
    """Who you are to this gateway."""
    return ShownMe(
        kind=principal.kind,
        name=principal.name,
        actor=principal.actor,
        issuer=principal.issuer,
        grants=[ShownRoleOf.model_validate(each) for each in principal.grants],
        scopes=sorted(principal.scopes),
    )
