"""What targets read together: one that GitHub refuses is refused alone."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from shared.errors import GitHubInvalid, GitHubUnavailable
from shared.github.client import GitHubClient
from shared.github.contents import Wanted
from workers.campaigns.preparation.reading import Reader


def wanted(name: str) -> Wanted:
    return Wanted(repository_node_id=name, oid="0" * 40, files=["a"])


async def test_a_target_that_github_refuses_fails_no_other_of_its_batch() -> None:
    asked: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        variables = json.loads(request.content)["variables"]
        names = [name for name in variables.values() if name.startswith("R_")]
        asked.append(len(names))
        if "R_bad" in names:
            return httpx.Response(200, json={"data": {"r0": None}, "errors": [{"message": "Something is wrong"}]})
        blob = {"__typename": "Blob", "oid": "2e65efe2a145dda7ee51d1741299f848e5bf752e", "text": "a"}
        node = {"commit": {"oid": "0" * 40}, "o0": {**blob, "isBinary": False, "isTruncated": False}}
        return httpx.Response(200, json={"data": dict.fromkeys((f"r{n}" for n in range(len(names))), node)})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        reader = Reader(GitHubClient(http, "https://github.test/api/v3"), "token")
        names = ["R_1", "R_bad", "R_2"]
        found = await asyncio.gather(*(reader.contents(wanted(name)) for name in names), return_exceptions=True)
    assert asked == [3, 1, 1, 1]
    assert isinstance(found[1], GitHubInvalid)
    assert not any(isinstance(each, BaseException) for each in (found[0], found[2]))


async def test_what_is_worth_another_try_is_not_asked_one_by_one() -> None:
    asked: list[None] = []

    def answer(_: httpx.Request) -> httpx.Response:
        asked.append(None)
        return httpx.Response(500, json={})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        reader = Reader(GitHubClient(http, "https://github.test/api/v3"), "token")
        with pytest.raises(GitHubUnavailable):
            await asyncio.gather(*(reader.contents(wanted(name)) for name in ("R_1", "R_2")))
    assert len(asked) == 1
