"""Who asks: what a client shows of the key or token that it was given."""

from __future__ import annotations

from fastapi import APIRouter

from shared.domain.principal import PrincipalKind

from .auth import SignedIn
from .schemas import Shown

router = APIRouter(prefix="/me", tags=["access"])


class ShownMe(Shown):
    """Whoever sent the request."""

    kind: PrincipalKind
    name: str
    actor: str
    issuer: str


@router.get("")
async def get_me(principal: SignedIn) -> ShownMe:
    """Who you are to this gateway."""
    return ShownMe.model_validate(principal)
