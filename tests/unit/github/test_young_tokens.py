"""A refusal of a token that GitHub made just now is no answer."""

from __future__ import annotations

import pytest

from shared.errors import GitHubForbidden
from shared.github.young_tokens import YOUNG_SECONDS, TokenAges

TOKEN = "ghs_16C7e42F292c6912E7710c838347Ae178B4a"


class SlowReplica:
    """Refuses the first calls, and takes its time to say so. It keeps the clock."""

    def __init__(self, *, refusals: int, seconds: float) -> None:
        self.calls = 0
        self.now = 0.0
        self._refusals = refusals
        self._seconds = seconds

    async def call(self) -> str:
        self.calls += 1
        self.now += self._seconds
        if self.calls <= self._refusals:
            raise GitHubForbidden("git: error: 403")
        return "pushed"


async def test_a_refusal_that_is_told_late_is_still_that_of_a_young_token() -> None:
    replica = SlowReplica(refusals=1, seconds=YOUNG_SECONDS + 1)
    ages = TokenAges(now=lambda: replica.now)
    assert await ages.while_young(TOKEN, replica.call) == "pushed"


async def test_a_refusal_counts_where_the_call_began_with_a_token_that_all_replicas_know() -> None:
    replica = SlowReplica(refusals=9, seconds=YOUNG_SECONDS)
    ages = TokenAges(now=lambda: replica.now)
    with pytest.raises(GitHubForbidden):
        await ages.while_young(TOKEN, replica.call)
    assert replica.calls == 2
    with pytest.raises(GitHubForbidden):
        await ages.while_young(TOKEN, replica.call)
    assert replica.calls == 3
