"""What Octobatch does by itself about a pull request that it follows: rebases, hooks, auto-merge.

Everything begins here, from what GitHub was asked, and never from a webhook alone: a webhook has the pull request
asked for at once. What is begun is recorded in the transaction that decides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.ids import RunId
from shared.domain.run import Run, RunState
from shared.domain.spec import CampaignSpec, MergeMethod
from shared.domain.target import FOLLOWED, ChecksState, Target, TargetState
from shared.github.following import FollowedPullRequest
from shared.outbox import Work
from shared.postgres import attempts, hook_firings, runs, targets
from shared.postgres.pool import Connection

from ..loading import load_spec
from ..moves import begin_again
from ..publication.plan import Rules
from .conflicts import (
    BECAUSE,
    MOST_REBASES,
    REBASES_COUNTED_FOR,
    ends_in_ours,
    is_owner,
    rebase_reason,
    too_often_reason,
    wants_rebase,
)
from .foreign import note_foreign_push

ON_CI_FAILURE, ON_MERGE_CONFLICT = "onCIFailure", "onMergeConflict"
AUTO_MERGE = "autoMerge"
ACTOR = "octobatch"


@dataclass(frozen=True, kw_only=True)
class Course:
    """What the targets of a run follow."""

    run: Run
    spec: CampaignSpec

    @property
    def goes_on(self) -> bool:
        """Whether anything is begun for its targets; those of a run that is paused or cancelled are only looked at."""
        return self.run.state in (RunState.RUNNING, RunState.COMPLETED) and self.run.paused_at is None

    @property
    def rules(self) -> Rules:
        """What the spec says about branches."""
        return Rules.of(self.spec.changeset_template)


async def courses_of(conn: Connection, followed: Sequence[Target]) -> dict[RunId, Course]:
    """The runs of these targets, with their specs."""
    found: dict[RunId, Course] = {}
    for run_id in {target.run_id for target in followed}:
        run = await runs.get_run(conn, run_id)
        found[run_id] = Course(run=run, spec=await load_spec(conn, run))
    return found


async def keep_up(work: Work, target: Target, followed: FollowedPullRequest, course: Course) -> None:
    """Begins what the target's pull request needs now; nothing where another run's target has it."""
    if target.state not in FOLLOWED or not course.goes_on or not is_owner(target, followed):
        return
    ours = ends_in_ours(target, followed)
    head_oid = followed.pull_request.head_oid
    if ours and target.head_oid != head_oid:
        await targets.note(work.conn, target.id, head_oid=head_oid)
    if not ours and not course.rules.overwrites:
        await note_foreign_push(work, target, followed.head_author or "somebody")
    if target.state is TargetState.CONFLICTED and await _rebase(work, target, followed, course.rules):
        return
    if ours:
        await _run_hooks(work, target, head_oid, course.spec)
        await _enable_auto_merge(work, target, followed, course.spec)


async def _rebase(work: Work, target: Target, followed: FollowedPullRequest, rules: Rules) -> bool:
    """Whether the steps run again on the new base."""
    if not wants_rebase(target, followed, rules):
        return False
    since = utcnow() - REBASES_COUNTED_FOR
    if await attempts.count_begun(work.conn, target.id, because=BECAUSE, since=since) >= MOST_REBASES:
        await targets.note(work.conn, target.id, reason=too_often_reason(target))
        return False
    return await begin_again(work, target.id, reason=rebase_reason(target, followed), actor=ACTOR) is not None


async def _run_hooks(work: Work, target: Target, head_oid: str, spec: CampaignSpec) -> None:
    due = {
        ON_MERGE_CONFLICT: spec.hooks.on_merge_conflict if target.state is TargetState.CONFLICTED else None,
        ON_CI_FAILURE: spec.hooks.on_ci_failure if target.checks_state is ChecksState.FAILED else None,
    }
    for name, hook in due.items():
        if hook and await hook_firings.insert_firing(work.conn, target.id, hook=name, head_oid=head_oid):
            await work.accept(commands.run_hook(target, hook=name, head_oid=head_oid))


async def _enable_auto_merge(work: Work, target: Target, followed: FollowedPullRequest, spec: CampaignSpec) -> None:
    """Once for a commit and a state of its checks, so that who switches auto-merge off is not fought."""
    wanted = spec.changeset_template.auto_merge is not MergeMethod.NONE and not followed.merges_itself
    if not wanted or target.state is not TargetState.OPEN or target.checks_state is ChecksState.FAILED:
        return
    head_oid, checks = followed.pull_request.head_oid, target.checks_state
    if await hook_firings.insert_firing(work.conn, target.id, hook=f"{AUTO_MERGE} {checks}", head_oid=head_oid):
        await work.accept(commands.enable_auto_merge(target, head_oid=head_oid, checks_state=checks))
