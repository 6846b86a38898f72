"""Pull requests that are there already (`importChangesets`), as targets that are followed and not changed.

Nothing but an action that somebody asks for changes them: they carry no mark of ours, by which alone Octobatch acts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from shared.domain.ids import InstallationId, RunId, TargetId, new_id
from shared.domain.installation import TokenRequest, TokenScope
from shared.domain.operation import Service
from shared.domain.permissions import Level
from shared.domain.principal import Principal
from shared.domain.run import Run
from shared.domain.spec import CampaignSpec
from shared.domain.target import NewTarget, PublishAs, Target, TargetState
from shared.errors import GitHubUnauthorized
from shared.github.imports import MOST_AT_ONCE, FoundPullRequest, fetch_by_numbers
from shared.outbox import Work
from shared.postgres import imports, installations
from shared.postgres.imports import ImportedPlace

from ..context import CampaignsContext
from ..finishing import finish_run_if_settled
from ..moves import move_all, move_target
from ..publication.publishing import state_of
from ..verdicts import JUDGED, verdict_on

LOOK = {"metadata": Level.READ, "pull_requests": Level.READ}
NOWHERE = InstallationId(0)
"""Stands for the installation of an owner that the App is not installed on."""


async def plan_imports(work: Work, run: Run, spec: CampaignSpec) -> list[NewTarget]:
    """Makes a target of each pull request that the spec names, to be looked up; none in a dry run."""
    if run.dry_run or not spec.import_changesets:
        return []
    known = {each.account.lower(): each.id for each in await installations.list_installations(work.conn)}
    planned = import_targets(run, spec, known)
    await imports.insert_imports(work.conn, run.id, planned)
    return planned


def import_targets(
    run: Run, spec: CampaignSpec, installations_by_owner: Mapping[str, InstallationId]
) -> list[NewTarget]:
    """The targets: each pull request once, in batches of their own, which are counted downwards from -1."""
    wanted = dict.fromkeys((each.repository, number) for each in spec.import_changesets for number in each.external_ids)
    counts: dict[InstallationId, int] = {}
    planned: list[NewTarget] = []
    for repository, number in wanted:
        installation_id = installations_by_owner.get(repository.partition("/")[0].lower(), NOWHERE)
        position = counts[installation_id] = counts.get(installation_id, -1) + 1
        planned.append(
            NewTarget(
                id=TargetId(new_id()),
                run_id=run.id,
                campaign_id=run.campaign_id,
                repository_node_id="",
                repository_id=0,
                repository=repository,
                installation_id=installation_id,
                base_branch="",
                base_oid=None,
                branch="",
                publish_as=PublishAs.NONE,
                group=f"{repository}#{number}",
                batch=-1 - position // MOST_AT_ONCE,
            )
        )
    return planned


async def look_up_imports(ctx: CampaignsContext, waiting: Sequence[Target]) -> list[Target]:
    """Looks up those of the targets that are imported, in one request for 100; gives the others."""
    wanted = [
        target
        for target in waiting
        if target.is_imported and target.state in (TargetState.PENDING, TargetState.PREPARING)
    ]
    for start in range(0, len(wanted), MOST_AT_ONCE):
        await _look_up(ctx, wanted[start : start + MOST_AT_ONCE])
    for run_id in {target.run_id for target in wanted}:
        await finish_run_if_settled(ctx, run_id)
    return [target for target in waiting if not target.is_imported]


async def _look_up(ctx: CampaignsContext, wanted: Sequence[Target]) -> None:
    try:
        found = await _ask(ctx, wanted) if wanted[0].installation_id != NOWHERE else [None] * len(wanted)
    except JUDGED as error:
        verdict = verdict_on(error)
        async with ctx.outbox.transaction() as work:
            for target in wanted:
                await move_target(work, target.id, to=verdict.state, reason=verdict.reason)
        return
    async with ctx.outbox.transaction() as work:
        await move_all(work, [target.id for target in wanted], to=TargetState.PREPARING)
        pairs = list(zip(wanted, found, strict=True))
        await imports.place_imports(work.conn, list(_places(pairs)))
        for target, each in pairs:
            await _record(work, target, each)


async def _ask(ctx: CampaignsContext, wanted: Sequence[Target]) -> list[FoundPullRequest | None]:
    token = await ctx.tokens.get(
        TokenRequest(
            scope=TokenScope(installation_id=wanted[0].installation_id, permissions=LOOK),
            requester=Principal.of_service(Service.CAMPAIGNS),
            purpose=f"import {len(wanted)} pull requests",
            run_id=RunId(wanted[0].run_id),
        )
    )
    try:
        return await fetch_by_numbers(ctx.github, [_named(target) for target in wanted], token=token.token)
    except GitHubUnauthorized:
        await ctx.tokens.invalidate(token)
        raise


def _named(target: Target) -> tuple[str, int]:
    return target.repository, int(target.group.rpartition("#")[2])


def _places(pairs: Iterable[tuple[Target, FoundPullRequest | None]]) -> Iterable[ImportedPlace]:
    for target, found in pairs:
        if found:
            yield ImportedPlace(
                target_id=target.id,
                repository_node_id=found.repository_node_id,
                repository_id=found.repository_id,
                repository=found.repository,
                base_branch=found.pull_request.base_branch,
                branch=found.branch,
                group=f"#{found.pull_request.ref.number}",
            )


async def _record(work: Work, target: Target, found: FoundPullRequest | None) -> None:
    if found is None:
        repository, number = _named(target)
        reason = f"there is no pull request #{number} in {repository} that the App may see"
        if target.installation_id == NOWHERE:
            reason = f"the App is not installed on {repository.partition('/')[0]}"
        await move_target(work, target.id, to=TargetState.FAILED, reason=reason)
        return
    pull_request = found.pull_request
    await move_target(
        work,
        target.id,
        to=state_of(pull_request),
        pull_request=pull_request.ref,
        pull_request_updated_at=pull_request.updated_at,
    )
