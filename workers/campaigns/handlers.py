"""The commands of the campaigns worker: one function a command."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.event import run_event
from shared.domain.ids import InstallationId, RunId, TargetId
from shared.domain.permissions import SELECT
from shared.domain.run import Run, RunState
from shared.domain.spec import Signing
from shared.domain.target import PublishAs, Target, TargetState
from shared.outbox import Work
from shared.postgres import campaign_schedules, runs, selections, targets
from shared.postgres.pool import Connection

from ..runtime import Command
from .access import repository_token
from .acts.bulk import give_up_bulk_operation, give_up_target
from .context import CampaignsContext
from .finishing import finish_run_if_settled
from .following.importing import look_up_imports, plan_imports
from .loading import campaign_link, load_change, load_spec, load_target
from .moves import move_target
from .planning import plan_targets
from .preparation.batches import conclude, prepare_batch
from .preparation.looking_ahead import LookingAhead, permissions_to_publish
from .preparation.preparing import judged, prepare
from .preparation.previewed import plan_from_preview, take_from_preview
from .preparation.reading import Reader
from .publication.marks import CommitMark, pull_request_mark
from .publication.plan import Rules
from .publication.publishing import Outcome, Publication, Publisher
from .publication.recording import record_publication, was_cancelled, withdraw
from .release.pausing import pause_again, pause_if_paused
from .verdicts import JUDGED, verdict_on

_MOST_TARGETS = 1_000_000
_NOTHING_ON_GITHUB = frozenset(
    {TargetState.PENDING, TargetState.PREPARING, TargetState.PREPARED, TargetState.UNCHANGED}
)


async def plan_run(ctx: CampaignsContext, command: Command) -> None:
    """Makes a target of each selected repository and a command to prepare each; completes a run that has none."""
    run_id = RunId(UUID(command.payload["run_id"]))
    async with ctx.outbox.transaction(completing=command.operation_id) as work:
        run = await runs.get_run(work.conn, run_id)
        if run.state is not RunState.PLANNING or run.selection_id is None:
            return
        spec = await load_spec(work.conn, run)
        if run.preview_run_id:
            planned = await plan_from_preview(work, run, run.preview_run_id, spec)
        else:
            selected = await selections.list_selected(work.conn, run.selection_id, included=True, limit=_MOST_TARGETS)
            leave = await campaign_schedules.published_by_version(work.conn, run.id) if run.is_scheduled else ()
            wanted = [each for _, each in selected if (each.repository.node_id, each.branch) not in leave]
            planned = plan_targets(run, spec, wanted, campaign_link=campaign_link(ctx, run))
            await targets.insert_targets(work.conn, planned)
        imported = await plan_imports(work, run, spec)
        await runs.set_most_failures(work.conn, run_id, spec.most_failures)
        await _move_run(work, run, to=RunState.RUNNING if planned or imported else RunState.COMPLETED)
        if not await pause_if_paused(work, run_id):
            one_by_one = spec.runs_code and not run.preview_run_id
            await work.accept(
                *commands.prepare_all(planned, one_by_one=one_by_one, actor=command.actor),
                *commands.prepare_all(imported, one_by_one=False, actor=command.actor),
            )


async def prepare_target(ctx: CampaignsContext, command: Command) -> None:
    """Runs the steps for a target, stores what came of it, and has it published where the spec says so."""
    loaded = await load_target(ctx, command)
    target = loaded.target
    if await pause_again(ctx, loaded.run):
        return
    async with ctx.pool.acquire() as conn:
        spec = await load_spec(conn, loaded.run)
    if not await look_up_imports(ctx, [target]):
        return
    if not await take_from_preview(ctx, [target], run=loaded.run, spec=spec, actor=command.actor):
        return
    if target.state is TargetState.PENDING and not await _begin(ctx, target, TargetState.PREPARING):
        return
    if target.state not in (TargetState.PENDING, TargetState.PREPARING):
        return
    try:
        async with repository_token(ctx, target, SELECT, purpose="prepare") as token:
            reader = Reader(ctx.github, token)
            preparation = await prepare(ctx, target, run=loaded.run, spec=spec, reader=reader)
    except JUDGED as error:
        preparation = judged(error)
    warnings = await LookingAhead(ctx, [target], run=loaded.run, spec=spec).look(target, preparation)
    await conclude(ctx, target, preparation, warnings, spec=spec, actor=command.actor, completing=command.operation_id)
    await finish_run_if_settled(ctx, target.run_id)


async def prepare_targets(ctx: CampaignsContext, command: Command) -> None:
    """The same for the targets of a batch, together."""
    async with ctx.pool.acquire() as conn:
        run = await runs.get_run(conn, RunId(UUID(command.payload["run_id"])))
        spec = await load_spec(conn, run)
        waiting = await _batch_of(conn, command)
    if waiting and await pause_again(ctx, run):
        return
    waiting = await look_up_imports(ctx, waiting)
    waiting = await take_from_preview(ctx, waiting, run=run, spec=spec, actor=command.actor)
    if waiting and spec.runs_code:
        async with ctx.outbox.transaction(completing=command.operation_id) as work:
            await work.accept(*commands.prepare_all(waiting, one_by_one=True, actor=command.actor))
    elif waiting:
        await prepare_batch(ctx, waiting, run=run, spec=spec, actor=command.actor)
        await finish_run_if_settled(ctx, run.id)


async def _batch_of(conn: Connection, command: Command) -> list[Target]:
    """The targets of a batch that are not prepared yet."""
    return await targets.list_batch(
        conn,
        RunId(UUID(command.payload["run_id"])),
        InstallationId(command.payload["installation_id"]),
        command.payload["batch"],
        states=(TargetState.PENDING, TargetState.PREPARING),
    )


async def publish_target(ctx: CampaignsContext, command: Command) -> None:
    """Pushes a prepared change and opens its pull request; see `publishing` for why there is never a second one."""
    loaded = await load_target(ctx, command)
    target, mark = loaded.target, pull_request_mark(loaded.target, campaign=loaded.run.campaign_name)
    if target.state is TargetState.CANCELLED:
        async with ctx.pool.acquire() as conn:
            begun = await targets.was_publishing(conn, target.id)
        if begun and target.pull_request is None:
            await withdraw(ctx, target, mark)
        return
    if target.state not in (TargetState.PREPARED, TargetState.PUBLISHING) or target.publish_as is PublishAs.NONE:
        return
    if await pause_again(ctx, loaded.run):
        return
    if target.state is TargetState.PREPARED:
        if ctx.limits and target.pull_request is None:  # what waits for a limit has not begun, and need not look first
            await ctx.limits.wait_to_create(target.installation_id)
        if not await _begin(ctx, target, TargetState.PUBLISHING):
            return
    outcome = await _publish(ctx, command, target, loaded.run)
    if await record_publication(ctx, command, target, outcome):
        await finish_run_if_settled(ctx, target.run_id)
    elif await was_cancelled(ctx, target):
        await withdraw(ctx, target, mark)


async def _publish(ctx: CampaignsContext, command: Command, target: Target, run: Run) -> Outcome:
    try:
        artifact, change = await load_change(ctx, target.id)
        async with ctx.pool.acquire() as conn:
            siblings = await targets.by_branch(conn, target.repository_node_id, target.branch)
            spec = await load_spec(conn, run)
        publication = Publication(
            target=target,
            change=change,
            mark=pull_request_mark(target, campaign=run.campaign_name),
            commit_mark=CommitMark(target_id=target.id, change=artifact.sha256[:16]),
            siblings=[sibling for sibling in siblings if sibling.campaign_id == target.campaign_id],
            signed=spec.changeset_template.commit.signing is Signing.API,
            rules=Rules.of(spec.changeset_template),
        )
        permissions = permissions_to_publish(change)
        async with repository_token(ctx, target, permissions, purpose="publish") as token:
            publisher = Publisher(ctx, publication, token=token)
            return await publisher.publish(look_first=_hints_at_more(command, target, siblings))
    except JUDGED as error:
        verdict = verdict_on(error)
        return Outcome(state=verdict.state, reason=verdict.reason)


def _hints_at_more(command: Command, target: Target, siblings: list[Target]) -> bool:
    """Whether something may stand on GitHub already: an earlier attempt, or another target on the same branch."""
    others = (sibling for sibling in siblings if sibling.id != target.id)
    return (
        command.attempt > 1
        or target.state is TargetState.PUBLISHING
        or target.attempt > 1
        or any(other.publish_as is not PublishAs.NONE and other.state not in _NOTHING_ON_GITHUB for other in others)
    )


async def give_up(ctx: CampaignsContext, command: Command, error: str) -> None:
    """Marks what a dead-lettered command was for as failed, so that its run comes to an end."""
    if command.type == "plan_run":
        async with ctx.outbox.transaction() as work:
            run = await runs.get_run(work.conn, RunId(UUID(command.payload["run_id"])))
            await _move_run(work, run, to=RunState.FAILED, error=error)
    elif command.type == "act_on_target":
        await give_up_target(ctx, command, error)
    elif command.type == "start_bulk_operation":
        await give_up_bulk_operation(ctx, command)
    elif command.type in ("prepare_target", "publish_target"):
        await _fail(ctx, [TargetId(UUID(command.payload["target_id"]))], error)
    elif command.type == "prepare_targets":
        async with ctx.pool.acquire() as conn:
            waiting = await _batch_of(conn, command)
        await _fail(ctx, [target.id for target in waiting], error)


async def _fail(ctx: CampaignsContext, target_ids: Sequence[TargetId], reason: str) -> None:
    async with ctx.outbox.transaction() as work:
        moves = [await move_target(work, each, to=TargetState.FAILED, reason=reason) for each in target_ids]
    for run_id in {move.target.run_id for move in moves if move}:
        await finish_run_if_settled(ctx, run_id)


async def _begin(ctx: CampaignsContext, target: Target, state: TargetState) -> bool:
    """Says in Postgres that work begins; False where the target was cancelled since it was read."""
    async with ctx.outbox.transaction() as work:
        return await move_target(work, target.id, to=state) is not None


async def _move_run(work: Work, run: Run, *, to: RunState, error: str | None = None) -> None:
    if await runs.move_run(work.conn, run.id, to=to, error=error):
        await work.emit(run_event(run.id, to, now=utcnow(), error=error))
