"""What becomes of a target that has a pull request already when its steps have run again.

| the steps now     | the pull request                        | then                                                 |
| --- | --- | --- |
| change something  | any                                     | the change is published: see `publication.plan`      |
| change nothing    | open, its branch ends in a commit of ours | it is closed with a comment: the base has it already |
| change nothing    | open, ends in somebody else's commit    | it stays as it was, with a reason                    |
| change nothing    | merged or closed                        | the target is merged or closed                       |
| fail              | any                                     | it stays as it was, with a reason                    |
"""

from __future__ import annotations

from dataclasses import replace

from shared.domain.permissions import PUBLISH
from shared.domain.target import FOLLOWED, PullRequestRef, Target, TargetState
from shared.errors import GitHubInvalid
from shared.github.following import FollowedPullRequest, follow_pull_requests
from shared.github.pull_request_acts import comment
from shared.github.pull_requests import PullRequestState, close_pull_request
from shared.postgres import attempts

from ..access import repository_token
from ..context import CampaignsContext
from ..following.conflicts import ends_in_ours
from ..publication.publishing import state_of
from ..verdicts import JUDGED
from .preparing import Preparation

NEEDLESS = "the base branch has the whole change already"


async def conclude_again(ctx: CampaignsContext, target: Target, preparation: Preparation) -> Preparation:
    """The preparation as it is to be recorded, by the table above. Nothing changes for a first attempt."""
    if target.pull_request is None or preparation.state not in (TargetState.FAILED, TargetState.UNCHANGED):
        return preparation
    if preparation.state is TargetState.FAILED:
        why = f"the steps failed on the newest {target.base_branch}: {preparation.reason}"
        return await _as_it_was(ctx, target, preparation, why=why)
    try:
        return await _conclude_unchanged(ctx, target, target.pull_request, preparation)
    except JUDGED as error:
        why = f"the steps change nothing any more, but the pull request cannot be closed: {error}"
        return await _as_it_was(ctx, target, preparation, why=why)


async def _as_it_was(ctx: CampaignsContext, target: Target, preparation: Preparation, *, why: str) -> Preparation:
    async with ctx.pool.acquire() as conn:
        before = await attempts.state_before_attempt(conn, target.id)
    stopped = TargetState.FAILED if preparation.state is TargetState.FAILED else TargetState.BLOCKED
    state = before if before in FOLLOWED else stopped
    return replace(preparation, state=state, reason=f"{why}; the pull request stays as it was")


async def _conclude_unchanged(
    ctx: CampaignsContext, target: Target, pull_request: PullRequestRef, preparation: Preparation
) -> Preparation:
    async with repository_token(ctx, target, PUBLISH, purpose="close") as token:
        found = await follow_pull_requests(ctx.github, [pull_request.node_id], token=token)
        followed = found.get(pull_request.node_id)
        if followed is None:
            return preparation
        if followed.pull_request.state is not PullRequestState.OPEN:
            return replace(preparation, state=state_of(followed.pull_request))
        if not ends_in_ours(target, followed):
            why = "the steps change nothing any more, but the branch holds commits that Octobatch did not make"
            return await _as_it_was(ctx, target, preparation, why=why)
        await _close(ctx, target, followed, token=token)
    return replace(preparation, state=TargetState.CLOSED, reason=NEEDLESS)


async def _close(ctx: CampaignsContext, target: Target, followed: FollowedPullRequest, *, token: str) -> None:
    """Closed first, so that whoever finds it closed comments no second time."""
    node_id = followed.pull_request.ref.node_id
    try:
        await close_pull_request(ctx.github, node_id, token=token)
    except GitHubInvalid:  # somebody has just closed it
        return
    body = f"`{target.base_branch}` has this whole change already, so Octobatch has closed this pull request."
    await comment(ctx.github, node_id, body=body, token=token)
