"""What a notification says to Slack, to programs and by mail, whatever is in it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from typing import Any, cast
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.ids import CampaignId, NotificationId
from shared.domain.notification_texts import mail_of, slack_message, webhook_body
from shared.domain.notifications import StoredNotification
from shared.domain.webhooks import MessageState

URL = "https://octobatch.acme.example"
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
RUN, TARGET = str(UUID(int=7)), str(UUID(int=8))


def make_notification(*notices: dict[str, Any]) -> StoredNotification:
    return StoredNotification(
        id=NotificationId(UUID(int=1)),
        campaign_id=CampaignId(UUID(int=2)),
        campaign="bump-go",
        channel={},
        notices=notices,
        state=MessageState.WAITING,
        attempts=0,
        tried_since=AT,
        due_at=AT,
        error=None,
        created_at=AT,
        finished_at=None,
    )


def make_notice(text: str = "1 target is blocked", reason: str | None = "pushed to") -> dict[str, Any]:
    example = {"repository": "acme/api", "reason": reason, "target_id": TARGET, "pull_request_url": None}
    return {"moment": "targetsBlocked", "text": text, "run_id": RUN, "examples": [example]}


def mail(notification: StoredNotification) -> EmailMessage:
    """As it arrives."""
    sent = mail_of(
        notification, public_url=URL, sender="octobatch@acme.example", to=["a@acme.example", "b@acme.example"]
    )
    return message_from_bytes(sent.as_bytes(policy=SMTP), policy=default)


def test_slack_has_a_block_for_each_notice_with_links() -> None:
    message = slack_message(make_notification(make_notice(), make_notice("a <b> & c", None)), public_url=URL)
    assert message["text"] == "bump-go: 1 target is blocked, and 1 more"
    header, first, second = message["blocks"]
    assert header["text"] == {"type": "plain_text", "text": "bump-go: 1 target is blocked, and 1 more"}
    assert first["text"]["text"].splitlines() == [
        f"*1 target is blocked* · <{URL}/ui/runs/{RUN}|open>",
        f"• <{URL}/ui/targets/{TARGET}|acme/api>: pushed to",
    ]
    assert second["text"]["text"].startswith("*a &lt;b&gt; &amp; c* · <")


TEXTS = st.text(max_size=4000)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(make_notice, TEXTS, st.none() | TEXTS), min_size=1, max_size=120))
def test_slack_takes_whatever_is_told(notices: list[dict[str, Any]]) -> None:
    message = slack_message(make_notification(*notices), public_url=URL)
    assert len(message["text"]) <= 3000
    assert 2 <= len(message["blocks"]) <= 50
    header, *sections = message["blocks"]
    assert 1 <= len(header["text"]["text"]) <= 150
    assert all(1 <= len(each["text"]["text"]) <= 3000 for each in sections)
    links = re.compile(r"<https://[^<>|]+\|[^<>]*>")
    assert not [each for each in sections if re.search("[<>]", links.sub("", each["text"]["text"]))]


def test_a_program_gets_what_is_told_and_where_it_is() -> None:
    body = json.loads(webhook_body(make_notification(make_notice()), public_url=URL))
    assert (body["type"], body["timestamp"]) == ("notification", AT.isoformat())
    assert body["data"]["campaign"] == "bump-go"
    assert body["data"]["url"] == f"{URL}/ui/campaigns/bump-go"
    [notice] = body["data"]["notices"]
    assert (notice["moment"], notice["url"]) == ("targetsBlocked", f"{URL}/ui/runs/{RUN}")


def test_mail_is_plain_and_html_and_of_one_thread() -> None:
    arrived = mail(make_notification(make_notice(reason="<script>alert(1)</script>")))
    assert arrived["subject"] == "bump-go: 1 target is blocked"
    assert arrived["from"] == "Octobatch <octobatch@acme.example>"
    assert arrived["to"] == "a@acme.example, b@acme.example"
    assert arrived["message-id"] == f"<{UUID(int=1)}@octobatch.acme.example>"
    thread = f"<campaign-{UUID(int=2)}@octobatch.acme.example>"
    assert (arrived["references"].strip(), arrived["in-reply-to"].strip()) == (thread, thread)
    assert arrived["list-id"] == "<bump-go.octobatch.octobatch.acme.example>"
    plain, html = [cast("EmailMessage", part).get_content() for part in arrived.iter_parts()]
    assert "  - acme/api: <script>alert(1)</script>" in plain
    assert f"{URL}/ui/targets/{TARGET}" in plain
    assert "&lt;script&gt;" in html
    assert "<script>" not in html


def test_mail_sent_again_is_the_same() -> None:
    first, second = (mail(make_notification(make_notice())) for _ in range(2))
    assert first["message-id"] == second["message-id"]
    assert first["date"] == second["date"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(make_notice, TEXTS, st.none() | TEXTS), min_size=1, max_size=5))
def test_no_text_becomes_a_header(notices: list[dict[str, Any]]) -> None:
    arrived = mail(make_notification(*notices))
    assert set(arrived.keys()) == {
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "In-Reply-To",
        "References",
        "List-Id",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    }
