"""The campaign spec as a whole."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .changeset import ChangesetTemplate, Published
from .fields import AsTuple, CampaignName, SpecModel, as_tuple_of_one
from .selecting import FileCondition, OnEntry, Skip
from .steps import RunStep, Step


class CampaignSpec(SpecModel):
    """A campaign: what to select, what to do there, and what its pull requests look like."""

    version: Literal[1] = Field(description="Version of the spec's format")
    name: CampaignName = Field(description="Unique name: lower-case letters, digits and hyphens", examples=["bump-go"])
    description: str = Field("", max_length=2000, description="What the campaign is for")
    on: Annotated[tuple[OnEntry, ...], AsTuple] = Field(
        min_length=1, description="What to select: the union of the entries"
    )
    where: Annotated[tuple[FileCondition, ...], as_tuple_of_one] = Field(
        (), max_length=10, description="What files must be like; every condition must hold"
    )
    skip: Skip = Field(default_factory=lambda: Skip.model_validate({}), description="What to leave out")
    limit: int = Field(0, ge=0, description="0 = no limit; else a canary on the first so many repositories")
    steps: Annotated[tuple[Step, ...], AsTuple] = Field(
        min_length=1, max_length=100, description="What to do in each repository, in order"
    )
    changeset_template: ChangesetTemplate = Field(description="What each pull request looks like")
    on_error: Literal["continue"] = Field(
        "continue", description="continue: a failed repository does not stop the others"
    )

    def published_for(self, repository: str) -> Published:
        """How far the change of a repository (owner/name) is published."""
        return self.changeset_template.published_for(repository)

    @property
    def runs_code(self) -> bool:
        """Whether any step needs a working copy of the whole repository."""
        return any(isinstance(step, RunStep) for step in self.steps)
