"""The targets that `transformChanges` makes of one: each part of a change has its own branch and pull request. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from uuid import UUID

from shared.domain.change import ChangePart, PreparedChange
from shared.domain.ids import TargetId
from shared.domain.spec import CampaignSpec
from shared.domain.target import NewTarget, Target

_RANDOM_BITS = (1 << 62) - 1


def part_target(planned: Target, part: ChangePart, *, spec: CampaignSpec) -> NewTarget:
    """The target of a part, the same whenever the planned target is prepared."""
    return NewTarget(
        id=_part_id(planned, part.group),
        run_id=planned.run_id,
        campaign_id=planned.campaign_id,
        repository_node_id=planned.repository_node_id,
        repository_id=planned.repository_id,
        repository=planned.repository,
        installation_id=planned.installation_id,
        base_branch=planned.base_branch,
        base_oid=part.change.base_oid,
        branch=_branch(planned, part, spec),
        group=part.group,
        publish_as=planned.publish_as,
        batch=planned.batch,
    )


def part_of(change: PreparedChange, group: str) -> PreparedChange:
    """The part of a group, or an empty change that says why there is none."""
    found = next((part.change for part in change.parts if part.group == group), None)
    return found or replace(
        change, files=(), parts=(), why_empty=f"the steps change nothing any more that belongs to {group}"
    )


def _branch(planned: Target, part: ChangePart, spec: CampaignSpec) -> str:
    """The head branch of a part; beside another base branch than the default it is named as the planned one is."""
    if part.branch.startswith("-"):
        return f"{planned.branch}{part.branch}"
    beside = f"-{planned.base_branch}"
    names_base = "repository.branch" in spec.changeset_template.branch
    return f"{part.branch}{beside}" if not names_base and planned.branch.endswith(beside) else part.branch


def _part_id(planned: Target, group: str) -> TargetId:
    """An id of the same time as the planned target's, whose random part comes of it and the group."""
    digest = hashlib.sha256(planned.id.bytes + group.encode()).digest()
    chosen = int.from_bytes(digest[:8]) & _RANDOM_BITS
    return TargetId(UUID(int=planned.id.int & ~_RANDOM_BITS | chosen))
