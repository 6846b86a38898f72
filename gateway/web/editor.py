"""Writing the spec of a campaign: a new one, from a starting point, or the next version of one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from shared.errors import NotFound
from shared.postgres import campaigns

from ..resources import Opened
from .kit import FOLDER, render

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Start:
    """A spec to begin with; `name` is that of its file."""

    name: str
    title: str
    meaning: str

    @property
    def document(self) -> str:
        """The spec."""
        return _read(self.name)


STARTS = (
    Start(name="add-file", title="Add a file", meaning="Write the same file where it is missing: no code runs"),
    Start(name="replace-text", title="Replace text", meaning="A regular expression over files, in waves"),
    Start(name="update-workflows", title="Update workflows", meaning="Set values in YAML, comments and order stay"),
    Start(name="run-script", title="Run a script", meaning="Any command in an isolated copy, for whoever has a go.mod"),
    Start(name="monorepo", title="Split a monorepo", meaning="One pull request for each set of code owners"),
)


@lru_cache(maxsize=len(STARTS))
def _read(name: str) -> str:
    return (FOLDER / "starts" / f"{name}.yaml").read_text()


@router.get("/ui/new-campaign")
async def new_campaign_page(
    request: Request, resources: Opened, start: Annotated[str, Query(max_length=100)] = STARTS[0].name
) -> Response:
    """A spec to write, from a starting point."""
    chosen = next((each for each in STARTS if each.name == start), None)
    if chosen is None:
        raise NotFound("starting point", start)
    return await render(
        request, resources, "editor.html", campaign=None, document=chosen.document, starts=STARTS, start=chosen
    )


@router.get("/ui/campaigns/{name}/edit")
async def edit_campaign_page(request: Request, name: str, resources: Opened) -> Response:
    """The newest version of a campaign's spec, to write the next one."""
    async with resources.pool.acquire() as conn:
        campaign = await campaigns.get_campaign(conn, name)
        version = await campaigns.get_spec_version(conn, campaign.id, campaign.current_version)
    return await render(
        request, resources, "editor.html", campaign=campaign, document=version.document, starts=(), start=None
    )
