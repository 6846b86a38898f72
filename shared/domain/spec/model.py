"""The campaign spec as a whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from ...errors import InvalidInput
from ..roles import DEFAULT_NAMESPACE, Namespace
from ..selection_schedule import next_time
from .changeset import ChangesetTemplate, Published
from .fields import AsTuple, CampaignName, RepositoryName, SpecModel, as_tuple_of_one, wrong
from .hooks import Hooks
from .notifying import Notifications
from .rollout import Rollout
from .selecting import FileCondition, OnEntry, Skip
from .steps import RunStep, Step
from .transforming import TransformChanges
from .workspaces import Workspace


def _most_failures(value: Any) -> Any:
    if value == "continue":
        return None
    if value == "fail-fast":
        return 0
    limit = cast("dict[Any, Any]", value) if isinstance(value, dict) else {}
    most: Any = limit.get("maxFailures")
    if list(limit) != ["maxFailures"] or not isinstance(most, int) or isinstance(most, bool) or most < 0:
        raise wrong("must be continue, fail-fast, or {maxFailures: N}")
    return most


_ON_ERROR_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": ["continue", "fail-fast"]},
        {
            "type": "object",
            "properties": {"maxFailures": {"type": "integer", "minimum": 0}},
            "required": ["maxFailures"],
            "additionalProperties": False,
        },
    ]
}


def _cron(text: str) -> str:
    try:
        next_time(text, after=_ANY_TIME)
    except InvalidInput as error:
        raise wrong(f"is no cron string: {error.problems[0].message}; {error.problems[0].hint}") from None
    return text


_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)


class ImportedChangesets(SpecModel):
    """Pull requests that are there already and are followed with the campaign's own."""

    repository: RepositoryName = Field(description="The repository, owner/name", examples=["acme/api"])
    external_ids: Annotated[tuple[Annotated[int, Field(ge=1)], ...], AsTuple] = Field(
        alias="externalIDs", min_length=1, max_length=1000, description="Numbers of pull requests", examples=[[12]]
    )


class CampaignSpec(SpecModel):
    """A campaign: what to select, what to do there, and what its pull requests look like."""

    version: Literal[1] = Field(description="Version of the spec's format")
    name: CampaignName = Field(description="Unique name: lower-case letters, digits and hyphens", examples=["bump-go"])
    namespace: Namespace = Field(
        DEFAULT_NAMESPACE, description="Whose it is: who may see and run it", examples=["payments"]
    )
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
    workspaces: Annotated[tuple[Workspace, ...], AsTuple] = Field(
        (), max_length=100, description="Monorepos: the steps run once for each root"
    )
    transform_changes: TransformChanges | None = Field(
        None, description="How a repository's change becomes several pull requests"
    )
    rollout: Rollout = Field(
        default_factory=lambda: Rollout.model_validate({}), description="How fast and in which waves pull requests open"
    )
    hooks: Hooks = Field(
        default_factory=lambda: Hooks.model_validate({}), description="What is done when checks fail, or on conflicts"
    )
    most_failures: Annotated[int | None, BeforeValidator(_most_failures), WithJsonSchema(_ON_ERROR_SCHEMA)] = Field(
        None,
        alias="onError",
        description="continue: failed repositories stop no other; fail-fast: the first ends the run;"
        " {maxFailures: N}: more than N end it",
        examples=["continue", {"maxFailures": 10}],
    )
    notifications: Notifications = Field((), max_length=10, description="Who is told of the campaign, and of what")
    schedule: Annotated[str, AfterValidator(_cron)] | None = Field(
        None, description="Cron, UTC: select again, and add repositories that match now", examples=["0 6 * * *"]
    )
    import_changesets: Annotated[tuple[ImportedChangesets, ...], AsTuple] = Field(
        (), max_length=1000, description="Pull requests that are there already, to be followed too"
    )

    @model_validator(mode="after")
    def _groups_have_branches_of_their_own(self) -> CampaignSpec:
        groups = self.transform_changes.group if self.transform_changes else ()
        if any(group.branch == self.changeset_template.branch for group in groups):
            raise wrong(f"a group has the branch {self.changeset_template.branch}, which is that of the other changes")
        return self

    def published_for(self, repository: str) -> Published:
        """How far the change of a repository (owner/name) is published."""
        return self.changeset_template.published_for(repository)

    @property
    def runs_code(self) -> bool:
        """Whether any step needs a working copy of the whole repository."""
        return any(isinstance(step, RunStep) for step in self.steps)
