"""Following pull requests: asks GitHub for what webhooks missed, 100 pull requests a request.

Those asked for least recently come first, so that each has its turn however many there are. A limit of one
installation ends its turn and no other's. A target that has moved, or begun again, since it was read for the question
is left to the next pass, as is an answer that is older than what a webhook has told meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby

import structlog

from shared.clock import utcnow
from shared.domain.ids import InstallationId, TargetId
from shared.domain.installation import TokenRequest, TokenScope
from shared.domain.operation import Service
from shared.domain.permissions import Level, Permissions
from shared.domain.principal import Principal
from shared.domain.target import Target, TargetState
from shared.errors import GitHubError, NotFound, NotPermitted, Unavailable
from shared.github.following import MOST_AT_ONCE, FollowedPullRequest
from shared.github.following import follow_pull_requests as ask_for_pull_requests
from shared.github.pull_requests import PullRequestState
from shared.outbox import Work
from shared.postgres import installations, pull_requests

from ..context import CampaignsContext
from ..moves import move_target
from ..publication.publishing import state_of
from .keeping_up import courses_of, keep_up
from .observations import state_to_take

MOST_A_PASS = 20 * MOST_AT_ONCE
"""Pull requests asked for in one pass, so that a pass ends."""

MOST_OF_AN_INSTALLATION = 5 * MOST_AT_ONCE
"""Of these those of one installation: with the usual interval a third of its points an hour, at 3 points a request."""

UNSURE_COUNTS_AS = timedelta(minutes=5)
"""An answer that leaves open whether there is a conflict is as good as one so old."""

CLOSED_LESS_OFTEN = 10
"""So many intervals pass between two looks at a pull request that was closed unmerged: it may be opened again."""

CLOSED_FOLLOWED_FOR = timedelta(days=14)

WANTED = {"metadata": Level.READ, "pull_requests": Level.READ, "contents": Level.READ}
WELCOME = {"checks": Level.READ, "statuses": Level.READ}
"""Asked for where the installation grants it; without it the state of checks stays unknown."""

_log = structlog.get_logger(__name__)


async def follow_pull_requests(ctx: CampaignsContext) -> None:
    """One pass over the pull requests that were not asked for lately."""
    pause = timedelta(seconds=ctx.settings.follow_interval_seconds)
    async with ctx.pool.acquire() as conn:
        due = await pull_requests.due_for_reconcile(
            conn,
            checked_before=utcnow() - pause / 2,
            closed_checked_before=utcnow() - pause * CLOSED_LESS_OFTEN,
            closed_since=utcnow() - CLOSED_FOLLOWED_FOR,
            limit=MOST_A_PASS,
        )
    by_installation = sorted(due, key=lambda target: target.installation_id)
    for installation_id, group in groupby(by_installation, key=lambda target: target.installation_id):
        try:
            await _follow_installation(ctx, installation_id, list(group)[:MOST_OF_AN_INSTALLATION])
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
        await _take_in(ctx, batch, found)


async def _take_in(ctx: CampaignsContext, batch: Sequence[Target], found: Mapping[str, FollowedPullRequest]) -> None:
    asked = {target.id: target for target in batch}
    async with ctx.outbox.transaction() as work:
        courses = await courses_of(work.conn, batch)
        checked: list[TargetId] = []
        unsure: list[TargetId] = []  # GitHub computes whether they conflict only once it is asked
        for target, seen_at in await pull_requests.lock_targets(work.conn, list(asked)):
            followed = found.get(target.pull_request.node_id) if target.pull_request else None
            if _is_another(target, asked[target.id]):
                continue
            (unsure if followed and _is_unsure(followed) else checked).append(target.id)
            if followed and not (seen_at and followed.pull_request.updated_at < seen_at):
                await keep_up(work, await _apply(work, target, followed), followed, courses[target.run_id])
        await pull_requests.mark_checked(work.conn, checked)
        await pull_requests.mark_checked(work.conn, unsure, counts_as=UNSURE_COUNTS_AS)


def _is_unsure(followed: FollowedPullRequest) -> bool:
    return followed.conflicts is None and followed.pull_request.state is PullRequestState.OPEN


def _is_another(now: Target, asked: Target) -> bool:
    return (now.state, now.attempt, now.pull_request) != (asked.state, asked.attempt, asked.pull_request)


async def _apply(work: Work, target: Target, followed: FollowedPullRequest) -> Target:
    """Takes in what GitHub says; the target as it is then."""
    state = followed_state(followed, target.state)
    reviews, checks = followed.review_state, followed.checks_state
    if (target.review_state, target.checks_state) != (reviews, checks):
        await pull_requests.observe_reviews(work.conn, target.id, review_state=reviews, checks_state=checks)
    target = replace(target, review_state=reviews, checks_state=checks)
    if state is target.state:
        return target
    reason = target.reason if state in (TargetState.CLOSED, TargetState.MERGED, TargetState.CONFLICTED) else None
    updated_at = followed.pull_request.updated_at
    move = await move_target(work, target.id, to=state, reason=reason, pull_request_updated_at=updated_at)
    return move.target if move else target


def followed_state(followed: FollowedPullRequest, current: TargetState) -> TargetState:
    """The target's state by what GitHub says now; while GitHub computes conflicts, what was known of them stands."""
    said = state_of(followed.pull_request)
    if said in (TargetState.MERGED, TargetState.CLOSED):
        return state_to_take(current, said)
    conflicts = current is TargetState.CONFLICTED if followed.conflicts is None else followed.conflicts
    if conflicts:
        return state_to_take(current, TargetState.CONFLICTED)
    return said if current is TargetState.CONFLICTED else state_to_take(current, said)
