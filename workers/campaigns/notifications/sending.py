"""Sending one notification: to Slack, to a program, or by mail. What goes wrong is said without any secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog

from shared.auth.webhook_signing import headers_signed_with
from shared.clock import utcnow
from shared.domain.notification_texts import mail_of, slack_message, webhook_body
from shared.domain.notifications import StoredNotification
from shared.domain.webhook_retries import Answer, Dead
from shared.domain.webhooks import check_url
from shared.errors import InvalidInput
from shared.observability.redaction import redact

from ..context import CampaignsContext

HEADERS = {"Content-Type": "application/json", "User-Agent": "Octobatch"}

_PERMANENT = 500
_MOST_SAID = 100
"""Characters of what the other side said."""


_log = structlog.get_logger(__name__)


class NotSent(Exception):
    """It could not be tried; the message says why, and has the name of a secret, never its value."""


async def send(ctx: CampaignsContext, notification: StoredNotification) -> Answer | Dead:
    """What was answered, or why it was not; `Dead` where another attempt would end the same."""
    try:
        match notification.channel:
            case {"slack": slack}:
                return await _to_slack(ctx, notification, slack)
            case {"webhook": webhook}:
                return await _to_webhook(ctx, notification, webhook)
            case {"email": email}:
                return await _by_mail(ctx, notification, email)
            case _:
                return Dead("it is for a kind of channel that this version does not know")
    except NotSent as error:
        return Answer(error=str(error))


async def _to_slack(ctx: CampaignsContext, notification: StoredNotification, slack: Mapping[str, Any]) -> Answer:
    body = json.dumps(slack_message(notification, public_url=_public_url(ctx))).encode()
    return await _post(ctx, slack["url"], body, HEADERS)


async def _to_webhook(ctx: CampaignsContext, notification: StoredNotification, webhook: Mapping[str, Any]) -> Answer:
    body = webhook_body(notification, public_url=_public_url(ctx))
    key = _signing_key(ctx, webhook["signWith"])
    signed = headers_signed_with([key], body, message_id=notification.id, at=utcnow())
    return await _post(ctx, webhook["url"], body, HEADERS | signed)


async def _post(ctx: CampaignsContext, reference: Mapping[str, Any], body: bytes, headers: Mapping[str, str]) -> Answer:
    url = _secret(ctx, reference)
    try:
        check_url(url, allow_plain=ctx.settings.webhooks_allow_private_addresses)
    except InvalidInput as error:
        why = error.problems[0].message
        raise NotSent(f"the notification secret {reference['secret']} is no address: it {why}") from None
    answer = await ctx.webhooks.send(url, headers=headers, body=body)
    if answer.status is None or 200 <= answer.status < 300:
        return replace(answer, error=answer.error and answer.error.replace(url, "the address"))
    said = " ".join(answer.response.replace(url, "").split())[:_MOST_SAID]
    return replace(answer, error=f"it answered {answer.status}{f': {said}' if said else ''}")


async def _by_mail(ctx: CampaignsContext, notification: StoredNotification, email: Mapping[str, Any]) -> Answer | Dead:
    if ctx.settings.smtp_url is None:
        raise NotSent("there is no mail server: OCTOBATCH_SMTP_URL is not set")
    domains = ctx.settings.mail_domains
    if others := [each for each in email["to"] if domains and each.rpartition("@")[2].lower() not in domains]:
        return Dead(f"mail may not go to {', '.join(others)}, only to {', '.join(sorted(domains))}")
    server = urlsplit(ctx.settings.smtp_url.get_secret_value())
    mail = mail_of(notification, public_url=_public_url(ctx), sender=ctx.settings.smtp_from, to=email["to"])
    is_encrypted = server.scheme == "smtps"
    try:
        refused, _ = await aiosmtplib.send(
            mail,
            hostname=server.hostname,
            port=server.port or (465 if is_encrypted else 587),
            username=unquote(server.username) if server.username else None,
            password=unquote(server.password) if server.password else None,
            use_tls=is_encrypted,
            # a password never goes over a connection that anyone can read
            start_tls=False if is_encrypted else True if server.username else None,
            timeout=ctx.settings.webhooks_timeout_seconds,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        why = redact("; ".join(f"{each.recipient}: {each.code} {each.message}" for each in error.recipients))
        is_final = all(each.code >= _PERMANENT for each in error.recipients)
        return Dead(why) if is_final else Answer(error=why)
    except aiosmtplib.SMTPResponseException as error:
        why = redact(f"the mail server said {error.code} {error.message}")
        # its refusal of our password, or of the connection, is the operator's to mend, and may be in a day
        is_final = error.code >= _PERMANENT and not isinstance(
            error, aiosmtplib.SMTPAuthenticationError | aiosmtplib.SMTPConnectResponseError | aiosmtplib.SMTPHeloError
        )
        return Dead(why) if is_final else Answer(error=why)
    except (aiosmtplib.SMTPException, OSError) as error:
        return Answer(error=redact(f"the mail server: {str(error) or type(error).__name__}"))
    if refused:  # the others have it, and must not get it again
        _log.warning("mail_recipients_refused", notification_id=str(notification.id), recipients=sorted(refused))
    return Answer(status=200)


def _signing_key(ctx: CampaignsContext, reference: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(_secret(ctx, reference).removeprefix("whsec_"), validate=True)
    except ValueError:
        raise NotSent(f"the notification secret {reference['secret']} is not whsec_ and base64") from None


def _secret(ctx: CampaignsContext, reference: Mapping[str, Any]) -> str:
    name = str(reference["secret"])
    folder: Path | None = ctx.settings.notification_secrets_dir
    if folder is None:
        raise NotSent(f"there is no notification secret {name}: OCTOBATCH_NOTIFICATION_SECRETS_DIR is not set")
    try:
        return (folder / name).read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise NotSent(f"there is no notification secret {name}") from None


def _public_url(ctx: CampaignsContext) -> str:
    return ctx.settings.public_url.rstrip("/")
