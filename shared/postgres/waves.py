"""The waves of a run's rollout: how many targets each has, and which they are.

A wave is made of the targets that began before the next one did: in the order of their release, as `releases` counts
them for gates.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.ids import RunId
from ..domain.release import wave_size
from ..domain.spec import parse_version
from ..errors import InvalidInput, NotFound, Problem
from .pool import Connection
from .releases import COUNTS, ON_ITS_WAY

IN_ORDER = f"""
    SELECT t.id, row_number() OVER (ORDER BY t.released_at NULLS FIRST, t.id) AS place
    FROM targets t WHERE t.run_id = $17 AND {COUNTS} AND {ON_ITS_WAY}"""  # noqa: S608
"""The targets of a run (`$17`) that began, each with its place."""


@dataclass(frozen=True)
class Places:
    """The places of the targets of a wave, counted from 1, both among them; `last` of the last wave is None."""

    number: int
    first: int
    last: int | None


async def list_waves(conn: Connection, run_id: RunId) -> list[Places]:
    """The waves of a run; none where its spec has none. Raises `NotFound`."""
    document = await conn.fetchval(
        """SELECT v.document FROM runs r
           JOIN spec_versions v ON v.campaign_id = r.campaign_id AND v.version = r.spec_version WHERE r.id = $1""",
        run_id,
    )
    if document is None:
        raise NotFound("run", run_id)
    waves = parse_version(document).rollout.waves
    if not waves:
        return []
    with_change: int = await conn.fetchval(
        f"""SELECT count(*) FROM targets t WHERE t.run_id = $1 AND {COUNTS}
            AND (t.state NOT IN ('pending', 'preparing', 'failed', 'blocked') OR {ON_ITS_WAY})""",  # noqa: S608
        run_id,
    )
    sizes = [wave_size(wave, with_change) for wave in waves]
    ends: list[int | None] = [*sizes[:-1], None]
    return [
        Places(number=number, first=before + 1, last=end)
        for number, (before, end) in enumerate(zip([0, *sizes[:-1]], ends, strict=True), start=1)
    ]


async def get_wave(conn: Connection, run_id: RunId, number: int) -> Places:
    """The wave of that number; raises `InvalidInput` where the run has fewer."""
    waves = await list_waves(conn, run_id)
    if number > len(waves):
        hint = f"it has {len(waves)}" if waves else "its rollout has no waves"
        raise InvalidInput("the run has no such wave", [Problem(f"there is no wave {number}", path="wave", hint=hint)])
    return waves[number - 1]
