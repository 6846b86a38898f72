"""Who is told of a campaign: from its spec to a message for each, and the log of them."""

from __future__ import annotations

import httpx
import pytest

from gateway.schemas import EXAMPLE_SPEC
from shared.postgres.pool import Pool

NAME = "add-security-policy"
NOTIFICATIONS = """notifications:
  - slack: {url: {secret: slack-releases}}
  - email: {to: platform@acme.example}
    when: [runFailed]
"""


async def put(client: httpx.AsyncClient, document: str) -> None:
    answer = await client.put(f"/v1/campaigns/{NAME}", json={"document": document})
    assert answer.is_success, answer.text


@pytest.mark.parametrize("first", [EXAMPLE_SPEC, EXAMPLE_SPEC + NOTIFICATIONS])
async def test_a_campaign_notes_what_happens_while_its_newest_spec_tells_somebody(
    client: httpx.AsyncClient, pool: Pool, first: str
) -> None:
    for document, notifies in ((first, "notif" in first), (EXAMPLE_SPEC + NOTIFICATIONS, True), (EXAMPLE_SPEC, False)):
        await put(client, document)
        assert await pool.fetchval("SELECT notifies FROM campaigns") is notifies


async def test_a_test_is_a_message_to_each_and_in_the_log(client: httpx.AsyncClient) -> None:
    await put(client, EXAMPLE_SPEC + NOTIFICATIONS)
    sent = await client.post(f"/v1/campaigns/{NAME}/notifications/test")
    assert sent.status_code == 202
    assert [each["to"] for each in sent.json()["items"]] == ["slack slack-releases", "mail to platform@acme.example"]
    log = (await client.get(f"/v1/campaigns/{NAME}/notifications", params={"limit": 1})).json()
    assert [each["channel"] for each in log["items"]] == [{"email": {"to": ["platform@acme.example"]}}]
    more = {"cursor": log["next_cursor"], "state": "waiting"}
    log = (await client.get(f"/v1/campaigns/{NAME}/notifications", params=more)).json()
    [message] = log["items"]
    assert (message["state"], message["attempts"], log["next_cursor"]) == ("waiting", 0, None)
    assert message["notices"][0]["moment"] == "test"
    assert message["notices"][0]["text"].startswith("this is a test that key:")


async def test_where_nobody_is_told_a_test_is_refused(client: httpx.AsyncClient) -> None:
    await put(client, EXAMPLE_SPEC)
    answer = await client.post(f"/v1/campaigns/{NAME}/notifications/test")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
    assert "its spec has no notifications" in answer.json()["detail"]


async def test_a_campaign_that_is_not_there_has_no_log(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/campaigns/nothing/notifications")).status_code == 404
