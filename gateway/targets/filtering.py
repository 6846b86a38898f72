"""Which targets of a list are meant."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from shared.domain.bulk import TargetFilter, check_filter
from shared.domain.target import ChecksState, ReviewState, TargetState


async def _filter(
    *,
    state: Annotated[list[TargetState] | None, Query(description="any of these states")] = None,
    repository: Annotated[
        str | None, Query(min_length=1, max_length=300, description="a glob of owner/name, or a part of it")
    ] = None,
    review_state: Annotated[list[ReviewState] | None, Query(description="any of these states of reviews")] = None,
    checks_state: Annotated[list[ChecksState] | None, Query(description="any of these states of checks")] = None,
    group: Annotated[str | None, Query(max_length=300, description="exactly this group; empty: no group")] = None,
    reason: Annotated[str | None, Query(min_length=1, max_length=500, description="a part of the reason")] = None,
    text: Annotated[
        str | None,
        Query(min_length=1, max_length=500, description="a part of repository, branch or reason"),
    ] = None,
    owner: Annotated[
        str | None, Query(min_length=1, max_length=300, description="an account, a team `acme/core`, or a user `@mona`")
    ] = None,
    wave: Annotated[int | None, Query(ge=1, le=100, description="of this wave of the run's rollout, from 1")] = None,
    has_warnings: Annotated[bool | None, Query(description="with or without warnings")] = None,
    target: Annotated[list[UUID] | None, Query(alias="id", max_length=500, description="any of these targets")] = None,
) -> TargetFilter:
    """Raises `InvalidInput`."""
    wanted = TargetFilter(
        ids=tuple(target or ()),
        states=tuple(state or ()),
        repository=repository,
        review_states=tuple(review_state or ()),
        checks_states=tuple(checks_state or ()),
        group=group,
        reason=reason,
        text=text,
        owner=owner,
        wave=wave,
        has_warnings=has_warnings,
    )
    check_filter(wanted)
    return wanted


TargetsWanted = Annotated[TargetFilter, Depends(_filter)]
"""The filter of a request's query."""
