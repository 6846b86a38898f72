"""Looking ahead in a preview: what is on GitHub where the pull requests would be, a batch of targets in one request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.domain.artifact import ArtifactKind
from shared.domain.change import PreparedChange
from shared.domain.ids import TargetId
from shared.domain.permissions import PUBLISH, SELECT, Level, Permissions
from shared.domain.run import Run
from shared.domain.spec import CampaignSpec
from shared.domain.target import NewTarget, Target, TargetState
from shared.errors import GitHubUnavailable
from shared.github.outlooks import Outlook, WantedOutlook, fetch_outlooks
from shared.github.paging import PageSize
from shared.postgres import installations, targets

from ...batching import Batcher
from ..access import repository_token
from ..context import CampaignsContext
from ..publication.marks import pull_request_mark
from ..publication.plan import OwnCommits
from ..verdicts import JUDGED
from .outlook import Prospect, warnings_about, warnings_about_permissions
from .preparing import Preparation

LOOK = {**SELECT, "pull_requests": Level.READ}
_WORKFLOWS = ".github/workflows/"

Warnings = Mapping[TargetId, Sequence[str]]
"""The warnings about targets."""


def permissions_to_publish(change: PreparedChange) -> Permissions:
    """GitHub refuses an App that changes a workflow without the permission of that name."""
    if any(file.path.startswith(_WORKFLOWS) for file in change.files):
        return {**PUBLISH, "workflows": Level.WRITE}
    return PUBLISH


@dataclass(frozen=True)
class _Asked:
    batch_of: Target
    wanted: WantedOutlook


def _wanted(target: Target | NewTarget) -> WantedOutlook:
    return WantedOutlook(
        repository_node_id=target.repository_node_id, base_branch=target.base_branch, branch=target.branch
    )


class LookingAhead:
    """Looks ahead for the targets of one batch of a run; finds nothing but in a dry run.

    All of `batch` is asked for with the first of them; their parts, of which nothing is known before, as they come.
    """

    def __init__(self, ctx: CampaignsContext, batch: Sequence[Target], *, run: Run, spec: CampaignSpec) -> None:
        self._ctx, self._run, self._spec = ctx, run, spec
        self._batch = {target.id: _Asked(target, _wanted(target)) for target in batch}
        self._of_batch: asyncio.Task[Sequence[Outlook | None]] | None = None
        self._ask = Batcher(self._fetch)
        self._size = PageSize()

    async def look(self, target: Target, preparation: Preparation) -> Warnings:
        """The warnings about a target that was prepared, and about its parts; to be kept once they are recorded.

        Where GitHub cannot be asked that is a warning too; but a limit is raised, as everywhere.
        """
        if not self._run.dry_run:
            return {}
        prepared = [(part.target, part.preparation) for part in preparation.parts]
        prepared += [(target, preparation)] if preparation.state is TargetState.PREPARED else []
        found = await asyncio.gather(*(self._warnings(each, its, batch_of=target) for each, its in prepared))
        return {each.id: warnings for (each, _), warnings in zip(prepared, found, strict=True)}

    async def _warnings(
        self, target: Target | NewTarget, preparation: Preparation, *, batch_of: Target
    ) -> Sequence[str]:
        change = PreparedChange.from_json(preparation.contents[ArtifactKind.CHANGE])
        async with self._ctx.pool.acquire() as conn:
            installation = await installations.get_installation(conn, target.installation_id)
        warnings = [*warnings_about_permissions(installation.permissions, permissions_to_publish(change))]
        try:
            outlook = await self._outlook(target, batch_of)
        except (*JUDGED, GitHubUnavailable) as error:
            return [*warnings, f"access: what is on GitHub already could not be looked at: {error}"]
        own = await self._own(target, viewer=outlook.view.viewer if outlook else "")
        mark = pull_request_mark(target, campaign=self._run.campaign_name)
        return [*warnings, *warnings_about(Prospect(target=target, mark=mark, own=own), outlook, self._spec)]

    async def _outlook(self, target: Target | NewTarget, batch_of: Target) -> Outlook | None:
        if target.id not in self._batch:
            return await self._ask(_Asked(batch_of, _wanted(target)))
        self._of_batch = self._of_batch or asyncio.create_task(self._fetch(list(self._batch.values())))
        outlooks = await asyncio.shield(self._of_batch)
        return dict(zip(self._batch, outlooks, strict=True))[target.id]

    async def _own(self, target: Target | NewTarget, *, viewer: str) -> OwnCommits:
        async with self._ctx.pool.acquire() as conn:
            siblings = await targets.by_branch(conn, target.repository_node_id, target.branch)
        own = [sibling for sibling in siblings if sibling.campaign_id == target.campaign_id]
        return OwnCommits(
            viewer=viewer,
            recorded_oids={sibling.head_oid for sibling in own if sibling.head_oid},
            target_ids={sibling.id for sibling in own},
        )

    async def _fetch(self, asked: Sequence[_Asked]) -> Sequence[Outlook | None]:
        async with repository_token(self._ctx, asked[0].batch_of, LOOK, purpose="look ahead") as token:
            wanted = [each.wanted for each in asked]
            return await fetch_outlooks(self._ctx.github, wanted, token=token, size=self._size)
