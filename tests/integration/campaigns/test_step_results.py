"""Results of steps are found again until they are too old, or too much."""

from __future__ import annotations

from dataclasses import replace

from workers.campaigns.context import CampaignsContext
from workers.campaigns.forgetting import forget_step_results
from workers.campaigns.preparation.stored_results import StoredResults, blob_key

KEYS = [digit * 64 for digit in "abcde"]


async def test_what_is_used_least_goes_first_and_what_nobody_uses_goes_in_time(ctx: CampaignsContext) -> None:
    results = StoredResults(ctx.pool, ctx.blobs)
    for key in KEYS:
        await results.keep(key, key.encode())
    days = "UPDATE step_results SET used_at = now() - $2 * interval '1 day' WHERE key = $1"
    for age, key in enumerate(KEYS):
        await ctx.pool.execute(days, key, age * 10)
    assert await results.fetch(KEYS[2]) == KEYS[2].encode()  # it counts as used now
    ctx = replace(ctx, settings=ctx.settings.model_copy(update={"step_cache_max_bytes": 128}))
    await forget_step_results(ctx)
    assert [await results.fetch(key) is not None for key in KEYS] == [True, False, True, False, False]
    await ctx.blobs.delete(blob_key(KEYS[0]))
    assert await results.fetch(KEYS[0]) is None
