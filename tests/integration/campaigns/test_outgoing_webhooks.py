"""Outgoing webhooks, from an event to a receiver on this machine, over real Postgres and Valkey."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from standardwebhooks.webhooks import Webhook

from shared.auth.webhook_signing import endpoint_secret
from shared.blobs.folder import FolderStore
from shared.clock import utcnow
from shared.domain.event import run_event
from shared.domain.ids import CampaignId, EventId, RunId, WebhookEndpointId
from shared.domain.run import RunState
from shared.domain.webhooks import WebhookEndpoint, WebhookMessage
from shared.outbox import Outbox
from shared.postgres import webhook_endpoints, webhook_messages
from shared.postgres.events import insert_events
from shared.postgres.pool import Pool
from shared.streams.requests import Requests
from tests.integration.campaigns.conftest import SettingsMaker
from tests.integration.campaigns.rows import Rows
from tests.integration.sandbox.receiver import Received, Receiver, receiving
from workers.campaigns.context import CampaignsContext, open_campaigns
from workers.campaigns.webhooks.delivering import deliver_webhooks, forget_webhooks
from workers.runtime import Infrastructure

KEY = "k" * 32


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


Contexts = Callable[..., Any]


@pytest.fixture
def opened(make_settings: SettingsMaker, pool: Pool, redis: Redis, blobs_folder: Path) -> Contexts:
    """A worker's context that may send to this machine, unless told otherwise."""

    @asynccontextmanager
    async def open_context(**values: object) -> AsyncIterator[CampaignsContext]:
        infrastructure = Infrastructure(
            pool=pool,
            redis=redis,
            blobs=FolderStore(blobs_folder),
            outbox=Outbox(pool, redis),
            requests=Requests(redis),
        )
        settings = {"webhooks_signing_key": KEY, "webhooks_allow_private_addresses": True, **values}
        async with open_campaigns(make_settings(**settings), infrastructure) as context:
            yield context

    return open_context


@pytest.fixture
async def sending(opened: Contexts) -> AsyncIterator[CampaignsContext]:
    async with opened() as context:
        yield context


class Told:
    """A run whose events are told, and the endpoints that they are told to."""

    def __init__(self, pool: Pool, outbox: Outbox, campaign_id: CampaignId, run_id: RunId) -> None:
        self.pool, self._outbox, self.campaign_id, self.run_id = pool, outbox, campaign_id, run_id

    async def endpoint(self, url: str, *events: str, campaign_id: CampaignId | None = None) -> WebhookEndpoint:
        async with self.pool.acquire() as conn:
            return await webhook_endpoints.insert_endpoint(
                conn, url=url, description="", events=events or ("*",), campaign_id=campaign_id, created_by="test"
            )

    async def happen(self, *states: RunState) -> list[EventId]:
        events = [run_event(self.run_id, state, now=utcnow()) for state in states]
        async with self._outbox.transaction() as work:
            await work.emit(*events)
        return [event.id for event in events]

    async def messages(self, endpoint: WebhookEndpoint) -> list[WebhookMessage]:
        """Oldest first."""
        async with self.pool.acquire() as conn:
            return (await webhook_messages.page_messages(conn, endpoint.id))[::-1]

    async def reload(self, endpoint_id: WebhookEndpointId) -> WebhookEndpoint:
        async with self.pool.acquire() as conn:
            return await webhook_endpoints.get_endpoint(conn, endpoint_id)

    async def make_due(self) -> None:
        """As if the waits were over."""
        await self.pool.execute("UPDATE webhook_messages SET due_at = now() WHERE state = 'waiting'")
        await self.pool.execute("UPDATE webhook_endpoints SET held_until = NULL")


@pytest.fixture
async def told(pool: Pool, redis: Redis, rows: Rows) -> Told:
    campaign_id = await rows.campaign()
    return Told(pool, Outbox(pool, redis), campaign_id, await rows.run(campaign_id))


async def arrived(receiver: Receiver) -> Received:
    return await asyncio.to_thread(receiver.arrived.get, timeout=10)


async def test_each_endpoint_is_told_of_what_it_wants_signed(
    sending: CampaignsContext, told: Told, receiver: Receiver, rows: Rows
) -> None:
    everything = await told.endpoint(receiver.url)
    one = await told.endpoint(receiver.url, "run.completed", campaign_id=told.campaign_id)
    of_another = await told.endpoint(receiver.url, campaign_id=await rows.campaign(name="other"))
    none = await told.endpoint(receiver.url, "target.*")
    planned, completed = await told.happen(RunState.PLANNING, RunState.COMPLETED)
    await deliver_webhooks(sending)
    assert [message.id for message in await told.messages(everything)] == [planned, completed]
    assert [message.id for message in await told.messages(one)] == [completed]
    assert not await told.messages(of_another)
    assert not await told.messages(none)
    received = [receiver.arrived.get_nowait() for _ in range(3)]
    assert {each.headers["webhook-id"] for each in received} == {str(planned), str(completed)}
    secrets = [endpoint_secret(KEY, each.id, 1) for each in (everything, one)]
    for each in received:
        assert sum(_verifies(secret, each) for secret in secrets) == 1
        assert each.body["data"]["campaign"] == "notice"
        assert each.body["data"]["run_id"] == str(told.run_id)


def _verifies(secret: str, received: Received) -> bool:
    try:
        Webhook(secret).verify(received.content, received.headers)
    except Exception:
        return False
    return True


async def test_an_event_that_is_rolled_back_is_told_to_nobody(told: Told, receiver: Receiver) -> None:
    endpoint = await told.endpoint(receiver.url)
    async with told.pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await insert_events(conn, events=[run_event(told.run_id, RunState.PLANNING, now=utcnow())])
        await transaction.rollback()
    assert not await told.messages(endpoint)


async def test_a_process_that_ends_between_sending_and_recording_sends_again_under_the_same_id(
    opened: Contexts, told: Told, receiver: Receiver
) -> None:
    endpoint = await told.endpoint(receiver.url)
    [event_id] = await told.happen(RunState.COMPLETED)
    receiver.release = threading.Event()
    async with opened() as dying:
        killed = asyncio.create_task(deliver_webhooks(dying))
        first = await arrived(receiver)
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
    receiver.release.set()
    receiver.release = None
    [message] = await told.messages(endpoint)
    assert (message.state, message.attempts) == ("waiting", 0)
    async with opened() as another:
        await deliver_webhooks(another)  # still the one's that ended
        assert receiver.arrived.empty()
        await told.make_due()  # it has not come back
        await deliver_webhooks(another)
    second = await arrived(receiver)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(event_id)
    assert first.content == second.content
    [message] = await told.messages(endpoint)
    assert (message.state, message.attempts) == ("delivered", 1)


async def test_whenever_processes_end_every_event_arrives_and_no_other(
    sending: CampaignsContext, told: Told, receiver: Receiver
) -> None:
    endpoint = await told.endpoint(receiver.url)
    events = await told.happen(*[RunState.PLANNING] * 40)
    ids: list[str] = []
    for lives in (1, 2, 3, 5, 7, 9):
        dying = asyncio.create_task(deliver_webhooks(sending))
        ids += [(await arrived(receiver)).headers["webhook-id"] for _ in range(lives)]
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
        await told.make_due()
    await deliver_webhooks(sending)
    while not receiver.arrived.empty():
        ids.append(receiver.arrived.get_nowait().headers["webhook-id"])
    assert set(ids) == {str(event_id) for event_id in events}
    assert {message.state for message in await told.messages(endpoint)} == {"delivered"}


async def test_what_is_not_taken_is_sent_again_until_it_is(
    sending: CampaignsContext, told: Told, receiver: Receiver
) -> None:
    endpoint = await told.endpoint(receiver.url)
    await told.happen(RunState.COMPLETED)
    receiver.answer = 500
    await deliver_webhooks(sending)
    [message] = await told.messages(endpoint)
    assert (message.state, message.error, message.attempts) == ("waiting", "it answered 500", 1)
    assert message.due_at > utcnow()
    receiver.answer = 200
    await told.make_due()
    await deliver_webhooks(sending)
    [message] = await told.messages(endpoint)
    assert (message.state, message.error, message.attempts) == ("delivered", None, 2)
    async with told.pool.acquire() as conn:
        attempts = await webhook_messages.list_attempts(conn, endpoint.id, message.id)
    assert [(each.status, each.error, each.response) for each in attempts] == [
        (500, "it answered 500", "ok"),
        (200, None, "ok"),
    ]


async def test_an_endpoint_that_is_gone_is_disabled_until_it_is_resumed(
    sending: CampaignsContext, told: Told, receiver: Receiver
) -> None:
    endpoint = await told.endpoint(receiver.url)
    await told.happen(*[RunState.PLANNING] * 20)
    receiver.answer = 410
    await deliver_webhooks(sending)
    assert receiver.arrived.qsize() == sending.settings.webhooks_concurrency
    assert {message.state for message in await told.messages(endpoint)} == {"dead"}
    assert (await told.reload(endpoint.id)).disabled_reason == "it answered 410"
    await told.happen(RunState.COMPLETED)
    assert len(await told.messages(endpoint)) == 20
    async with told.pool.acquire() as conn, conn.transaction():
        await webhook_endpoints.resume_endpoint(conn, endpoint.id)
        assert await webhook_messages.send_again(conn, endpoint.id) == 20
    receiver.answer = 200
    await deliver_webhooks(sending)
    assert {message.state for message in await told.messages(endpoint)} == {"delivered"}


async def test_an_endpoint_that_asks_for_patience_gets_it_and_one_that_hangs_holds_up_no_other(
    opened: Contexts, told: Told, receiver: Receiver
) -> None:
    with receiving() as limiting, receiving() as hanging:
        limiting.answer, limiting.headers = 429, {"retry-after": "120"}
        hanging.answer, hanging.release = 503, threading.Event()
        patient, slow = await told.endpoint(limiting.url), await told.endpoint(hanging.url)
        alive = await told.endpoint(receiver.url)
        await told.happen(*[RunState.PLANNING] * 9)
        async with opened(webhooks_concurrency=3) as context:
            delivering = asyncio.create_task(deliver_webhooks(context))
            for _ in range(9):
                await arrived(receiver)
            for _ in range(3):
                await arrived(hanging)
            assert hanging.arrived.empty(), "three at once, and no answer yet"
            hanging.release.set()
            await delivering
        assert {message.state for message in await told.messages(alive)} == {"delivered"}
        assert (await told.reload(slow.id)).failures >= 1
        assert limiting.arrived.qsize() == 3
        held_until = (await told.reload(patient.id)).held_until
        assert held_until
        assert 60 < (held_until - utcnow()).total_seconds() <= 120


async def test_what_waited_for_a_day_behind_an_endpoint_that_does_not_answer_is_given_up(
    opened: Contexts, told: Told
) -> None:
    endpoint = await told.endpoint("http://127.0.0.1:9/")  # the discard port: nothing listens there
    await told.happen(*[RunState.PLANNING] * 5)
    await told.pool.execute("UPDATE webhook_messages SET tried_since = now() - interval '2 days'")
    async with opened(webhooks_concurrency=2) as context:
        await deliver_webhooks(context)
    messages = await told.messages(endpoint)
    assert {message.state for message in messages} == {"dead"}
    assert sorted(message.attempts for message in messages) == [0, 0, 0, 1, 1]
    assert (await told.reload(endpoint.id)).failures == 1


async def test_no_answer_in_time_is_none(opened: Contexts, told: Told, receiver: Receiver) -> None:
    receiver.release = threading.Event()
    endpoint = await told.endpoint(receiver.url)
    await told.happen(RunState.COMPLETED)
    async with opened(webhooks_timeout_seconds=0.2) as context:
        await deliver_webhooks(context)
    receiver.release.set()
    [message] = await told.messages(endpoint)
    assert (message.state, message.error) == ("waiting", "no answer within 0.2 s")


async def test_a_private_address_is_not_asked(opened: Contexts, told: Told, receiver: Receiver) -> None:
    endpoint = await told.endpoint(receiver.url.replace("127.0.0.1", "localhost"))
    await told.happen(RunState.COMPLETED)
    async with opened(webhooks_allow_private_addresses=False) as context:
        await deliver_webhooks(context)
    assert receiver.arrived.empty()
    [message] = await told.messages(endpoint)
    assert message.error
    assert message.error.endswith("which is not an address of the public internet")


async def test_a_name_that_is_none_holds_up_nobody(sending: CampaignsContext, told: Told, receiver: Receiver) -> None:
    endpoint = await told.endpoint(f"https://{'a' * 70}.example")  # longer than a label may be
    alive = await told.endpoint(receiver.url)
    await told.happen(RunState.COMPLETED)
    await deliver_webhooks(sending)
    assert [message.state for message in await told.messages(alive)] == ["delivered"]
    [message] = await told.messages(endpoint)
    assert message.error
    assert message.error.startswith("the URL cannot be used")


async def test_an_endpoint_that_is_being_deleted_stops_no_event(told: Told, receiver: Receiver) -> None:
    deleted, other = await told.endpoint(receiver.url), await told.endpoint(receiver.url)
    async with told.pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await webhook_endpoints.delete_endpoint(conn, deleted.id)
        happening = asyncio.create_task(told.happen(RunState.COMPLETED))
        while not await told.pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
        await transaction.commit()
    [event_id] = await happening
    assert [message.id for message in await told.messages(other)] == [event_id]


async def test_a_redirect_is_not_followed(sending: CampaignsContext, told: Told, receiver: Receiver) -> None:
    with receiving() as redirecting:
        redirecting.answer, redirecting.headers = 307, {"location": receiver.url}
        endpoint = await told.endpoint(redirecting.url)
        await told.happen(RunState.COMPLETED)
        await deliver_webhooks(sending)
    assert receiver.arrived.empty()
    [message] = await told.messages(endpoint)
    assert message.error == "it answered 307"


async def test_a_paused_endpoint_loses_nothing(sending: CampaignsContext, told: Told, receiver: Receiver) -> None:
    endpoint = await told.endpoint(receiver.url)
    async with told.pool.acquire() as conn:
        await webhook_endpoints.pause_endpoint(conn, endpoint.id)
    await told.happen(RunState.PLANNING, RunState.COMPLETED)
    await deliver_webhooks(sending)
    assert receiver.arrived.empty()
    async with told.pool.acquire() as conn, conn.transaction():
        await webhook_endpoints.resume_endpoint(conn, endpoint.id)
    await deliver_webhooks(sending)
    assert receiver.arrived.qsize() == 2
    await told.pool.execute("UPDATE webhook_messages SET finished_at = finished_at - interval '31 days'")
    await forget_webhooks(sending)
    assert not await told.messages(endpoint)
