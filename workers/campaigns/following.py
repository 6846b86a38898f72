"""Following open pull requests: asks GitHub for what webhooks missed, 100 pull requests a request.

Those asked for least recently come first, so that each has its turn however many there are. A limit of one
installation ends its turn and no other's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

import structlog

from shared.clock import utcnow
from shared.domain.ids import InstallationId
from shared.domain.installation import TokenRequest, TokenScope
from shared.domain.operation import Service
from shared.domain.permissions import Level, Permissions
from shared.domain.principal import Principal
from shared.domain.target import ReviewState, Target, TargetState
from shared.errors import GitHubError, NotFound, NotPermitted, Unavailable
from shared.github.following import MOST_AT_ONCE, FollowedPullRequest
from shared.github.following import follow_pull_requests as ask_for_pull_requests
from shared.outbox import Work
from shared.postgres import installations, pull_requests

from .context import CampaignsContext
from .moves import move_target
from .publishing import state_of

MOST_A_PASS = 20 * MOST_AT_ONCE
"""Pull requests asked for in one pass, so that a pass ends."""

WANTED = {"metadata": Level.READ, "pull_requests": Level.READ, "contents": Level.READ}
WELCOME = {"checks": Level.READ, "statuses": Level.READ}
"""Asked for where the installation grants it; without it the state of checks stays unknown."""

_log = structlog.get_logger(__name__)


async def follow_pull_requests(ctx: CampaignsContext) -> None:
    """One pass over the pull requests that were not asked for lately."""
    pause = timedelta(seconds=ctx.settings.follow_interval_seconds)
    async with ctx.pool.acquire() as conn:
        due = await pull_requests.due_for_reconcile(conn, checked_before=utcnow() - pause / 2, limit=MOST_A_PASS)
    by_installation = sorted(due, key=lambda target: target.installation_id)
    for installation_id, group in groupby(by_installation, key=lambda target: target.installation_id):
        try:
            await _follow_installation(ctx, installation_id, list(group))
        except (GitHubError, NotFound, NotPermitted, Unavailable) as error:
            _log.warning("following_stopped", installation_id=installation_id, error=str(error))


def permissions_to_follow(granted: Permissions) -> Permissions:
    """What to ask a token for, by what the installation grants."""
    return WANTED | {resource: level for resource, level in WELCOME.items() if resource in granted}


async def _follow_installation(ctx: CampaignsContext, installation_id: InstallationId, due: Sequence[Target]) -> None:
    async with ctx.pool.acquire() as conn:
        installation = await installations.get_installation(conn, installation_id)
    request = TokenRequest(
        scope=TokenScope(installation_id=installation_id, permissions=permissions_to_follow(installation.permissions)),
        requester=Principal.of_service(Service.CAMPAIGNS),
        purpose="follow pull requests",
    )
    for start in range(0, len(due), MOST_AT_ONCE):
        batch = due[start : start + MOST_AT_ONCE]
        token = await ctx.tokens.get(request)
        node_ids = sorted({target.pull_request.node_id for target in batch if target.pull_request})
        found = await ask_for_pull_requests(ctx.github, node_ids, token=token.token)
        async with ctx.outbox.transaction() as work:
            for target in batch:
                followed = found.get(target.pull_request.node_id) if target.pull_request else None
                if followed:
                    await _apply(work, target, followed)
            await pull_requests.mark_checked(work.conn, [target.id for target in batch])


async def _apply(work: Work, target: Target, followed: FollowedPullRequest) -> None:
    state = followed_state(followed, target.state)
    if state is not target.state:
        await move_target(work, target.id, to=state, pull_request_updated_at=followed.pull_request.updated_at)
    reviews = followed_reviews(followed, target.review_state)
    if (reviews, followed.checks_state) != (target.review_state, target.checks_state):
        await pull_requests.observe_reviews(
            work.conn, target.id, review_state=reviews, checks_state=followed.checks_state
        )


def followed_state(followed: FollowedPullRequest, current: TargetState) -> TargetState:
    """The target's state by what GitHub says now; while GitHub computes conflicts, what was known of them stands."""
    state = state_of(followed.pull_request)
    if state in (TargetState.MERGED, TargetState.CLOSED):
        return state
    conflicts = current is TargetState.CONFLICTED if followed.conflicts is None else followed.conflicts
    return TargetState.CONFLICTED if conflicts else state


def followed_reviews(followed: FollowedPullRequest, current: ReviewState) -> ReviewState:
    """A comment is no opinion, so GitHub's rollup does not know it: it stands until there is one."""
    if followed.review_state is ReviewState.NONE and current is ReviewState.COMMENTED:
        return current
    return followed.review_state
