"""What publishing came to, in Postgres; and the way back where the target was cancelled meanwhile."""

from __future__ import annotations

import structlog

from shared.domain.permissions import PUBLISH
from shared.domain.target import PullRequestRef, Target, TargetState
from shared.errors import AlreadyDone, Conflict
from shared.github.pull_requests import PullRequestState, close_pull_request, look_at_branch
from shared.postgres import targets
from shared.postgres.targets import Move

from ...runtime import Command
from ..access import repository_token
from ..context import CampaignsContext
from ..moves import move_target
from .marks import PullRequestMark, read_mark
from .publishing import Outcome

_log = structlog.stdlib.get_logger(__name__)


class _Overtaken(Conflict):
    """The target is not `publishing` any more."""


async def record_publication(ctx: CampaignsContext, command: Command, target: Target, outcome: Outcome) -> bool:
    """Moves the target and completes the command; False where the target was cancelled or moved by another worker."""
    try:
        async with ctx.outbox.transaction(completing=command.operation_id) as work:
            move = await move_target(
                work,
                target.id,
                to=outcome.state,
                reason=outcome.reason,
                head_oid=outcome.head_oid,
                pull_request=outcome.pull_request,
                pull_request_updated_at=outcome.updated_at,
            )
            _check_made(move)
    except (_Overtaken, AlreadyDone):
        return False
    _log.info(
        "target_published",
        run_id=str(target.run_id),
        target_id=str(target.id),
        repository=target.repository,
        state=outcome.state.value,
        pull_request=outcome.pull_request.number if outcome.pull_request else None,
    )
    return True


def _check_made(move: Move | None) -> None:
    """Rolls the transaction back where nothing was moved: the command is not completed by it."""
    if move is None:
        raise _Overtaken("the target is not being published any more")


async def withdraw(ctx: CampaignsContext, target: Target, mark: PullRequestMark) -> None:
    """Closes the open pull request that publishing opened although its target is cancelled.

    A pull request that an earlier run had opened, and this one has only updated, stays open. Where there is nothing
    to close, nothing is done.
    """
    async with ctx.pool.acquire() as conn:
        siblings = await targets.by_branch(conn, target.repository_node_id, target.branch)
    others = {sibling.pull_request.number for sibling in siblings if sibling.pull_request and sibling.id != target.id}
    async with repository_token(ctx, target, PUBLISH, purpose="withdraw") as token:
        view = await look_at_branch(
            ctx.github, repository_node_id=target.repository_node_id, branch=target.branch, token=token
        )
        found = [
            pr for pr in view.pull_requests
            if pr.state is PullRequestState.OPEN and not pr.from_fork and read_mark(pr.body) == mark
        ]  # fmt: skip
        for pull_request in found:
            if pull_request.ref.number in others:
                reason = f"cancelled after pull request #{pull_request.ref.number} of an earlier run was updated"
            else:
                await close_pull_request(ctx.github, pull_request.ref.node_id, token=token)
                reason = f"cancelled while being published: pull request #{pull_request.ref.number} was closed again"
            await _note(ctx, target, reason=reason, head_oid=pull_request.head_oid, pull_request=pull_request.ref)


async def was_cancelled(ctx: CampaignsContext, target: Target) -> bool:
    """Whether the target is cancelled by now."""
    async with ctx.pool.acquire() as conn:
        return (await targets.get_target(conn, target.id)).state is TargetState.CANCELLED


async def _note(
    ctx: CampaignsContext, target: Target, *, reason: str, head_oid: str, pull_request: PullRequestRef
) -> None:
    async with ctx.outbox.transaction() as work:
        await targets.note(work.conn, target.id, reason=reason, head_oid=head_oid, pull_request=pull_request)
