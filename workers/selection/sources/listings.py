"""Listings: of an owner, of a team, and of what an installation was given."""

from __future__ import annotations

from shared.domain.shards import Shard
from shared.github.paging import LARGEST
from shared.github.repositories import RepositoryPage, fetch_by_ids, given_node_ids, page_of_owner, page_of_team

from ..access import SEE_TEAMS, Account
from ..making import Making, Page, Step


async def listing_step(making: Making, shard: Shard) -> Step:
    """A page of what an organisation or user owns."""
    owner = shard.request["owner"]
    account = await making.access.account(owner)
    async with making.access.token(account.installation_id) as token:
        page = await page_of_owner(
            making.github,
            owner,
            after=shard.cursor,
            size=making.size,
            installation_id=account.installation_id,
            token=token,
        )
    return await _page(making, shard, page, account, reason=f"{owner} owns it")


async def team_step(making: Making, shard: Shard) -> Step:
    """A page of what a team has access to."""
    team = shard.request["team"]
    account = await making.access.account(team.partition("/")[0])
    async with making.access.token(account.installation_id, besides=SEE_TEAMS) as token:
        page = await page_of_team(
            making.github,
            team,
            after=shard.cursor,
            size=making.size,
            installation_id=account.installation_id,
            token=token,
        )
    return await _page(making, shard, page, account, reason=f"the team {team} has access to it")


async def given_step(making: Making, shard: Shard) -> Step:
    """A page of what an installation was given, where that is not all that the account owns."""
    owner, number = shard.request["owner"], int(shard.cursor or 1)
    account = await making.access.account(owner)
    async with making.access.token(account.installation_id) as token:
        node_ids, total = await given_node_ids(making.github, page=number, token=token)
        known = await fetch_by_ids(making.github, node_ids, installation_id=account.installation_id, token=token)
    found = [known[node_id] for node_id in node_ids if node_id in known]
    return Page(
        found=await making.judged(
            found, entry=shard.entry, reason=f"the App's installation on {owner} has it", account=account
        ),
        given=len(node_ids),
        cursor=str(number + 1) if number * LARGEST < total else None,
        expected=total,
    )


async def _page(making: Making, shard: Shard, page: RepositoryPage, account: Account, *, reason: str) -> Page:
    return Page(
        found=await making.judged(page.repositories, entry=shard.entry, reason=reason, account=account),
        given=page.given,
        cursor=page.after,
        expected=page.total,
    )
