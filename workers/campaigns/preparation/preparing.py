"""Preparing a target: its change, and the artifacts that are stored of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from shared.domain import commands
from shared.domain.artifact import ArtifactKind, NewArtifact, new_artifact
from shared.domain.change import PreparedChange
from shared.domain.ids import TargetId
from shared.domain.run import Run
from shared.domain.spec import CampaignSpec
from shared.domain.target import DiffStat, NewTarget, PublishAs, Target, TargetState
from shared.domain.templates import RepositoryContext
from shared.errors import GitHubNotFound, StepFailed, TargetBlocked
from shared.outbox import Work
from shared.postgres import artifacts, targets

from ..context import CampaignsContext
from ..loading import campaign_link
from ..moves import begin_again, move_target
from ..verdicts import JUDGED, verdict_on
from .making import prepare_change
from .parts import part_of, part_target
from .reading import Reader

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What came of preparing a target: to be stored, and then recorded."""

    state: TargetState  # prepared, unchanged, failed or blocked
    reason: str | None = None
    base_oid: str | None = None
    stat: DiffStat | None = None
    contents: Mapping[ArtifactKind, bytes] = field(default_factory=dict[ArtifactKind, bytes])
    parts: Sequence[PreparedPart] = ()


@dataclass(frozen=True, kw_only=True)
class PreparedPart:
    """A part of the change that is a target of its own."""

    target: NewTarget
    preparation: Preparation


async def prepare(
    ctx: CampaignsContext, target: Target, *, run: Run, spec: CampaignSpec, reader: Reader
) -> Preparation:
    """Runs the spec's steps on the base branch as it is now; writes nothing anywhere.

    Raises what another attempt may put right, limits above all.
    """
    base_oid: str | None = None
    try:
        base = await reader.base(target)
        base_oid = base.oid
        if base.is_archived:
            raise TargetBlocked("the repository is archived")
        if base.oid is None:
            raise GitHubNotFound(f"the repository has no branch {target.base_branch}")
        change = await prepare_change(
            spec=spec,
            repository=RepositoryContext(name=base.repository, branch=target.base_branch),
            repository_node_id=target.repository_node_id,
            base_oid=base.oid,
            github=ctx.github,
            reader=reader,
            settings=ctx.settings,
            campaign_link=campaign_link(ctx, run),
            places=ctx.places,
            caches=ctx.caches,
            containers=ctx.kubernetes and ctx.kubernetes.run,
        )
    except JUDGED as error:
        return replace(judged(error), base_oid=base_oid)
    return preparation_of(target, change, spec=spec)


def preparation_of(target: Target, change: PreparedChange, *, spec: CampaignSpec) -> Preparation:
    """What a change comes to for a target: its own part of it, or the whole with the parts that it is divided into."""
    if target.group:
        return _of_change(part_of(change, target.group))
    parts = [
        PreparedPart(target=part_target(target, part, spec=spec), preparation=_of_change(part.change))
        for part in change.parts
    ]
    return replace(_of_change(change), parts=parts)


def _of_change(change: PreparedChange) -> Preparation:
    if change.is_empty:
        return Preparation(
            state=TargetState.UNCHANGED,
            reason=change.why_empty,
            base_oid=change.base_oid,
            contents={ArtifactKind.LOG: change.log},
        )
    return Preparation(
        state=TargetState.PREPARED,
        base_oid=change.base_oid,
        stat=change.stat,
        contents={
            ArtifactKind.LOG: change.log,
            ArtifactKind.PATCH: change.patch,
            ArtifactKind.DIFF: change.diff,
            ArtifactKind.CHANGE: change.to_json(),
        },
    )


def judged(error: Exception) -> Preparation:
    """What one of the `JUDGED` errors makes of a preparation."""
    verdict = verdict_on(error)
    log = error.log if isinstance(error, StepFailed) else f"{error}\n".encode()
    return Preparation(state=verdict.state, reason=verdict.reason, contents={ArtifactKind.LOG: log})


async def store(ctx: CampaignsContext, target: Target, preparation: Preparation) -> list[NewArtifact]:
    """Puts the contents into the blob store: before Postgres speaks of them, under keys that come of their content."""
    contents = [(target.id, preparation.contents)]
    contents += [(part.target.id, part.preparation.contents) for part in preparation.parts]

    async def put(target_id: TargetId, kind: ArtifactKind, content: bytes) -> NewArtifact:
        artifact = await asyncio.to_thread(new_artifact, target.run_id, target_id, kind, content)
        await ctx.blobs.put(artifact.key, artifact.stored, media_type=kind.media_type, encoding=artifact.encoding)
        return artifact

    return await asyncio.gather(
        *(put(target_id, kind, content) for target_id, each in contents for kind, content in each.items())
    )


def log_prepared(target: Target, preparation: Preparation) -> None:
    """One line for what came of preparing a target, once it is recorded."""
    _log.info(
        "target_prepared",
        run_id=str(target.run_id),
        target_id=str(target.id),
        repository=target.repository,
        state=preparation.state.value,
        files=preparation.stat.files if preparation.stat else 0,
    )


async def record(
    work: Work,
    target: Target,
    preparation: Preparation,
    stored: list[NewArtifact],
    *,
    spec: CampaignSpec,
    actor: str,
) -> None:
    """The target's new state, its artifacts, and the command to publish it, all in one transaction; its parts too.

    Where the spec has a rollout, a change that has no pull request yet is left to `releasing`. Changes nothing where
    the target was cancelled or paused meanwhile.
    """
    if await _record_one(work, target, preparation, stored, spec=spec, actor=actor):
        await _record_parts(work, preparation.parts, stored, spec=spec, actor=actor)


async def _record_one(
    work: Work,
    target: Target | NewTarget,
    preparation: Preparation,
    stored: list[NewArtifact],
    *,
    spec: CampaignSpec,
    actor: str,
) -> bool:
    has_pull_request = isinstance(target, Target) and target.pull_request is not None
    is_released = (
        preparation.state is TargetState.PREPARED
        and target.publish_as is not PublishAs.NONE
        and (spec.rollout.is_at_once or has_pull_request)
    )
    move = await move_target(
        work,
        target.id,
        to=preparation.state,
        reason=preparation.reason,
        base_oid=preparation.base_oid,
        diff_stat=preparation.stat,
        is_released=is_released,
    )
    if move is None:
        return False
    await artifacts.upsert_artifacts(work.conn, [each for each in stored if each.target_id == target.id])
    if is_released:
        await work.accept(commands.publish_target(move.target, actor=actor))
    return True


async def _record_parts(
    work: Work,
    parts: Sequence[PreparedPart],
    stored: list[NewArtifact],
    *,
    spec: CampaignSpec,
    actor: str,
) -> None:
    """Parts that are new become targets, prepared already; one that had nothing any more begins again.

    Other parts that are there go their own way, with a preparation of their own.
    """
    if not parts:
        return
    there = await targets.states_of(work.conn, [part.target.id for part in parts])
    await targets.insert_targets(work.conn, [part.target for part in parts if part.target.id not in there])
    for part in parts:
        state = there.get(part.target.id)
        if state is None:
            await _record_one(work, part.target, part.preparation, stored, spec=spec, actor=actor)
        elif state is TargetState.UNCHANGED:
            reason = f"the steps change {part.target.group} again"
            await begin_again(work, part.target.id, reason=reason, actor=actor)
