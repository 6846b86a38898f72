"""The gateway's API over HTTP.

with open_gateway() as gateway:
    run = gateway.get("/runs/…")
    for event in gateway.events(f"/runs/{run['id']}/events", on_reconnect=say): …
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import httpx
from httpx_sse import ServerSentEvent, connect_sse

from .connection import Connection, find_connection
from .failures import CommandFailed, ExitCode, refused
from .invocation import invocation

TIMEOUT = httpx.Timeout(30, connect=5)
SILENCE_SECONDS = 60.0
"""Longest silence of an event stream, which sends heartbeats all the time, before it counts as broken."""

API = "/v1"
"""What the addresses of the API begin with."""

PAGE = 200


class Gateway:
    """Requests to one gateway; every refusal and every silence is a `CommandFailed`."""

    def __init__(self, http: httpx.Client, connection: Connection) -> None:
        self._http = http
        self.connection = connection

    @property
    def url(self) -> str:
        """The gateway's address."""
        return self.connection.url

    def get(self, path: str, **query: Any) -> Any:
        """The JSON at `path`."""
        return self._json("GET", path, query=query)

    def health(self) -> dict[str, Any]:
        """What `/healthz` says, whether all is well or not; it is beside the API and needs no key."""
        try:
            response = self._http.get(f"{self.url}/healthz")
        except httpx.TransportError as error:
            raise self._unreachable(str(error)) from None
        if "application/json" not in response.headers.get("content-type", ""):
            raise self._refusal(response)
        return response.json()

    def text(self, path: str) -> str:
        """The content at `path`, as text."""
        return self._send("GET", path).content.decode(errors="replace")

    def pieces(self, path: str, **query: Any) -> Iterator[bytes]:
        """The content at `path` piece by piece, however large it is; raises `CommandFailed` where it breaks off."""
        parameters = {name: value for name, value in query.items() if value is not None}
        try:
            # to the store, where it gives artifacts itself; httpx takes the key to no other host
            with self._http.stream("GET", path, params=parameters, follow_redirects=True) as response:
                if response.is_error:
                    response.read()
                    raise self._refusal(response)
                yield from response.iter_bytes()
        except httpx.TransportError as error:
            raise self._unreachable(str(error)) from None

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, document: str = "") -> Any:
        """The JSON answer; `document` names the file whose lines a refusal speaks of."""
        return self._json("POST", path, body=body, document=document)

    def put(self, path: str, body: Mapping[str, Any], *, document: str = "") -> Any:
        """The JSON answer; `document` names the file whose lines a refusal speaks of."""
        return self._json("PUT", path, body=body, document=document)

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON answer."""
        return self._json("PATCH", path, body=body)

    def delete(self, path: str) -> None:
        """Deletes what is at `path`."""
        self._send("DELETE", path)

    def items(self, path: str, *, limit: int | None = None, **query: Any) -> Iterator[dict[str, Any]]:
        """The items of a list, page by page, `limit` at most."""
        left, cursor = limit, None
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            page = self.get(path, limit=size, cursor=cursor, **query)
            yield from page["items"]
            left = None if left is None else left - len(page["items"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def short_list(self, path: str) -> list[dict[str, Any]]:
        """The items of a list that is short by what it is, and so takes no `limit`."""
        found, page = list[dict[str, Any]](), self.get(path)
        while True:
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            page = self.get(path, cursor=page["next_cursor"])

    def events(self, path: str, *, on_reconnect: Callable[[str], None]) -> Iterator[ServerSentEvent]:
        """The snapshot and events at `path` until its end; connects again, from where it was, when the stream breaks.

        `on_reconnect` is told why. Raises `CommandFailed` where the gateway stays away for a minute.
        """
        position: str | None = None
        last_heard = time.monotonic()
        while True:
            try:
                for event in self._stream(path, position):
                    last_heard = time.monotonic()
                    position = event.id or None  # an empty one is to be forgotten: a snapshot comes then
                    if event.event == "end":
                        return
                    yield event
                why = "the event stream ended early"
            except httpx.TransportError as error:
                why = str(error) or type(error).__name__
            if time.monotonic() - last_heard > SILENCE_SECONDS:
                raise self._unreachable(why)
            on_reconnect(why)
            time.sleep(1)

    def _stream(self, path: str, position: str | None) -> Iterator[ServerSentEvent]:
        headers = {"Last-Event-ID": position} if position else {}
        timeout = httpx.Timeout(SILENCE_SECONDS, connect=5)
        with connect_sse(self._http, "GET", path, headers=headers, timeout=timeout) as source:
            if source.response.is_error:
                source.response.read()
                raise self._refusal(source.response)
            for event in source.iter_sse():
                if event.data:  # a heartbeat has none
                    yield event

    def _json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        document: str = "",
    ) -> Any:
        response = self._send(method, path, query=query, body=body, document=document)
        try:
            return response.json()
        except ValueError:
            raise self._not_octobatch("it does not answer with JSON") from None

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        document: str = "",
    ) -> httpx.Response:
        parameters = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            response = self._http.request(method, path, params=parameters, json=body)
        except httpx.TransportError as error:
            raise self._unreachable(str(error)) from None
        if response.is_redirect:
            raise self._not_octobatch(f"it sends on to {response.headers.get('location')}")
        if response.is_error:
            raise self._refusal(response, document=document)
        return response

    def _unreachable(self, why: str) -> CommandFailed:
        is_certificate = "CERTIFICATE_VERIFY_FAILED" in why
        return CommandFailed(
            f"the gateway at {self.url} cannot be reached: {why}",
            exit_code=ExitCode.UNREACHABLE,
            hint=self.connection.certificate_hint if is_certificate else self.connection.unreachable_hint,
        )

    def _not_octobatch(self, why: str) -> CommandFailed:
        return CommandFailed(
            f"what answers at {self.url} is no gateway of Octobatch's: {why}",
            exit_code=ExitCode.UNREACHABLE,
            hint="give the address that its pages have in a browser, without /ui and what follows",
        )

    def _refusal(self, response: httpx.Response, *, document: str = "") -> CommandFailed:
        try:
            answer: Any = response.json()
        except ValueError:
            answer = None
        problem = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
        if "type" not in problem and response.status_code < 500:  # a proxy before it says 502 and the like
            return self._not_octobatch(f"it answers {response.status_code} with no problem of Octobatch's")
        return refused(response.status_code, problem, document=document, unknown_hint=self.connection.refused_hint)


@contextmanager
def open_gateway(connection: Connection | None = None, *, timeout: httpx.Timeout = TIMEOUT) -> Iterator[Gateway]:
    """The gateway that the command is for, closed at the end."""
    connection = connection or find_connection(context=invocation().context)
    headers = {"User-Agent": "octobatch-cli"}
    if connection.api_key:
        headers["Authorization"] = f"Bearer {connection.api_key}"
    # no proxy of the environment's for an address on this machine
    is_local = is_on_this_machine(connection.url)
    with httpx.Client(
        base_url=f"{connection.url}{API}",
        headers=headers,
        timeout=timeout,
        trust_env=not is_local,
        verify=_trust(connection, use_environment=not is_local),
    ) as http:
        yield Gateway(http, connection)


def is_on_this_machine(url: str) -> bool:
    """Whether what is sent there stays on this machine."""
    return httpx.URL(url).host in ("127.0.0.1", "localhost", "::1")


def _trust(connection: Connection, *, use_environment: bool) -> ssl.SSLContext | bool:
    """The authorities of the system, and the one that the connection names; raises `CommandFailed`."""
    if not connection.url.startswith("https://"):
        return True
    trust = httpx.create_ssl_context(trust_env=use_environment)
    if connection.ca_bundle:
        try:
            trust.load_verify_locations(cafile=connection.ca_bundle)
        except (OSError, ssl.SSLError) as error:
            raise CommandFailed(
                f"{connection.ca_bundle} cannot be used as certificates of an authority: {error.strerror or error}",
                exit_code=ExitCode.BAD_INPUT,
                hint="it must be a file of certificates in PEM form",
            ) from None
    return trust
