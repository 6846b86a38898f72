"""Operators at the pages: what runs, as it moves, and what was given up."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from redis import Redis

from shared.domain.ids import OperationId, new_id
from shared.domain.operation import Service
from shared.streams.envelope import Envelope
from shared.streams.keys import ServiceKeys
from tests.acceptance.conftest import RunningStack

KEYS = ServiceKeys(Service.TOKENS)


@pytest.fixture
def dead_letter(stack: RunningStack) -> Iterator[str]:
    """A command of the tokens worker that was given up; gives the id of its entry."""
    envelope = Envelope(
        id=OperationId(new_id()), service=Service.TOKENS, type="revoke_tokens", dedupe_key="given-up", actor="key:ci"
    )
    with Redis.from_url(stack.part("gateway").environment["OCTOBATCH_REDIS_URL"]) as redis:
        fields = {"command": envelope.to_json(), "error": "GitHub refused it", "deliveries": "3"}
        entry_id = redis.xadd(KEYS.dead_letters, fields)  # pyright: ignore[reportArgumentType]
        yield entry_id.decode()  # pyright: ignore[reportAttributeAccessIssue]
        redis.delete(KEYS.dead_letters)


def test_a_stream_is_watched_down_to_its_dead_letters(page: Page, dead_letter: str) -> None:
    page.goto("/ui/streams")
    tokens = page.locator("[data-stream=tokens]")
    expect(tokens.get_by_text("1 given up")).to_be_visible()
    before = tokens.locator("polyline").get_attribute("points")
    expect(tokens.locator("[data-of=rate]")).to_have_text(re.compile(r"^\d+$"))  # it was asked for twice by now
    assert tokens.locator("polyline").get_attribute("points") != before

    page.get_by_role("link", name="1 dead letter: look at them").click()
    letter = page.get_by_role("article")
    expect(letter).to_contain_text("GitHub refused it")
    expect(letter).to_contain_text("after 3 deliveries")
