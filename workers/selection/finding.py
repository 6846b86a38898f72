"""What the entries find, shard by shard and page by page, each stored before the next is asked for.

A worker that is killed, or that a limit sends away, leaves what it stored; whoever goes on asks again for the one page
that was under way. The index answers a shard with one transaction.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from shared.domain.ids import SelectionId
from shared.domain.shards import Shard
from shared.errors import GitHubUnavailable
from shared.postgres import selection_results, selection_shards
from shared.postgres.pool import Connection
from shared.postgres.repositories import iter_index, set_properties

from .making import ABOUT_THE_ENTRY, Divided, Making, Moved, Page, Step, about, asks_for_properties
from .planning import first_shards
from .sources import SOURCES
from .turns import Turn

_log = structlog.get_logger(__name__)

MOST_RESTARTS = 3


class SelectionOver(Exception):
    """The selection was cancelled, or another process makes it: there is nothing left to do."""


async def find(making: Making, turn: Turn) -> None:
    """Stores every candidate of every entry. Raises the errors of GitHub, with the entry that they are about."""
    selection_id = making.selection.id
    async with making.ctx.pool.acquire() as conn:
        is_begun = await selection_shards.count_shards(conn, selection_id)
    if not is_begun:
        shards = await first_shards(making)
        async with making.ctx.pool.acquire() as conn:
            await selection_shards.insert_shards(conn, selection_id, shards)
    while shard := await _next(making, selection_id):
        turn.check()
        try:
            if shard.request["kind"] == "index":
                await _from_index(making, shard)
            else:
                await _store(making, shard, await SOURCES[shard.request["kind"]](making, shard))
        except ABOUT_THE_ENTRY as error:
            raise error if shard.request["kind"] == "named" else about(error, making, shard.entry) from error
        except GitHubUnavailable as error:
            raise turn.excuse(error) from error
        turn.pages += 1


async def _next(making: Making, selection_id: SelectionId) -> Shard | None:
    async with making.ctx.pool.acquire() as conn:
        return await selection_shards.fetch_waiting_shard(conn, selection_id)


async def _store(making: Making, shard: Shard, step: Step) -> None:
    selection_id = making.selection.id
    async with making.ctx.pool.acquire() as conn, conn.transaction():
        await selection_shards.need_not_wait(conn)
        match step:
            case Divided(parts):
                children = [
                    shard.part(number, request, expected=expected) for number, (request, expected) in enumerate(parts)
                ]
                is_ours = await selection_shards.divide_shard(conn, selection_id, shard, children)
            case Moved(why):
                is_ours = await _restart(conn, making, shard, why)
            case Page():
                is_ours = await _advance(conn, making, shard, step)
        if not is_ours:
            raise SelectionOver
        await _record(conn, making)


async def _advance(conn: Connection, making: Making, shard: Shard, page: Page) -> bool:
    if page.cursor is None and (why := await _incomplete(conn, making, shard, page)):
        return await _restart(conn, making, shard, why)
    return await selection_shards.advance_shard(
        conn,
        making.selection.id,
        shard,
        cursor=page.cursor,
        given=page.given,
        expected=page.expected,
        found=page.found,
    )


async def _incomplete(conn: Connection, making: Making, shard: Shard, page: Page) -> str | None:
    """What a search lacks after its last page: it must give as many as GitHub counted, and none in another's place."""
    if shard.request["kind"] not in {"search", "code"} or page.expected is None:
        return None
    query, given = shard.request["query"], shard.given + page.given
    if given < page.expected:
        return f"GitHub gave {given} of the {page.expected} results that {query!r} has"
    is_hiding = given > shard.stored + len(page.found)  # some that the App may not see: they cannot be told apart
    if shard.request["kind"] == "code" or shard.asked == 0 or is_hiding:
        return None
    found = {each.repository.node_id for each in page.found}
    distinct = await selection_shards.count_distinct(conn, making.selection.id, shard.path, besides=found)
    if distinct >= page.expected:
        return None
    return f"GitHub gave {distinct} different ones of the {page.expected} repositories that {query!r} has"


async def _restart(conn: Connection, making: Making, shard: Shard, why: str) -> bool:
    _log.info("shard_restarted", selection_id=str(making.selection.id), path=shard.path, why=why)
    if shard.restarts >= MOST_RESTARTS:
        raise GitHubUnavailable(f"{why}: it changes faster than it can be read")
    return await selection_shards.restart_shard(conn, making.selection.id, shard)


async def _from_index(making: Making, shard: Shard) -> None:
    """All that the index has of an owner, in one transaction: judged here, and stored without leaving Postgres."""
    selection_id, owner, as_of = making.selection.id, shard.request["owner"], shard.request["as_of"]
    account = await making.access.account(owner)
    reason, properties = f"{owner} owns it", None
    if asks_for_properties(making.entry(shard.entry)):  # which the index has from its last full listing
        properties = await making.properties_of(owner.lower(), account)
    async with making.ctx.pool.acquire() as conn, conn.transaction(isolation="repeatable_read"):
        if properties is not None:
            await set_properties(conn, account.installation_id, properties)
        is_alone = await selection_shards.count_shards(conn, selection_id) == 1
        out: dict[str, str] = {}
        async for batch in iter_index(conn, account.installation_id):
            found = making.judge(batch, entry=shard.entry, reason=reason, accessible=account.accessible)
            out |= {each.repository.node_id: each.reason for each in found if not each.included}
        stored = await selection_shards.insert_indexed(
            conn, selection_id, shard, account.installation_id, reason=reason, out=out, is_alone=is_alone
        )
        if not await selection_shards.finish_shard(conn, selection_id, shard, stored=stored):
            raise SelectionOver
        await selection_results.state_age(conn, selection_id, index_as_of=datetime.fromisoformat(as_of))
        await _record(conn, making)


async def _record(conn: Connection, making: Making) -> None:
    """The progress, in the transaction that made it; a selection that is over rolls it back."""
    usage = making.usage
    requests, points = usage.requests, usage.points
    if not await selection_shards.record_progress(conn, making.selection.id, requests=requests, points=points):
        raise SelectionOver
    usage.requests, usage.points = usage.requests - requests, usage.points - points
