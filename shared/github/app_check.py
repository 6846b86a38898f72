"""Is the App set up right? Asks GitHub, changes nothing, and tells what to do about what is wrong.

    for line in await check_app(app, expected=EXPECTED, webhook_url="https://octobatch.example/webhooks/github"): …

Looked at: the server, our clock, the key, the App's permissions and events, its webhook and the last deliveries, and
each installation, for which a token is minted that may read metadata only, and revoked at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from ..domain.app_check import CheckLine
from ..domain.installation import Installation, TokenScope
from ..domain.permissions import (
    Level,
    Permissions,
    excessive_permissions,
    missing_permissions,
    parse_permissions,
    permissions_text,
)
from ..errors import GitHubError, GitHubUnauthorized, OctobatchError
from .app_auth import AppAuth
from .network import is_loopback
from .server import identify
from .webhooks import SUBSCRIPTIONS

LARGEST_CLOCK_OFFSET = timedelta(seconds=30)
"""JWTs are dated a minute back, so an offset beyond that is refused; half of it is told before it hurts."""

DELIVERIES = 30
"""So many of the last deliveries are looked at."""

_AT_ONCE = 10
_UNAUTHORIZED, _NOT_FOUND = 401, 404
_PROBE = {"metadata": Level.READ}


async def check_app(app: AppAuth, *, expected: Permissions, webhook_url: str | None) -> list[CheckLine]:
    """A line for each thing, in the order in which they build on each other; after a server or key that fails, none.

    `webhook_url` is where GitHub should send webhooks, None where that is not known.
    """
    lines = await _server_and_clock(app)
    if not lines[0].ok:
        return lines
    try:
        facts = await app.get_app()
    except GitHubUnauthorized as error:
        return [*lines, _wrong_key(app, error)]
    except OctobatchError as error:
        return [*lines, CheckLine(name="key", ok=False, detail=str(error), advice="try again")]
    lines += [_key(app, facts), _permissions(facts, expected), _events(facts)]
    lines += await _looked_at("webhook", _webhook(app, facts, webhook_url))
    return lines + await _looked_at("installations", _installations(app, facts, expected))


async def _looked_at(name: str, looking: Any) -> list[CheckLine]:
    """The lines of a part of the check, or one that says why it could not be looked at."""
    try:
        return await looking
    except OctobatchError as error:
        return [CheckLine(name=name, ok=False, detail=str(error), advice="try again")]


async def _server_and_clock(app: AppAuth) -> list[CheckLine]:
    address = app.github.addresses.rest
    try:
        found = await identify(app.github)
    except GitHubError as error:
        advice = "check OCTOBATCH_GITHUB_API_BASE, and that this machine may reach it"
        return [CheckLine(name="server", ok=False, detail=f"{address}: {error}", advice=advice)]
    version = found.enterprise_version
    server = f"GitHub Enterprise Server {version}" if version else "it answers"
    private = ", in private mode" if found.is_private else ""
    api = f", API version {found.api_version}" if found.api_version else ""
    lines = [CheckLine(name="server", ok=True, detail=f"{address}: {server}{private}{api}")]
    if found.clock_offset is not None:
        lines.append(_clock(found.clock_offset))
    return lines


def _clock(offset: timedelta) -> CheckLine:
    seconds = round(offset.total_seconds())
    told = (
        "agrees with GitHub's" if abs(seconds) <= 1 else f"is {_span(seconds)} {'behind' if seconds > 0 else 'ahead'}"
    )
    if abs(offset) <= LARGEST_CLOCK_OFFSET:
        return CheckLine(name="clock", ok=True, detail=f"this machine's {told}")
    return CheckLine(
        name="clock",
        ok=False,
        detail=f"this machine's {told}",
        advice="set the machine's clock by NTP; until then requests to GitHub are dated by GitHub's clock",
    )


def _span(seconds: int) -> str:
    minutes, rest = divmod(abs(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _wrong_key(app: AppAuth, error: GitHubUnauthorized) -> CheckLine:
    return CheckLine(
        name="key",
        ok=False,
        detail=error.message.partition(": check")[0],
        advice=f"generate a key on the App's page and give it here, or correct the App's id, {app.app_id}",
    )


def _key(app: AppAuth, facts: Mapping[str, Any]) -> CheckLine:
    owner: Mapping[str, Any] = facts.get("owner") or {}
    whose = owner.get("login") or owner.get("slug") or "an unknown owner"  # an enterprise has a slug and no login
    told = f"{app.key_ids[0]} is accepted for the App {facts['name']} ({app.app_id}) of {whose}"
    return CheckLine(name="key", ok=True, detail=told)


def _permissions(facts: Mapping[str, Any], expected: Permissions) -> CheckLine:
    granted = parse_permissions(facts["permissions"])
    told = _difference(granted, expected)
    return CheckLine(
        name="permissions",
        ok=not told,
        detail=told or permissions_text(granted),
        advice="change them on the App's page under Permissions & events (each installation must accept what is new),"
        " or what is expected in OCTOBATCH_GITHUB_APP_PERMISSIONS"
        if told
        else "",
    )


def _difference(granted: Permissions, expected: Permissions) -> str:
    """What is missing and what is too much, "" where nothing is."""
    missing, excessive = missing_permissions(expected, granted), excessive_permissions(granted, expected)
    parts = [f"missing {permissions_text(missing)}"] if missing else []
    parts += [f"more than expected {permissions_text(excessive)}"] if excessive else []
    return "; ".join(parts)


def _events(facts: Mapping[str, Any]) -> CheckLine:
    missing = sorted(set(SUBSCRIPTIONS) - set(facts["events"]))
    if not missing:
        return CheckLine(name="events", ok=True, detail=", ".join(SUBSCRIPTIONS))
    return CheckLine(
        name="events",
        ok=False,
        detail=f"not subscribed to {', '.join(missing)}",
        advice="tick them on the App's page under Permissions & events; until then changes are noticed late",
    )


async def _webhook(app: AppAuth, facts: Mapping[str, Any], expected_url: str | None) -> list[CheckLine]:
    config = await app.hook_config()
    url, content_type = str(config.get("url") or ""), config.get("content_type")
    if not url and (expected_url is None or is_loopback(expected_url)):
        return [CheckLine(name="webhook", ok=True, detail="none: changes are asked for, and noticed later")]
    wrong = ""
    if expected_url and url != expected_url:
        wrong = f"GitHub sends {f'to {url}' if url else 'nowhere'} instead of to {expected_url}"
        advice = f"set the webhook of the App {facts['name']} to {expected_url}, or correct OCTOBATCH_PUBLIC_URL"
    elif content_type != "json":
        wrong, advice = f"its content type is {content_type}", "set the content type to application/json"
    else:
        advice = ""
    hook = CheckLine(name="webhook", ok=not wrong, detail=wrong or url, advice=advice)
    return [hook, _deliveries(await app.hook_deliveries(limit=DELIVERIES))] if url else [hook]


def _deliveries(found: Sequence[Mapping[str, Any]]) -> CheckLine:
    """Good where the newest one was: what failed before that is told."""
    if not found:
        return CheckLine(name="deliveries", ok=True, detail="none yet")
    failed = Counter(_status(each) for each in found if not _arrived(each))
    newest = found[0]
    detail = f"the last ({newest['event']}) was answered with {_status(newest)}" if newest["status_code"] else ""
    detail = detail or f"the last ({newest['event']}) was not answered ({_status(newest)})"
    if failed:
        told = ", ".join(f"{count} with {status}" for status, count in failed.most_common())
        detail += f"; of the last {len(found)} failed: {told}"
    return CheckLine(
        name="deliveries",
        ok=_arrived(newest),
        detail=detail,
        advice="" if _arrived(newest) else _delivery_advice(newest["status_code"]),
    )


def _arrived(delivery: Mapping[str, Any]) -> bool:
    return 200 <= delivery["status_code"] < 300


def _status(delivery: Mapping[str, Any]) -> str:
    return f"{delivery['status_code'] or ''} {delivery['status'] or ''}".strip()


def _delivery_advice(status_code: int) -> str:
    if status_code == _UNAUTHORIZED:
        return "the secret differs: set the same in the App's webhook and in OCTOBATCH_WEBHOOK_SECRET"
    if status_code == _NOT_FOUND:
        return "the address leads to something that is not the gateway"
    if status_code:
        return "look into the gateway's log"
    return "see that GitHub can reach the address: name, certificate, firewall"


async def _installations(app: AppAuth, facts: Mapping[str, Any], expected: Permissions) -> list[CheckLine]:
    found = await app.list_installations()
    if not found:
        advice = f"install it: {facts['html_url']}/installations/new"
        return [CheckLine(name="installations", ok=False, detail="the App is installed nowhere", advice=advice)]
    places = asyncio.Semaphore(_AT_ONCE)

    async def look_at(installation: Installation) -> CheckLine:
        async with places:
            return await _installation(app, installation, expected)

    return list(await asyncio.gather(*map(look_at, found)))


async def _installation(app: AppAuth, installation: Installation, expected: Permissions) -> CheckLine:
    name = f"installation {installation.account}"
    told = f"{installation.id}, {installation.repository_selection} repositories"
    if installation.suspended_at:
        detail = f"{told}; suspended since {installation.suspended_at.isoformat(timespec='seconds')}"
        return CheckLine(name=name, ok=False, detail=detail, advice="an owner of the account can unsuspend it")
    try:
        token = await app.mint(TokenScope(installation_id=installation.id, permissions=_PROBE))
        await app.revoke(token.token, minted_at=token.minted_at)
    except OctobatchError as error:
        return CheckLine(name=name, ok=False, detail=f"{told}; it gives no token: {error}", advice="try again")
    difference = _difference(installation.permissions, expected)
    if missing_permissions(expected, installation.permissions):
        advice = "an owner of the account accepts the App's new permissions in its settings"
    else:
        advice = "what is taken from the App is taken from each installation" if difference else ""
    return CheckLine(name=name, ok=not difference, detail=f"{told}; {difference or 'gives tokens'}", advice=advice)
