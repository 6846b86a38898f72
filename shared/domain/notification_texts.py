"""What a notification says: as JSON for programs, as a message of Slack, as mail. Pure.

Slack refuses a message with more than 50 blocks, or with a text of more than 3,000 characters in one of them
(https://docs.slack.dev/reference/block-kit/blocks); in its texts `&`, `<` and `>` are escaped
(https://docs.slack.dev/messaging/formatting-message-text), and a link is `<address|text>`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from typing import Any
from urllib.parse import urlsplit

from .notifications import StoredNotification

SLACK_MOST_BLOCKS = 50
SLACK_MOST_CHARACTERS = 3000
SLACK_HEADER_CHARACTERS = 150

LONGEST_REASON = 200
"""Characters of a target's reason: the page has it whole."""

LONGEST_SUBJECT = 200


def title_of(notification: StoredNotification) -> str:
    """One line: the campaign, and the first thing that is told of it."""
    first, *others = (str(notice["text"]) for notice in notification.notices)
    return _one_line(f"{notification.campaign}: {first}" + (f", and {len(others)} more" if others else ""))


def webhook_body(notification: StoredNotification, *, public_url: str) -> bytes:
    """`type`, `timestamp` and `data`, as outgoing webhooks have them."""
    content = {
        "type": "notification",
        "timestamp": notification.created_at.isoformat(),
        "data": {
            "campaign": notification.campaign,
            "url": _campaign_url(notification, public_url),
            "title": title_of(notification),
            "notices": [
                {**notice, "url": _url_of(notification, notice, public_url)} for notice in notification.notices
            ],
        },
    }
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def slack_message(notification: StoredNotification, *, public_url: str) -> dict[str, Any]:
    """The message: `text` for where blocks are not shown, and a block for each thing that is told."""
    title = title_of(notification)
    header = {"type": "header", "text": {"type": "plain_text", "text": _cut(title, SLACK_HEADER_CHARACTERS)}}
    blocks = [header, *(_section(_slack_text(notification, each, public_url)) for each in notification.notices)]
    if len(blocks) > SLACK_MOST_BLOCKS:
        left_out = len(blocks) - SLACK_MOST_BLOCKS + 1
        more = f"<{_campaign_url(notification, public_url)}|and {left_out} more>"
        blocks[SLACK_MOST_BLOCKS - 1 :] = [_section(more)]
    return {"text": _cut(_slack_escaped(title), SLACK_MOST_CHARACTERS), "blocks": blocks}


def mail_of(notification: StoredNotification, *, public_url: str, sender: str, to: Sequence[str]) -> EmailMessage:
    """The mail, as plain text and as HTML. Sent again it is the same; what is told of one campaign is one thread."""
    host = urlsplit(public_url).hostname or "octobatch"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address("Octobatch", addr_spec=sender)
    mail["To"] = [Address(addr_spec=each) for each in to]
    mail["Subject"] = _cut(title_of(notification), LONGEST_SUBJECT)
    mail["Date"] = notification.created_at
    mail["Message-ID"] = f"<{notification.id}@{host}>"
    thread = f"<campaign-{notification.campaign_id}@{host}>"
    mail["In-Reply-To"] = thread
    mail["References"] = thread
    mail["List-Id"] = f"<{notification.campaign}.octobatch.{host}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n".join(_plain_lines(notification, public_url)))
    mail.add_alternative("\n".join(_html_lines(notification, public_url)), subtype="html")
    return mail


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _slack_text(notification: StoredNotification, notice: Mapping[str, Any], public_url: str) -> str:
    lines = [f"*{_slack_escaped(notice['text'])}* · <{_url_of(notification, notice, public_url)}|open>"]
    for each in notice["examples"]:
        link = f"<{_target_url(each, public_url)}|{_slack_escaped(each['repository'])}>"
        lines.append(f"• {link}{_slack_escaped(_reason(each))}")
    text = ""
    for line in lines:  # whole lines alone, since a link that is cut is none
        if len(text) + len(line) + 1 > SLACK_MOST_CHARACTERS:
            break
        text += f"{line}\n"
    return text.rstrip() or _cut(_slack_escaped(notice["text"]), SLACK_MOST_CHARACTERS)


def _plain_lines(notification: StoredNotification, public_url: str) -> list[str]:
    lines: list[str] = []
    for notice in notification.notices:
        lines += [f"{notice['text']}", f"  {_url_of(notification, notice, public_url)}"]
        for each in notice["examples"]:
            lines.append(f"  - {each['repository']}{_reason(each)}")
            lines.append(f"    {_target_url(each, public_url)}")
        lines.append("")
    return [*lines, f"Who is told of {notification.campaign} is in its spec, under notifications.", ""]


def _html_lines(notification: StoredNotification, public_url: str) -> list[str]:
    lines = ["<!doctype html>", '<html lang="en"><body>']
    for notice in notification.notices:
        lines.append(f"<p>{_html_link(_url_of(notification, notice, public_url), str(notice['text']))}</p>")
        if notice["examples"]:
            examples = (
                f"<li>{_html_link(_target_url(each, public_url), each['repository'])}{escape(_reason(each))}</li>"
                for each in notice["examples"]
            )
            lines += ["<ul>", *examples, "</ul>"]
    told = f"Who is told of {notification.campaign} is in its spec, under notifications."
    return [*lines, f"<p><small>{escape(told)}</small></p>", "</body></html>", ""]


def _html_link(url: str, text: str) -> str:
    return f'<a href="{escape(url)}">{escape(text)}</a>'


def _reason(example: Mapping[str, Any]) -> str:
    reason = _one_line(str(example["reason"] or ""))
    return f": {_cut(reason, LONGEST_REASON)}" if reason else ""


def _url_of(notification: StoredNotification, notice: Mapping[str, Any], public_url: str) -> str:
    run_id = notice["run_id"]
    return f"{public_url}/ui/runs/{run_id}" if run_id else _campaign_url(notification, public_url)


def _campaign_url(notification: StoredNotification, public_url: str) -> str:
    return f"{public_url}/ui/campaigns/{notification.campaign}"


def _target_url(example: Mapping[str, Any], public_url: str) -> str:
    return f"{public_url}/ui/targets/{example['target_id']}"


def _slack_escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _one_line(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
