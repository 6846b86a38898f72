"""Searches for repositories, divided where they find more than GitHub gives for one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.domain.shards import Shard
from shared.errors import GitHubInvalid
from shared.github.repositories import RepositoryPage
from shared.github.search import CAP, LONGEST_QUERY, Slice, divide, page_of_search

from ..access import Account
from ..making import Divided, Making, Moved, Page, Step
from ..queries import created_between


async def search_step(making: Making, shard: Shard) -> Step:
    """A page of a search among the repositories of one owner, or its parts."""
    account = await making.access.account(shard.request["owner"])
    if shard.expected is not None and shard.expected > CAP:  # a part that was counted with its neighbours
        return await _divided(making, shard, shard.expected, account)
    page = await _page(making, shard, account)
    if page.total > CAP:
        return await _divided(making, shard, page.total, account)
    if shard.asked and page.total != shard.expected:
        return Moved(f"{_text(shard.request)!r} finds {page.total} repositories, and found {shard.expected} before")
    reason = f"the search {shard.request['query']} finds it"
    return Page(
        found=await making.judged(page.repositories, entry=shard.entry, reason=reason, account=account),
        given=page.given,
        cursor=page.after,
        expected=page.total,
    )


async def _page(making: Making, shard: Shard, account: Account) -> RepositoryPage:
    async with making.access.token(account.installation_id) as token:
        return await page_of_search(
            making.github,
            _text(shard.request),
            after=shard.cursor,
            size=making.size,
            installation_id=account.installation_id,
            token=token,
        )


async def _divided(making: Making, shard: Shard, total: int, account: Account) -> Divided:
    whole = _slice(shard.request) or created_between(shard.request["query"], now=making.selection.created_at)
    if len(whole.text) > LONGEST_QUERY:
        raise GitHubInvalid(
            f"{whole.query!r} matches {total} repositories, more than the {CAP} that GitHub gives for one search, and "
            f"with the time that would divide it, it is longer than the {LONGEST_QUERY} characters that GitHub takes"
        )
    async with making.access.token(account.installation_id) as token:
        parts = await divide(making.github, whole, total=total, token=token)
    return Divided([({**shard.request, **_times(part)}, found) for part, found in parts])


def _times(part: Slice) -> dict[str, Any]:
    return {"within": part.query, "first": part.first.isoformat(), "last": part.last.isoformat()}


def _slice(request: Mapping[str, Any]) -> Slice | None:
    if "within" not in request:
        return None
    return Slice(request["within"], datetime.fromisoformat(request["first"]), datetime.fromisoformat(request["last"]))


def _text(request: Mapping[str, Any]) -> str:
    part = _slice(request)
    return part.text if part else request["query"]
