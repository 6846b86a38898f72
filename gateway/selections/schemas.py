"""What selections show."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from shared.domain.repository import Visibility
from shared.domain.selection import SelectedRepository, SelectionPhase, SelectionState

from ..schemas import Given, Shown, ShownOperation, SpecDocument


class NewSelection(SpecDocument):
    """A spec to select by."""

    fresh: bool = Field(False, description="ask GitHub for everything, whatever the index of repositories has")


class GivenRepeat(Given):
    """How a selection is made once more."""

    fresh: bool | None = Field(None, description="ask GitHub for everything; null as the selection that is repeated")


class ShownSelection(Shown):
    """A selection as it is now."""

    id: UUID
    name: str = Field(description="name in the spec")
    namespace: str = Field(description="that of its campaign or, where it has none, of the spec")
    campaign_id: UUID | None
    run_id: UUID | None = Field(description="the run that it is for")
    schedule_id: UUID | None
    previous_id: UUID | None = Field(description="the selection that this one repeats")
    is_fresh: bool = Field(description="GitHub was asked for everything")
    state: SelectionState
    phase: SelectionPhase = Field(description="finding repositories by the entries, or examining their files")
    found: int = Field(description="repositories found so far")
    expected: int | None = Field(description="repositories to find; null while nobody can say")
    to_examine: int = Field(description="repositories whose files decide")
    examined: int
    requests: int = Field(description="requests to GitHub that it cost")
    points: int = Field(description="points of GitHub's GraphQL limit that it cost")
    index_as_of: datetime | None = Field(description="age of the index that answered; null where GitHub did")
    included: int
    excluded: int
    error: str | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class SelectionDetails(ShownSelection):
    """A selection with the spec that it was made from."""

    document: str


class StartedSelection(Shown):
    """A selection that was accepted, and the operation that makes it."""

    selection: ShownSelection
    operation: ShownOperation


class ShownRepository(Shown):
    """One repository and branch of a selection, and why it is in or out."""

    repository: str = Field(description="owner/name when it was selected")
    node_id: str
    database_id: int
    installation_id: int
    branch: str
    default_branch: str | None
    head_oid: str | None = Field(description="commit at `branch` when it was selected")
    included: bool
    reason: str
    entry: int = Field(description="index of the spec's `on` entry that decided")
    entries: list[int] = Field(description="indexes of all entries that found it")
    condition: int | None = Field(description="index of the `where` condition that left it out")
    visibility: Visibility
    archived: bool
    fork: bool
    template: bool
    language: str | None
    topics: list[str]
    properties: dict[str, list[str]]
    created_at: datetime | None
    pushed_at: datetime | None

    @classmethod
    def of(cls, selected: SelectedRepository) -> Self:
        """What is shown of a selected repository."""
        repository = selected.repository
        return cls(
            repository=repository.name_with_owner,
            node_id=repository.node_id,
            database_id=repository.database_id,
            installation_id=repository.installation_id,
            branch=selected.branch,
            default_branch=repository.default_branch,
            head_oid=selected.head_oid,
            included=selected.included,
            reason=selected.reason,
            entry=selected.entry,
            entries=list(selected.entries),
            condition=selected.condition,
            visibility=repository.visibility,
            archived=repository.is_archived,
            fork=repository.is_fork,
            template=repository.is_template,
            language=repository.language,
            topics=list(repository.topics),
            properties={name: list(values) for name, values in repository.properties.items()},
            created_at=repository.created_at,
            pushed_at=repository.pushed_at,
        )
