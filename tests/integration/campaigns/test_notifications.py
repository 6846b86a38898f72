"""Notifications, from an event to a channel, a mailbox or a program on this machine, over real Postgres and Valkey."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import trustme
from prometheus_client import REGISTRY
from redis.asyncio import Redis
from standardwebhooks.webhooks import Webhook

from shared.blobs.folder import FolderStore
from shared.clock import utcnow
from shared.domain.event import Event, pause_event, run_event, target_event, wave_event
from shared.domain.ids import CampaignId, RunId
from shared.domain.notifications import TEST, Notice, StoredNotification
from shared.domain.run import RunState
from shared.domain.spec import Moment
from shared.domain.target import TargetState
from shared.outbox import Outbox
from shared.postgres import notifications
from shared.postgres.pool import Pool
from shared.streams.requests import Requests
from tests.integration.campaigns.conftest import SettingsMaker
from tests.integration.campaigns.mailbox import Mailbox, mail_server
from tests.integration.campaigns.rows import SPEC, Rows
from tests.integration.sandbox.receiver import Receiver, receiving
from workers.campaigns.context import CampaignsContext, open_campaigns
from workers.campaigns.notifications.delivering import deliver_notifications, forget_notifications, show_messages
from workers.campaigns.notifications.gathering import gather_notifications
from workers.runtime import Infrastructure

PASSWORD = "a password of these tests"
SIGNING = base64.b64encode(b"s" * 32).decode()
SLACK = {"slack": {"url": {"secret": "channel"}}}
WEBHOOK = {"webhook": {"url": {"secret": "channel"}, "signWith": {"secret": "key"}}}
MAIL = {"email": {"to": ["a@acme.example", "b@acme.example"]}}
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
EVERYTHING = ", ".join(Moment)

Contexts = Callable[..., Any]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def secrets_folder(tmp_path: Path, receiver: Receiver) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "channel").write_text(f"{receiver.url}?key=hunter2\n")
    (folder / "key").write_text(f"whsec_{SIGNING}\n")
    return folder


@pytest.fixture
def opened(
    make_settings: SettingsMaker, pool: Pool, redis: Redis, blobs_folder: Path, secrets_folder: Path
) -> Contexts:
    """A worker's context that gathers for no time and may send to this machine, unless told otherwise."""

    @asynccontextmanager
    async def open_context(**values: object) -> AsyncIterator[CampaignsContext]:
        infrastructure = Infrastructure(
            pool=pool,
            redis=redis,
            blobs=FolderStore(blobs_folder),
            outbox=Outbox(pool, redis),
            requests=Requests(redis),
        )
        settings: dict[str, object] = {
            "notification_secrets_dir": secrets_folder,
            "notification_interval_seconds": 0,
            "webhooks_allow_private_addresses": True,
            **values,
        }
        async with open_campaigns(make_settings(**settings), infrastructure) as context:
            yield context

    return open_context


@pytest.fixture
async def sending(opened: Contexts) -> AsyncIterator[CampaignsContext]:
    async with opened() as context:
        yield context


class Telling:
    """A campaign that tells of itself, and its messages."""

    def __init__(self, pool: Pool, outbox: Outbox, rows: Rows, campaign_id: CampaignId, run_id: RunId) -> None:
        self.pool, self._outbox, self.rows = pool, outbox, rows
        self.campaign_id, self.run_id = campaign_id, run_id

    async def emit(self, *events: Event) -> None:
        async with self._outbox.transaction() as work:
            await work.emit(*events)

    async def end_run(self, state: RunState, error: str | None = None) -> None:
        await self.pool.execute("UPDATE runs SET state = $2, error = $3 WHERE id = $1", self.run_id, state, error)
        await self.emit(run_event(self.run_id, state, now=utcnow(), error=error))

    async def target(self, state: TargetState, *, number: int, reason: str | None = None) -> Any:
        target = await self.rows.target(self.run_id, self.campaign_id, state=state, number=number)
        await self.pool.execute("UPDATE targets SET reason = $2 WHERE id = $1", target.id, reason)
        await self.emit(target_event(target, before=TargetState.OPEN, now=utcnow()))
        return target

    async def messages(self) -> list[StoredNotification]:
        """Oldest first."""
        async with self.pool.acquire() as conn:
            return (await notifications.page_notifications(conn, self.campaign_id))[::-1]

    async def told(self) -> list[list[str]]:
        """The texts of each message."""
        return [[each["text"] for each in message.notices] for message in await self.messages()]

    async def store(self, channel: dict[str, Any]) -> None:
        """A message to send."""
        notice = Notice(moment=TEST, text="this is a test", run_id=self.run_id)
        async with self.pool.acquire() as conn:
            await notifications.insert_notification(conn, self.campaign_id, channel=channel, notices=[notice])

    async def deliver(self, ctx: CampaignsContext) -> StoredNotification:
        """Sends the only message, and gives what became of it."""
        await deliver_notifications(ctx)
        [message] = await self.messages()
        return message


@pytest.fixture
async def telling(pool: Pool, redis: Redis, rows: Rows) -> Telling:
    document = f"{SPEC.format(name='notice')}notifications:\n  - slack: {{url: {{secret: channel}}}}\n"
    campaign_id = await rows.campaign(document=f"{document}    when: [{EVERYTHING}]\n")
    await pool.execute("UPDATE campaigns SET notifies = true")
    return Telling(pool, Outbox(pool, redis), rows, campaign_id, await rows.run(campaign_id))


async def test_a_run_that_is_done_is_told_of_once_to_a_channel(
    sending: CampaignsContext, telling: Telling, receiver: Receiver
) -> None:
    await telling.target(TargetState.OPEN, number=1)
    await telling.end_run(RunState.COMPLETED)
    for _ in range(3):
        await gather_notifications(sending)
        await deliver_notifications(sending)
    received = await asyncio.to_thread(receiver.arrived.get, timeout=10)
    assert received.body["text"] == "notice: the run is done: 1 open"
    assert f"<https://octobatch.test/ui/runs/{telling.run_id}|open>" in received.content.decode()
    assert receiver.arrived.empty()
    [message] = await telling.messages()
    assert (message.state, message.attempts, message.error) == ("delivered", 1, None)
    assert message.channel == SLACK


async def test_targets_are_gathered_and_what_is_mended_meanwhile_is_not_told(
    opened: Contexts, sending: CampaignsContext, telling: Telling, pool: Pool
) -> None:
    for number in range(1, 8):
        await telling.target(TargetState.BLOCKED, number=number, reason="pushed to")
    mended = await telling.target(TargetState.CONFLICTED, number=8)
    await pool.execute("UPDATE targets SET state = 'open' WHERE id = $1", mended.id)
    async with opened(notification_interval_seconds=600) as patient:
        await gather_notifications(patient)
    assert await telling.told() == []
    await gather_notifications(sending)
    assert await telling.told() == [["7 targets are blocked"]]
    [message] = await telling.messages()
    assert [each["repository"] for each in message.notices[0]["examples"]] == [f"acme/repo-{n}" for n in range(1, 6)]
    assert message.notices[0]["examples"][0]["reason"] == "pushed to"


async def test_nobody_is_told_again_within_the_interval(opened: Contexts, telling: Telling, pool: Pool) -> None:
    async with opened(notification_interval_seconds=600) as patient:
        await telling.target(TargetState.BLOCKED, number=1)
        await pool.execute("UPDATE notable_events SET occurred_at = now() - interval '1 minute'")
        await gather_notifications(patient)
        await telling.target(TargetState.BLOCKED, number=2)
        await pool.execute("UPDATE notable_events SET occurred_at = now() - interval '1 minute'")
        await gather_notifications(patient)
        assert await telling.told() == [["1 target is blocked"]]
        await pool.execute("UPDATE campaigns SET notified_at = now() - interval '11 minutes'")
        await gather_notifications(patient)
    assert await telling.told() == [["1 target is blocked"], ["1 target is blocked, 2 in all"]]


async def test_all_merged_is_told_once_when_the_last_is(
    sending: CampaignsContext, telling: Telling, pool: Pool
) -> None:
    await telling.target(TargetState.MERGED, number=1)
    last = await telling.rows.target(telling.run_id, telling.campaign_id, state="open", number=2)
    await telling.end_run(RunState.COMPLETED)
    await gather_notifications(sending)
    assert await telling.told() == [["the run is done: 1 merged, 1 open"]]

    await pool.execute("UPDATE targets SET state = 'merged' WHERE id = $1", last.id)
    for _ in range(2):  # a second event, as when GitHub tells twice
        await telling.emit(target_event(await telling.rows.reload(last), before=TargetState.OPEN, now=utcnow()))
        await gather_notifications(sending)
    assert (await telling.told())[1:] == [["everything is merged: 2 merged"]]
    assert await pool.fetchval("SELECT count(*) FROM notable_events") == 0


async def test_runs_that_fail_or_are_paused_are_told_and_resumed_ones_are_not(
    sending: CampaignsContext, telling: Telling, pool: Pool
) -> None:
    paused = pause_event(telling.run_id, RunState.RUNNING, is_paused=True, by="key:first", now=utcnow())
    await telling.emit(paused)
    await gather_notifications(sending)  # it goes on again already
    await pool.execute("UPDATE runs SET paused_at = now(), paused_by = 'key:first'")
    await telling.emit(pause_event(telling.run_id, RunState.RUNNING, is_paused=True, by="key:first", now=utcnow()))
    await gather_notifications(sending)
    await telling.end_run(RunState.FAILED, "too many failed")
    await gather_notifications(sending)
    assert await telling.told() == [["the run was paused by key:first"], ["the run failed: too many failed"]]


async def test_waves_are_told_by_their_number(sending: CampaignsContext, telling: Telling) -> None:
    await telling.target(TargetState.MERGED, number=1)
    await telling.emit(wave_event(telling.run_id, 2, of=3, now=utcnow()))
    await gather_notifications(sending)
    await telling.emit(wave_event(telling.run_id, 3, of=3, now=utcnow()))
    await gather_notifications(sending)
    assert await telling.told() == [
        ["wave 1 is done, wave 2 begins: 1 merged"],
        ["waves 1 to 2 are done, wave 3 begins: 1 merged"],
    ]


async def test_a_campaign_that_tells_nobody_notes_nothing(telling: Telling, pool: Pool) -> None:
    await pool.execute("UPDATE campaigns SET notifies = false")
    await telling.end_run(RunState.COMPLETED)
    assert await pool.fetchval("SELECT count(*) FROM notable_events") == 0


async def test_what_nobody_wants_to_know_is_forgotten(
    sending: CampaignsContext, telling: Telling, pool: Pool, rows: Rows, redis: Redis
) -> None:
    document = f"{SPEC.format(name='few')}notifications: [{{email: {{to: a@acme.example}}, when: runFailed}}]\n"
    campaign_id = await rows.campaign(name="few", document=document)
    await pool.execute("UPDATE campaigns SET notifies = true")
    few = Telling(pool, Outbox(pool, redis), rows, campaign_id, await rows.run(campaign_id))
    await few.target(TargetState.BLOCKED, number=1)
    await few.target(TargetState.MERGED, number=2)
    await few.end_run(RunState.COMPLETED)
    await gather_notifications(sending)
    assert await few.messages() == []
    assert await pool.fetchval("SELECT count(*) FROM notable_events") == 0


async def test_two_workers_at_once_tell_and_send_once(
    opened: Contexts, sending: CampaignsContext, telling: Telling, receiver: Receiver
) -> None:
    await telling.end_run(RunState.COMPLETED)
    async with opened() as other:
        await asyncio.gather(*(gather_notifications(each) for each in (sending, other) * 3))
        await asyncio.gather(*(deliver_notifications(each) for each in (sending, other) * 3))
    assert len(await telling.messages()) == 1
    assert receiver.arrived.qsize() == 1


async def test_no_news_is_lost_or_told_twice_where_connections_break(
    opened: Contexts, sending: CampaignsContext, telling: Telling, pool: Pool
) -> None:
    happened = [telling.run_id, *[await telling.rows.run(telling.campaign_id) for _ in range(20)]]
    is_over, broken = asyncio.Event(), 0

    async def gather(ctx: CampaignsContext) -> None:
        while not is_over.is_set():
            with suppress(*AWAY):
                await gather_notifications(ctx)

    async def break_connections() -> None:
        nonlocal broken
        while not is_over.is_set():
            with suppress(*AWAY):
                broken += await pool.fetchval(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query ILIKE ANY($1)",
                    ["%notable_events%", "%INTO notifications%", "%notified_at%", "COMMIT%"],
                )
            await asyncio.sleep(0.01)

    async with opened() as one, opened() as other:
        tasks = [asyncio.create_task(each) for each in (gather(one), gather(other), break_connections())]
        for run_id in happened:
            telling.run_id = run_id
            with suppress(*AWAY):
                await telling.end_run(RunState.COMPLETED)
            await asyncio.sleep(0.02)
        is_over.set()
        await asyncio.gather(*tasks)
    await pool.expire_connections()
    await gather_notifications(sending)
    ended = {str(row["run_id"]) for row in await pool.fetch("SELECT run_id FROM events WHERE type = 'run.completed'")}
    told = [notice["run_id"] for message in await telling.messages() for notice in message.notices]
    assert sorted(told) == sorted(ended)
    assert len(ended) > 5
    assert broken > 5


async def test_a_program_gets_signed_messages(sending: CampaignsContext, telling: Telling, receiver: Receiver) -> None:
    await telling.store(WEBHOOK)
    assert (await telling.deliver(sending)).state == "delivered"
    received = receiver.arrived.get(timeout=10)
    verified = Webhook(f"whsec_{SIGNING}").verify(received.content, received.headers)
    assert verified["data"]["notices"][0]["text"] == "this is a test"


async def test_a_channel_that_refuses_is_tried_again_and_its_address_is_told_nowhere(
    sending: CampaignsContext, telling: Telling, receiver: Receiver, pool: Pool
) -> None:
    receiver.answer = 404
    await telling.store(SLACK)
    refused = await telling.deliver(sending)
    assert (refused.state, refused.error) == ("waiting", "it answered 404: ok")
    receiver.answer = 200
    await pool.execute("UPDATE notifications SET due_at = now()")
    assert (await telling.deliver(sending)).state == "delivered"
    rows = await pool.fetch("SELECT notifications::text AS text FROM notifications")
    assert not [row for row in rows if "hunter2" in row["text"]]


async def test_a_message_whose_sender_died_is_sent_again(
    sending: CampaignsContext, telling: Telling, pool: Pool, receiver: Receiver
) -> None:
    await telling.store(SLACK)
    async with pool.acquire() as conn:
        [claimed] = await notifications.claim_due(conn, lease=timedelta(seconds=30), limit=5)
    await deliver_notifications(sending)
    assert receiver.arrived.empty()  # it is another's for so long
    await pool.execute("UPDATE notifications SET due_at = now()")
    assert (await telling.deliver(sending)).id == claimed.id
    assert receiver.arrived.qsize() == 1


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, "there is no notification secret channel"),
        ("hunter2", "the notification secret channel is no address: it must begin with https://HOST or http://HOST"),
    ],
)
async def test_a_secret_that_is_missing_or_no_address_is_told_by_its_name(
    sending: CampaignsContext, telling: Telling, secrets_folder: Path, content: str | None, error: str
) -> None:
    (secrets_folder / "channel").unlink()
    if content:
        (secrets_folder / "channel").write_text(content)
    await telling.store(SLACK)
    message = await telling.deliver(sending)
    assert (message.state, message.error) == ("waiting", error)


async def test_a_private_address_is_not_asked(
    opened: Contexts, telling: Telling, receiver: Receiver, secrets_folder: Path
) -> None:
    await telling.store(SLACK)
    async with opened(webhooks_allow_private_addresses=False) as strict:
        (secrets_folder / "channel").write_text(receiver.url.replace("http:", "https:"))
        message = await telling.deliver(strict)
    assert message.error == "127.0.0.1 is at 127.0.0.1, which is not an address of the public internet"
    assert receiver.arrived.empty()


def smtp(mailbox: Mailbox, *, user: str = "", password: str = "") -> dict[str, object]:
    login = f"{user}:{password.replace(' ', '%20')}@" if user else ""
    return {"smtp_url": f"smtp://{login}localhost:{mailbox.port}", "smtp_from": "octobatch@acme.example"}


async def test_mail_arrives_at_everyone(opened: Contexts, telling: Telling) -> None:
    await telling.store(MAIL)
    with mail_server() as mailbox:
        async with opened(**smtp(mailbox)) as ctx:
            message = await telling.deliver(ctx)
    assert (message.state, message.error) == ("delivered", None)
    [mail] = mailbox.mails
    assert mailbox.recipients == [["a@acme.example", "b@acme.example"]]
    assert mail["subject"] == "notice: this is a test"
    assert mail["message-id"] == f"<{message.id}@octobatch.test>"
    assert f"https://octobatch.test/ui/runs/{telling.run_id}" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


async def test_a_password_goes_over_tls_alone(
    opened: Contexts, telling: Telling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await telling.store(MAIL)
    with mail_server(password=PASSWORD) as open_to_all:
        async with opened(**smtp(open_to_all, user="octobatch", password=PASSWORD), webhooks_timeout_seconds=2) as ctx:
            refused = await telling.deliver(ctx)
    assert refused.state == "waiting"
    assert "STARTTLS" in (refused.error or "")

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(trust)
    with mail_server(password=PASSWORD, trust=trust) as mailbox:
        for password, state in (("wrong", "waiting"), (PASSWORD, "delivered")):
            await telling.pool.execute("UPDATE notifications SET due_at = now()")
            async with opened(**smtp(mailbox, user="octobatch", password=password), webhooks_timeout_seconds=2) as ctx:
                message = await telling.deliver(ctx)
            assert message.state == state, message.error
            assert PASSWORD not in (message.error or "")
    assert len(mailbox.mails) == 1


async def test_who_is_refused_for_good_is_not_tried_again(opened: Contexts, telling: Telling) -> None:
    await telling.store({"email": {"to": ["gone@acme.example"]}})
    with mail_server() as mailbox:
        mailbox.refused["gone@acme.example"] = "550 No such user"
        async with opened(**smtp(mailbox)) as ctx:
            message = await telling.deliver(ctx)
    assert (message.state, message.error) == ("dead", "gone@acme.example: 550 No such user")


async def test_one_who_is_refused_keeps_it_from_nobody(opened: Contexts, telling: Telling) -> None:
    await telling.store(MAIL)
    with mail_server() as mailbox:
        mailbox.refused["a@acme.example"] = "550 No such user"
        async with opened(**smtp(mailbox)) as ctx:
            message = await telling.deliver(ctx)
    assert message.state == "delivered"
    assert mailbox.recipients == [["b@acme.example"]]


async def test_who_is_refused_for_now_is_tried_again(opened: Contexts, telling: Telling) -> None:
    await telling.store({"email": {"to": ["busy@acme.example"]}})
    with mail_server() as mailbox:
        mailbox.refused["busy@acme.example"] = "451 Try later"
        async with opened(**smtp(mailbox)) as ctx:
            message = await telling.deliver(ctx)
    assert (message.state, message.error) == ("waiting", "busy@acme.example: 451 Try later")


async def test_mail_goes_to_the_domains_of_the_settings_alone(opened: Contexts, telling: Telling) -> None:
    await telling.store({"email": {"to": ["a@acme.example", "b@elsewhere.example"]}})
    async with opened(smtp_url="smtp://localhost:9", smtp_domains="acme.example, ACME.test") as ctx:
        message = await telling.deliver(ctx)
    assert message.state == "dead"
    assert message.error == "mail may not go to b@elsewhere.example, only to acme.example, acme.test"


async def test_without_a_mail_server_it_is_said(sending: CampaignsContext, telling: Telling) -> None:
    await telling.store(MAIL)
    message = await telling.deliver(sending)
    assert (message.state, message.error) == ("waiting", "there is no mail server: OCTOBATCH_SMTP_URL is not set")


async def test_what_waits_and_what_was_given_up_is_measured(
    sending: CampaignsContext, telling: Telling, pool: Pool
) -> None:
    for channel in (SLACK, MAIL, {"pager": {}}):
        await telling.store(channel)
    await deliver_notifications(sending)
    await show_messages(sending)
    for state, count in (("waiting", 1), ("dead", 1)):
        assert REGISTRY.get_sample_value("octobatch_notifications", {"state": state}) == count
        assert REGISTRY.get_sample_value("octobatch_webhook_messages", {"state": state}) == 0


async def test_the_log_is_forgotten_in_time(sending: CampaignsContext, telling: Telling, pool: Pool) -> None:
    await telling.store(SLACK)
    await telling.deliver(sending)
    await forget_notifications(sending)
    assert len(await telling.messages()) == 1
    await pool.execute("UPDATE notifications SET finished_at = now() - interval '31 days'")
    await forget_notifications(sending)
    assert await telling.messages() == []
