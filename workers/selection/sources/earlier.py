"""What an earlier selection had in, and what came of a run: by node id, whatever the repositories are called now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from shared.domain.ids import InstallationId, RunId, SelectionId
from shared.domain.repository import Repository
from shared.domain.selection import SelectedRepository
from shared.domain.shards import Shard
from shared.domain.target import TargetState
from shared.github.paging import LARGEST
from shared.github.repositories import WantedRepository, fetch_by_ids, fetch_by_name
from shared.postgres import selections
from shared.postgres.targets import list_run_repositories

from ..candidates import candidate, skipped
from ..making import Making, Page, Step

GONE = "it does not exist any more, or the App may not see it"
NO_BRANCH = "the branch does not exist any more"


async def selection_step(making: Making, shard: Shard) -> Step:
    """The next repositories that an earlier selection had in."""
    selection_id = SelectionId(UUID(shard.request["selection_id"]))
    after = int(shard.cursor) if shard.cursor else -1
    async with making.ctx.pool.acquire() as conn:
        rows = await selections.list_selected(conn, selection_id, included=True, after=after, limit=LARGEST)
    reason = f"campaign {shard.request['campaign']} selected it"
    return Page(
        found=await _as_they_are_now(making, shard, [each for _, each in rows], reason=reason),
        given=len(rows),
        cursor=str(rows[-1][0]) if len(rows) == LARGEST else None,
        expected=shard.expected,
    )


async def targets_step(making: Making, shard: Shard) -> Step:
    """The next repositories of a run whose targets are in the states that were asked for."""
    run_id, states = RunId(UUID(shard.request["run_id"])), [TargetState(each) for each in shard.request["states"]]
    async with making.ctx.pool.acquire() as conn:
        rows = await list_run_repositories(conn, run_id, states=states, after=shard.cursor, limit=LARGEST)
    earlier = [
        SelectedRepository(
            repository=each.repository, branch=each.base_branch, head_oid=None, included=True, entry=shard.entry,
            reason=f"its target of run {run_id} is {each.state}",
        )
        for each in rows
    ]  # fmt: skip
    return Page(
        found=await _as_they_are_now(making, shard, earlier, reason=None),
        given=len(rows),
        cursor=str(rows[-1].target_id) if len(rows) == LARGEST else None,
        expected=shard.expected,
    )


async def _as_they_are_now(
    making: Making, shard: Shard, earlier: Sequence[SelectedRepository], *, reason: str | None
) -> list[SelectedRepository]:
    now: dict[str, Repository] = {}
    by_installation: dict[InstallationId, dict[str, None]] = {}
    for each in earlier:
        by_installation.setdefault(each.repository.installation_id, {})[each.repository.node_id] = None
    for installation_id, node_ids in by_installation.items():
        async with making.access.token(installation_id) as token:
            now |= await fetch_by_ids(making.github, list(node_ids), installation_id=installation_id, token=token)
    heads = await _heads(making, [each for each in earlier if _is_aside(each, now)], now)
    return [_now(making, shard, each, now, heads, reason=reason or each.reason) for each in earlier]


def _is_aside(each: SelectedRepository, now: dict[str, Repository]) -> bool:
    """Whether its branch is not the default branch, so that its head must be asked for."""
    found = now.get(each.repository.node_id)
    return found is not None and each.branch != found.default_branch


async def _heads(
    making: Making, aside: Sequence[SelectedRepository], now: dict[str, Repository]
) -> dict[tuple[str, str], str]:
    heads: dict[tuple[str, str], str] = {}
    for installation_id in {each.repository.installation_id for each in aside}:
        mine = [each for each in aside if each.repository.installation_id == installation_id]
        wanted = [
            WantedRepository(name_with_owner=now[each.repository.node_id].name_with_owner, branches=(each.branch,))
            for each in mine
        ]
        async with making.access.token(installation_id) as token:
            answers = await fetch_by_name(making.github, wanted, installation_id=installation_id, token=token)
        for each, answer in zip(mine, answers, strict=True):
            if answer and each.branch in answer.heads:
                heads[each.repository.node_id, each.branch] = answer.heads[each.branch]
    return heads


def _now(
    making: Making,
    shard: Shard,
    each: SelectedRepository,
    now: dict[str, Repository],
    heads: dict[tuple[str, str], str],
    *,
    reason: str,
) -> SelectedRepository:
    repository = now.get(each.repository.node_id)
    if repository is None:
        return replace(each, entry=shard.entry, entries=(), included=False, reason=GONE)
    [found] = skipped([candidate(repository, entry=shard.entry, reason=reason, accessible=None)], making.spec.skip)
    if each.branch == repository.default_branch or not found.included:
        return found
    head = heads.get((repository.node_id, each.branch))
    if head is None:
        return replace(found, branch=each.branch, head_oid=None, included=False, reason=NO_BRANCH)
    return replace(found, branch=each.branch, head_oid=head)
