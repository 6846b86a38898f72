"""What looking into selections shows."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.domain.selection_views import Change, Facet

from ..paging import Page
from ..schemas import Shown
from .schemas import ShownRepository


class ShownFacetValue(Shown):
    """How many repositories have a value; those that have none count under the empty value."""

    value: str
    count: int


class Facets(Shown):
    """Counts by facet, the commonest value first."""

    total: int = Field(description="repositories and branches that were counted")
    facets: dict[Facet, list[ShownFacetValue]]


class ShownPart(Shown):
    """An entry of `on` or a condition of `where`, and what it says."""

    index: int
    text: str


class ShownKnown(Shown):
    """A repository as the index has it now."""

    node_id: str
    name_with_owner: str
    is_archived: bool
    created_at: datetime | None
    seen_at: datetime = Field(description="when GitHub told of it last")


class ShownExplanation(Shown):
    """Why a repository is in or out of a selection."""

    repository: str = Field(description="what was asked for")
    verdict: str
    branches: list[ShownRepository] = Field(description="its branches in the selection; empty where no entry found it")
    entries: list[ShownPart] = Field(description="every entry that found it")
    conditions: list[ShownPart] = Field(description="the condition that left it out")
    known: ShownKnown | None


class ShownSide(Shown):
    """A repository and branch as one selection has it."""

    name_with_owner: str
    branch: str
    included: bool
    reason: str


class ShownDifference(Shown):
    """A repository and branch that two selections do not have alike."""

    node_id: str
    changes: list[Change]
    before: ShownSide | None = Field(description="null where it was not found before")
    after: ShownSide | None = Field(description="null where it is not found any more")


class Differences(Page[ShownDifference]):
    """What is different in a later selection."""

    counts: dict[Change, int] | None = Field(description="how many of each change, on the first page")
