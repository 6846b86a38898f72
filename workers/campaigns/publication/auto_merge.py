"""The spec's `autoMerge`: GitHub merges a pull request by itself once all that it requires is met."""

from __future__ import annotations

from shared.domain.permissions import PUBLISH
from shared.domain.spec import MergeMethod
from shared.domain.target import TargetState
from shared.errors import GitHubInvalid
from shared.github import pull_request_acts as acts
from shared.github.pull_requests import PullRequest
from shared.postgres import target_warnings

from ...runtime import Command
from ..access import repository_token
from ..context import CampaignsContext
from ..loading import load_spec, load_target
from ..moves import move_target
from ..verdicts import JUDGED
from .publishing import state_of

CLEAN = "clean status"
"""In GitHub's refusal where a pull request can be merged at once: nothing is waited for."""

NOT_NOW = ("unstable status", "draft", "Head branch was modified", "is closed", "already merged")
"""In its refusals of a pull request that is asked about again when something has changed."""


async def enable_auto_merge(ctx: CampaignsContext, command: Command) -> None:
    """Has GitHub merge the target's pull request by itself, or merges it where GitHub has nothing to wait for.

    Where the repository does not allow it, that becomes a warning of the target.
    """
    loaded = await load_target(ctx, command)
    target = loaded.target
    if target.state is not TargetState.OPEN or target.pull_request is None:
        return
    async with ctx.pool.acquire() as conn:
        method = (await load_spec(conn, loaded.run)).changeset_template.auto_merge
    try:
        async with repository_token(ctx, target, PUBLISH, purpose="auto-merge") as token:
            merged = await _enable_or_merge(
                ctx, target.pull_request.node_id, method=method, head_oid=command.payload["head_oid"], token=token
            )
    except JUDGED as error:
        if not any(words in str(error) for words in NOT_NOW):
            async with ctx.pool.acquire() as conn:
                await target_warnings.add_warning(conn, target.id, f"autoMerge: {error}")
        return
    if merged:
        async with ctx.outbox.transaction(completing=command.operation_id) as work:
            await move_target(work, target.id, to=state_of(merged), pull_request_updated_at=merged.updated_at)


async def _enable_or_merge(
    ctx: CampaignsContext, node_id: str, *, method: MergeMethod, head_oid: str, token: str
) -> PullRequest | None:
    """The pull request, where it was merged."""
    try:
        await acts.enable_auto_merge(ctx.github, node_id, method=method, expected_head_oid=head_oid, token=token)
    except GitHubInvalid as error:
        if CLEAN not in str(error):
            raise
    else:
        return None
    return await acts.merge_pull_request(ctx.github, node_id, method=method, expected_head_oid=head_oid, token=token)
