"""Who may operate the streams, read the audit and change trust policies."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from shared.domain.principal import Principal

from ..auth import SignedIn


async def _administrator(principal: SignedIn) -> Principal:
    # Until there are roles every API key is an administrator's: this is where the role is to be asked for.
    return principal


Administrator = Annotated[Principal, Depends(_administrator)]
"""A route's parameter of this type is an administrator; without a valid credential the route is not reached."""
