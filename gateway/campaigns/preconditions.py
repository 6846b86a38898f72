"""`If-Match` and `If-None-Match` of a campaign that is put: two who edit it do not overwrite each other."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

from shared.domain.campaign import Campaign
from shared.errors import PreconditionFailed

from ..conditional import is_among, tag_of
from .schemas import ShownCampaign

IfMatch = Annotated[
    str | None, Header(max_length=1000, description="the `ETag` of what is to be changed; `*`: whatever it is")
]
IfNoneMatch = Annotated[str | None, Header(max_length=1000, description="`*`: create it, and change nothing")]


def check_preconditions(campaign: Campaign | None, if_match: str | None, if_none_match: str | None) -> None:
    """Raises `PreconditionFailed` where the campaign, locked, is not what the headers say; None = there is none."""
    tag = tag_of(ShownCampaign.model_validate(campaign)) if campaign else None
    if if_match and not (tag and is_among(tag, if_match)):
        raise PreconditionFailed("the campaign is not what `If-Match` names any more")
    if if_none_match and tag and is_among(tag, if_none_match):
        raise PreconditionFailed("there is such a campaign")
