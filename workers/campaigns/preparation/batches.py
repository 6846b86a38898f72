"""Preparing the targets of a batch together: what they read of GitHub goes in few requests, with one token.

Each is recorded on its own as soon as it is prepared, so that a batch that is interrupted goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from shared.domain.ids import OperationId
from shared.domain.permissions import SELECT
from shared.domain.run import Run
from shared.domain.spec import CampaignSpec
from shared.domain.target import Target, TargetState
from shared.errors import GitHubLimited, GitHubUnauthorized
from shared.postgres import target_warnings

from ..access import repository_token
from ..context import CampaignsContext
from ..moves import move_all
from ..verdicts import JUDGED
from .again import conclude_again
from .looking_ahead import LookingAhead, Warnings
from .preparing import Preparation, judged, log_prepared, prepare, record, store
from .reading import Reader


async def prepare_batch(
    ctx: CampaignsContext, waiting: Sequence[Target], *, run: Run, spec: CampaignSpec, actor: str
) -> None:
    """Prepares and records the targets of one batch that are pending or preparing.

    Raises what another attempt may put right, after all that could be recorded is.
    """
    async with ctx.outbox.transaction() as work:
        pending = [target.id for target in waiting if target.state is TargetState.PENDING]
        await move_all(work, pending, to=TargetState.PREPARING)
    async with AsyncExitStack() as stack:
        try:
            access = repository_token(ctx, waiting[0], SELECT, purpose="prepare")
            reader = Reader(ctx.github, await stack.enter_async_context(access))
        except JUDGED as error:
            await asyncio.gather(
                *(conclude(ctx, target, judged(error), {}, spec=spec, actor=actor) for target in waiting)
            )
            return
        ahead = LookingAhead(ctx, waiting, run=run, spec=spec)
        ends = await asyncio.gather(
            *(_prepare(ctx, target, run=run, spec=spec, reader=reader, ahead=ahead, actor=actor) for target in waiting),
            return_exceptions=True,
        )
        _raise_one([end for end in ends if end is not None])


async def _prepare(
    ctx: CampaignsContext,
    target: Target,
    *,
    run: Run,
    spec: CampaignSpec,
    reader: Reader,
    ahead: LookingAhead,
    actor: str,
) -> None:
    preparation = await prepare(ctx, target, run=run, spec=spec, reader=reader)
    warnings = await ahead.look(target, preparation)
    async with ctx.places:
        await conclude(ctx, target, preparation, warnings, spec=spec, actor=actor)


async def conclude(
    ctx: CampaignsContext,
    target: Target,
    preparation: Preparation,
    warnings: Warnings,
    *,
    spec: CampaignSpec,
    actor: str,
    completing: OperationId | None = None,
) -> None:
    """Stores and records what came of preparing a target; `completing` completes that operation with it."""
    preparation = await conclude_again(ctx, target, preparation)
    stored = await store(ctx, target, preparation)
    async with ctx.outbox.transaction(completing=completing) as work:
        await record(work, target, preparation, stored, spec=spec, actor=actor)
        await target_warnings.replace_warnings(work.conn, warnings)
    log_prepared(target, preparation)


def _raise_one(errors: Sequence[BaseException]) -> None:
    """Of several errors the one that says most about the next attempt: a token that is refused, then a limit."""
    if errors:
        raise min(
            errors, key=lambda error: (not isinstance(error, GitHubUnauthorized), not isinstance(error, GitHubLimited))
        )
