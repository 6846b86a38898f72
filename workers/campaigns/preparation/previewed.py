"""Publishing exactly what a preview showed: its targets with their changes, where the base branches stand as they did.

No step runs. Where a base branch moved since, the change is not published: its target is `blocked` and says so, or
is prepared anew where the run was started so. Only the first attempt of a target is taken from the preview.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.ids import RunId, TargetId, new_id
from shared.domain.permissions import SELECT
from shared.domain.run import Moved, Run
from shared.domain.spec import CampaignSpec
from shared.domain.target import NewTarget, Target, TargetState
from shared.errors import GitHubError
from shared.github.branches import Base
from shared.outbox import Work
from shared.postgres import previews, releases

from ..access import repository_token
from ..context import CampaignsContext
from ..finishing import finish_run_if_settled
from ..moves import move_all, move_target
from ..planning import take_over
from ..release.pausing import pause_if_paused
from ..verdicts import JUDGED, Verdict, verdict_on
from .reading import Reader

SHORT_OID = 7


async def plan_from_preview(work: Work, run: Run, preview_run_id: RunId, spec: CampaignSpec) -> list[NewTarget]:
    """Makes the targets of a run from those of its preview that have a change."""
    prepared = await previews.list_prepared(work.conn, preview_run_id)
    taken = [(target.id, take_over(target, run, spec, target_id=TargetId(new_id()))) for target in prepared]
    await previews.insert_from_preview(work.conn, run.id, taken)
    return [target for _, target in taken]


async def take_from_preview(
    ctx: CampaignsContext, waiting: Sequence[Target], *, run: Run, spec: CampaignSpec, actor: str
) -> list[Target]:
    """Has published what still fits of a preview's changes; gives the targets that are to be prepared all the same.

    The base branches of 100 targets are asked for in one request. The targets are of one batch.
    """
    taken = [target for target in waiting if target.state is TargetState.PENDING and target.attempt == 1]
    if not run.preview_run_id or not taken:
        return list(waiting)
    verdicts = await _verdicts(ctx, taken)
    if run.moved is Moved.PREPARE:
        verdicts = {target_id: each for target_id, each in verdicts.items() if not each or not each.has_moved}
    async with ctx.outbox.transaction() as work:
        if await pause_if_paused(work, run.id):
            return []
        await _publish(work, [target_id for target_id, found in verdicts.items() if found is None], spec, actor)
        for target_id, found in verdicts.items():
            if found:
                await move_target(work, target_id, to=found.verdict.state, reason=found.verdict.reason)
    await finish_run_if_settled(ctx, run.id)
    return [target for target in waiting if target.id not in verdicts]


async def _verdicts(ctx: CampaignsContext, taken: Sequence[Target]) -> dict[TargetId, BaseVerdict | None]:
    """For each target why it may not be published as it was prepared, or None."""
    try:
        async with repository_token(ctx, taken[0], SELECT, purpose="compare with the preview") as token:
            bases = await Reader(ctx.github, token).bases(taken)
    except JUDGED as error:
        return {target.id: BaseVerdict(verdict_on(error)) for target in taken}
    return {
        target.id: BaseVerdict(verdict_on(base)) if isinstance(base, GitHubError) else judge_base(target, base)
        for target, base in zip(taken, bases, strict=True)
    }


@dataclass(frozen=True)
class BaseVerdict:
    """Why a previewed change is not published; `has_moved` where the steps could run on the base branch as it is."""

    verdict: Verdict
    has_moved: bool = False


def judge_base(target: Target, base: Base | None) -> BaseVerdict | None:
    """What comes of a previewed change by where its base branch stands now; None where it still fits."""
    if base is None:
        return _blocked("the repository is gone, or the App may not see it any more")
    if base.is_archived:
        return _blocked("the repository is archived")
    if base.oid is None:
        return _blocked(f"the branch {target.base_branch} is gone since the preview")
    if base.oid != target.base_oid:
        before, after = str(target.base_oid)[:SHORT_OID], base.oid[:SHORT_OID]
        return _blocked(f"{target.base_branch} moved from {before} to {after} since the preview", has_moved=True)
    return None


def _blocked(reason: str, *, has_moved: bool = False) -> BaseVerdict:
    return BaseVerdict(Verdict(state=TargetState.BLOCKED, reason=reason), has_moved)


async def _publish(work: Work, target_ids: Sequence[TargetId], spec: CampaignSpec, actor: str) -> None:
    """Has these published at once, or as their rollout lets them."""
    moves = await move_all(work, target_ids, to=TargetState.PREPARED)
    if spec.rollout.is_at_once:
        moved = [move.target.id for move in moves]
        released = await releases.release_targets(work.conn, moved, now=utcnow())
        await work.accept(*(commands.publish_target(target, actor=actor) for target in released))
