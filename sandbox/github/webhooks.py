"""Webhooks: signed, sent in the background, each attempt logged, redelivered with the same GUID.

An event goes to each App that is installed on the repository's owner, listens to the event and has a URL. Answers
are waited for 10 seconds. Nothing is sent again by itself, as with GitHub.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx

from .clock import Clock
from .state import App, Delivery, Installation, State

ANSWER_WITHIN_SECONDS = 10.0
MOST_AT_ONCE = 20
ALWAYS_SENT = frozenset({"installation", "installation_repositories", "github_app_authorization", "ping"})
"""Events that every App gets without subscribing to them."""

_STATUSES = {0: "failed to connect to host", 200: "OK", 202: "Accepted"}


class Webhooks:
    """Delivers events to the Apps' URLs."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._http: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(MOST_AT_ONCE)

    def emit(
        self,
        event: str,
        payload: Callable[[], dict[str, Any]],
        *,
        owner_id: int,
        repository_id: int | None = None,
    ) -> None:
        """Sends an event about an account or one of its repositories; `payload` is called only if someone listens."""
        for installation in self._state.installations.on_account(owner_id):
            app = self._state.apps.get(installation.app_id)
            if not self._listens(app, installation, event, repository_id, owner_id):
                continue
            body = payload() | {"installation": {"id": installation.id, "node_id": installation.node_id}}
            self.send(app, event, body, installation_id=installation.id, repository_id=repository_id)

    def send(
        self,
        app: App,
        event: str,
        body: dict[str, Any],
        *,
        installation_id: int | None = None,
        repository_id: int | None = None,
        guid: str | None = None,
    ) -> None:
        """Sends one event to one App, now and in the background."""
        facts = {
            "app_id": app.id,
            "guid": guid or str(uuid4()),
            "event": event,
            "action": body.get("action"),
            "installation_id": installation_id,
            "repository_id": repository_id,
            "redelivery": False,
            "payload": json.dumps(body),
        }
        self._start(app, facts)

    def redeliver(self, app: App, delivery: Delivery) -> None:
        """Sends the same payload again under the same GUID."""
        facts = {
            "app_id": app.id,
            "guid": delivery.guid,
            "event": delivery.event,
            "action": delivery.action,
            "installation_id": delivery.installation_id,
            "repository_id": delivery.repository_id,
            "redelivery": True,
            "payload": delivery.payload,
        }
        self._start(app, facts)

    async def settle(self) -> None:
        """Returns when nothing is under way any more."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    async def close(self) -> None:
        """Ends what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()

    def _listens(
        self, app: App, installation: Installation, event: str, repository_id: int | None, owner_id: int
    ) -> bool:
        if not app.webhook_url or (event not in ALWAYS_SENT and event not in installation.events):
            return False
        if installation.suspended_at and event not in ALWAYS_SENT:
            return False
        return repository_id is None or self._state.installations.has_repository(installation, repository_id, owner_id)

    def _start(self, app: App, facts: dict[str, Any]) -> None:
        if not app.webhook_url:
            return
        task = asyncio.get_running_loop().create_task(self._attempt(app, app.webhook_url, facts))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self, app: App, url: str, facts: dict[str, Any]) -> None:
        content, headers = _request(app, facts)
        async with self._places:
            delivered_at, begun = self._clock.stamp(), time.monotonic()
            code, answered, answer = await self._post(url, content, headers)
        self._state.deliveries.add(
            **facts,
            delivered_at=delivered_at,
            duration=round(time.monotonic() - begun, 2),
            status=_STATUSES.get(code, "OK" if code < 400 else f"Invalid HTTP Response: {code}"),
            status_code=code,
            url=url,
            request_headers=headers,
            response_headers=answered,
            response_body=answer,
        )

    async def _post(self, url: str, content: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
        if self._http is None:
            self._http = httpx.AsyncClient(timeout=ANSWER_WITHIN_SECONDS)
        try:
            response = await self._http.post(url, content=content, headers=headers)
        except httpx.HTTPError as error:
            return 0, {}, str(error)
        return response.status_code, dict(response.headers), response.text[:65536]


def _request(app: App, facts: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """The body as sent and the headers that GitHub sends with it."""
    payload: str = facts["payload"]
    as_form = app.webhook_content_type == "form"
    content = urlencode({"payload": payload}).encode() if as_form else payload.encode()
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/x-www-form-urlencoded" if as_form else "application/json",
        "User-Agent": "GitHub-Hookshot/0000000",
        "X-GitHub-Delivery": facts["guid"],
        "X-GitHub-Event": facts["event"],
        "X-GitHub-Hook-ID": str(app.id),
        "X-GitHub-Hook-Installation-Target-ID": str(app.id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
    }
    if app.webhook_secret:
        secret = app.webhook_secret.encode()
        headers["X-Hub-Signature"] = "sha1=" + hmac.new(secret, content, hashlib.sha1).hexdigest()
        headers["X-Hub-Signature-256"] = "sha256=" + hmac.new(secret, content, hashlib.sha256).hexdigest()
    return content, headers
