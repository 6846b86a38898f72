"""What selections show."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from shared.domain.selection import SelectedRepository, SelectionState

from ..schemas import Shown, ShownOperation


class ShownSelection(Shown):
    """A selection as it is now."""

    id: UUID
    run_id: UUID | None
    state: SelectionState
    included: int
    excluded: int
    error: str | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class StartedSelection(Shown):
    """A selection that was accepted, and the operation that makes it."""

    selection: ShownSelection
    operation: ShownOperation


class ShownRepository(Shown):
    """One repository and branch of a selection, and why it is in or out."""

    repository: str = Field(description="owner/name")
    node_id: str
    branch: str
    head_oid: str | None
    included: bool
    entry: int = Field(description="index of the spec's `on` entry that found it first")
    reason: str


def shown_repository(selected: SelectedRepository) -> ShownRepository:
    """What is shown of a selected repository."""
    return ShownRepository(
        repository=selected.repository.name_with_owner,
        node_id=selected.repository.node_id,
        branch=selected.branch,
        head_oid=selected.head_oid,
        included=selected.included,
        entry=selected.entry,
        reason=selected.reason,
    )
