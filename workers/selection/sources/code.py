"""Searches for code: the repositories of the files that they find."""

from __future__ import annotations

from shared.domain.shards import Shard
from shared.github.code_search import CodeSlice, page_of_code
from shared.github.paging import LARGEST
from shared.github.repositories import fetch_by_ids
from shared.github.search import CAP

from ..making import Divided, Making, Moved, Page, Step


async def code_step(making: Making, shard: Shard) -> Step:
    """A page of a search among the code of one owner, or its halves."""
    request, number = shard.request, int(shard.cursor or 1)
    part = CodeSlice(request["query"], *request.get("sizes", ()))
    account = await making.access.account(request["owner"])
    async with making.access.token(account.installation_id) as token:
        page = await page_of_code(making.github, part.text, page=number, token=token)
        if page.total > CAP:
            return Divided([({**request, "sizes": [half.smallest, half.largest]}, None) for half in part.halves()])
        if shard.asked and page.total != shard.expected:
            return Moved(f"{part.text!r} finds {page.total} files, and found {shard.expected} before")
        known = await fetch_by_ids(making.github, page.node_ids, installation_id=account.installation_id, token=token)
    reason = f"the search for code {request['query']} finds a file in it"
    return Page(
        found=await making.judged(list(known.values()), entry=shard.entry, reason=reason, account=account),
        given=page.given,
        cursor=str(number + 1) if number * LARGEST < page.total else None,
        expected=page.total,
    )
