"""Repositories that the spec names: those of one owner together, many a request."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.selection import SelectedRepository
from shared.domain.shards import Shard
from shared.errors import GitHubNotFound
from shared.github.repositories import NAMES_A_REQUEST, NamedRepository, WantedRepository, fetch_by_name

from ..candidates import NOT_GIVEN, candidate, skipped
from ..making import Making, Page, Step, about


async def named_step(making: Making, shard: Shard) -> Step:
    """The next names of a list: `names` of the request are [entry, owner/name, branches], `cursor` is an index."""
    names, start = shard.request["names"], int(shard.cursor or 0)
    batch = names[start : start + NAMES_A_REQUEST]
    account = await making.access.account(shard.request["owner"])
    wanted = [WantedRepository(name_with_owner=name, branches=tuple(branches)) for _, name, branches in batch]
    async with making.access.token(account.installation_id) as token:
        answers = await fetch_by_name(making.github, wanted, installation_id=account.installation_id, token=token)
    found: list[SelectedRepository] = []
    for (entry, _, _), asked, answer in zip(batch, wanted, answers, strict=True):
        found += skipped(await _chosen(making, entry, asked, answer), making.spec.skip)
    following = start + len(batch)
    cursor = str(following) if following < len(names) else None
    return Page(found=found, given=len(batch), cursor=cursor, expected=len(names))


async def _chosen(
    making: Making, entry: int, wanted: WantedRepository, answer: NamedRepository | None
) -> list[SelectedRepository]:
    name = wanted.name_with_owner
    if answer is None:
        raise about(GitHubNotFound(f"{name} does not exist, or the App may not see it"), making, entry)
    # a repository may have moved to another owner, whose installation serves it now
    account = await making.access.account(answer.repository.owner)
    repository = replace(answer.repository, installation_id=account.installation_id)
    found = candidate(repository, entry=entry, reason="the spec names it", accessible=account.accessible)
    if found.reason == NOT_GIVEN:
        raise about(GitHubNotFound(f"{name}: {NOT_GIVEN}: add it to the installation"), making, entry)
    if not wanted.branches or not found.included:
        return [found]
    missing = [branch for branch in wanted.branches if branch not in answer.heads]
    if missing:
        raise about(GitHubNotFound(f"{name} has no branch {', '.join(missing)}"), making, entry)
    return [replace(found, branch=branch, head_oid=answer.heads[branch]) for branch in wanted.branches]
